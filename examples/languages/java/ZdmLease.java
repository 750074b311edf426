import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.ArrayList;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;

/**
 * A lease of zdm for a Java process: what docs/applications.md asks of a client, in one file to copy.
 *
 * <pre>
 * var lease = new ZdmLease(System.getenv("DATABASE_URL"), manifest, "42");
 * lease.start();                  // joins and renews in a thread of its own
 * if (lease.ready()) { ... }      // before each piece of work
 * lease.leave();                  // when the last statement is done
 * </pre>
 *
 * PostgreSQL and MariaDB (or MySQL) by their JDBC drivers. All times are milliseconds.
 */
public final class ZdmLease {
    /** Between two questions while a gate decides, or something is missing. */
    private static final long ASK_AGAIN = 1000;

    /** For one call while no lease says how much time there is. */
    private static final long FIRST_PATIENCE = 10_000;

    private static final long LEAVE_PATIENCE = 2000;

    /** What is held: until when it may be trusted, on the clock of now(), and the number of the lease. */
    private record Held(long deadline, Long number) {}

    /** What `zdm manifest` wrote. */
    public record Manifest(String service, List<String> tolerates, Map<String, String> needs) {}

    public final Manifest manifest;
    private final String version;
    private final String instance;
    private final long joinTimeout = 60_000;
    private final String url;
    private final Properties login = new Properties();
    private final boolean postgres;

    // Of the lease's thread alone.
    private Connection connection;
    private Long number;
    private long ttl;
    private int failures;

    // For all threads.
    private volatile Held held;
    private final AtomicReference<String> reason = new AtomicReference<>();
    private final Map<String, Boolean> migrated = new ConcurrentHashMap<>();
    private final CountDownLatch leaving = new CountDownLatch(1);
    private final Thread thread = new Thread(this::keep, "zdm-lease");

    public ZdmLease(String address, String manifest, String version) throws IOException {
        this.manifest = readManifest(manifest);
        this.version = version;
        instance = InetAddress.getLocalHost().getHostName() + "-" + ProcessHandle.current().pid();
        var uri = URI.create(address);
        postgres = List.of("postgres", "postgresql").contains(uri.getScheme());
        if (!postgres && !List.of("mysql", "mariadb").contains(uri.getScheme())) {
            throw new IllegalArgumentException("\"" + uri.getScheme() + "\" is not a database that zdm knows");
        }
        var port = uri.getPort() > 0 ? uri.getPort() : postgres ? 5432 : 3306;
        url = "jdbc:" + (postgres ? "postgresql" : "mariadb") + "://" + uri.getHost() + ":" + port + uri.getPath()
                + (uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery());
        var user = uri.getRawUserInfo() == null ? new String[] {""} : uri.getRawUserInfo().split(":", 2);
        login.setProperty("user", URLDecoder.decode(user[0], StandardCharsets.UTF_8));
        if (user.length > 1) {
            login.setProperty("password", URLDecoder.decode(user[1], StandardCharsets.UTF_8));
        }
        if (postgres) {
            var name = "zdm:" + this.manifest.service + "#" + instance;
            login.setProperty("ApplicationName", name.substring(0, Math.min(63, name.length())));
            login.setProperty("options", "-c default_transaction_isolation=read\\ committed");
        }
        this.manifest.needs.forEach((id, reached) -> {
            if (reached.equals("expanded")) migrated.put(id, false);
        });
        thread.setDaemon(true);
    }

    /** Begins to keep the lease. */
    public void start() {
        var word = System.getenv().getOrDefault("ZDM_APP", "");
        switch (word) {
            case "", "on" -> thread.start();
            case "off" -> { // for tests, and for the day on which zdm is the trouble: no gate sees this process
                migrated.replaceAll((id, known) -> true);
                held = new Held(Long.MAX_VALUE, null);
            }
            default -> throw new IllegalArgumentException("ZDM_APP is \"" + word + "\": write off, or nothing");
        }
    }

    /** joining, serving, suspended or stopped. */
    public String state() {
        if (reason.get() != null) return "stopped";
        var now = held;
        if (now == null) return "joining";
        return now() < now.deadline ? "serving" : "suspended";
    }

    /** Whether work may begin at this very moment. */
    public boolean ready() {
        return state().equals("serving");
    }

    /** Why it has stopped, for good; null: it has not. */
    public String reason() {
        return reason.get();
    }

    /** The number of the lease, or null. */
    public Long number() {
        var now = held;
        return now == null ? null : now.number;
    }

    /** Whether a migration that is needed from its expand on is complete, so that its new structure is to be read. */
    public boolean readsNew(String migration) {
        if (!manifest.needs.containsKey(migration)) throw new IllegalArgumentException(migration + " is not needed");
        return migrated.getOrDefault(migration, true);
    }

    /** Not ready from here on; the lease ends now, or, when the database cannot be told, by itself. */
    public void leave() throws InterruptedException {
        reason.compareAndSet(null, "left");
        leaving.countDown();
        thread.join(LEAVE_PATIENCE + 1000);
    }

    /** A clock that goes on while the machine sleeps: on one that stops, as nanoTime does on Linux, a lease looks fresh when
     * it is long over. */
    private static long now() {
        try {
            var text = Files.readString(Path.of("/proc/uptime"));
            return (long) (Double.parseDouble(text.substring(0, text.indexOf(' '))) * 1000);
        } catch (IOException elsewhere) {
            return System.nanoTime() / 1_000_000;
        }
    }

    /** What is left of a lease for the work that is under way at its deadline. */
    private static long margin(long ttl) {
        return Math.min(ttl / 12, 5000);
    }

    /** How long one call may take. */
    private static long patience(long ttl) {
        return ttl == 0 ? FIRST_PATIENCE : Math.min(Math.max(ttl / 4, 500), FIRST_PATIENCE);
    }

    private static double between(double low, double high) {
        return ThreadLocalRandom.current().nextDouble(low, high);
    }

    private void keep() {
        var begun = now();
        while (reason.get() == null) {
            var sent = now(); // before the call: a gate waits from after its fence, so a deadline from the reply would not do
            var why = "the database is not ready for this build, or a gate is still deciding";
            long pause;
            try {
                pause = turn(sent);
                failures = 0;
            } catch (SQLException | RuntimeException error) { // whatever it was, the deadline stands
                close();
                why = "could not join: " + error.getMessage();
                System.err.println("could not keep the lease: " + error.getMessage());
                failures++;
                pause = (long) (Math.min(100L << Math.min(failures, 16), patience(Math.max(ttl, 1))) * between(0.05, 1));
            }
            if (held == null && now() > begun + joinTimeout) {
                reason.compareAndSet(null, "after " + joinTimeout / 1000 + " s: " + why);
            }
            try {
                if (reason.get() == null) leaving.await(pause, TimeUnit.MILLISECONDS);
            } catch (InterruptedException end) {
                reason.compareAndSet(null, "interrupted");
            }
        }
        if (number != null && leaving.getCount() == 0) {
            try {
                call("leave_v1", LEAVE_PATIENCE, number);
            } catch (SQLException error) {
                System.err.println("could not leave, so the lease will expire: " + error.getMessage());
            }
        }
        close();
    }

    /** One call; returns how long to wait before the next. */
    private long turn(long sent) throws SQLException {
        var limit = patience(ttl);
        var renews = number != null && now() < held.deadline;
        Map<String, String> answer;
        if (renews) {
            answer = call("renew_v1", limit, number);
        } else {
            var needs = manifest.needs.entrySet().stream().map(Object::toString).collect(Collectors.joining(","));
            var tolerates = String.join(",", manifest.tolerates);
            answer = call("join_v1", limit, manifest.service, version, instance, tolerates, needs, "suspends");
        }
        switch (answer.get("outcome")) {
            case "joined":
                return granted(sent, Long.valueOf(answer.get("lease")), Long.parseLong(answer.get("ttl_ms")), true);
            case "renewed":
                return granted(sent, number, Long.parseLong(answer.get("ttl_ms")), false);
            case "fenced":
                reason.compareAndSet(null, refusal(answer.get("detail")));
                return 0;
            case "gone": // the lease was lost, say with a restored backup: join, and serve on until the deadline
                number = null;
                return 0;
            case "fencing": // a gate decides: serve on until the deadline
            case "missing": // the migration is not there yet
                return ttl == 0 ? ASK_AGAIN : Math.min(ttl / 4, ASK_AGAIN);
            default:
                throw new IllegalStateException("cannot understand the answer \"" + answer.get("outcome") + "\"");
        }
    }

    private long granted(long sent, Long lease, long granted, boolean joined) throws SQLException {
        // A grant counts only with the answer which structure is to be read. While the lease holds, migrated stays so.
        for (var migration : migrated.keySet()) {
            if (joined || !migrated.get(migration)) {
                var answer = call("reached_v1", patience(ttl), migration);
                migrated.put(migration, answer.containsValue("migrated"));
            }
        }
        var deadline = sent + granted - margin(granted);
        if (now() >= deadline) return 0; // the reply is older than what it grants
        var old = number;
        number = lease;
        ttl = granted;
        held = new Held(deadline, lease);
        if (joined && old != null) call("leave_v1", patience(ttl), old); // so that nobody takes this process for two
        return Math.max(0, sent + (long) (granted / 4.0 * between(0.8, 1)) - now());
    }

    /** One statement, which commits by itself; its row by the names of columns. */
    private Map<String, String> call(String function, long limit, Object... arguments) throws SQLException {
        open(limit);
        var marks = String.join(", ", java.util.Collections.nCopies(arguments.length, "?"));
        var sql = postgres ? "SELECT * FROM zdm." + function + "(" + marks + ")" : "CALL zdm_" + function + "(" + marks + ")";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < arguments.length; i++) statement.setObject(i + 1, arguments[i]);
            try (ResultSet rows = statement.executeQuery()) {
                rows.next();
                var answer = new LinkedHashMap<String, String>();
                for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                    answer.put(rows.getMetaData().getColumnLabel(i), rows.getString(i));
                }
                return answer;
            }
        }
    }

    /** A connection of the lease's own, which waits no longer than `limit`: a silent network must not hold a call for ever. */
    private void open(long limit) throws SQLException {
        if (connection == null) {
            // Seconds for PostgreSQL's driver, milliseconds for MariaDB's; until the connection is made, one second at least.
            var time = Long.toString(postgres ? Math.max(1, limit / 1000) : limit);
            login.setProperty("connectTimeout", time);
            login.setProperty("socketTimeout", time);
            connection = DriverManager.getConnection(url, login);
        }
        connection.setNetworkTimeout(Runnable::run, (int) limit);
    }

    private void close() {
        var lost = connection;
        connection = null;
        if (lost == null) return;
        try {
            lost.abort(Runnable::run); // without a word to a server that may not listen
        } catch (SQLException error) {
            System.err.println("could not end the connection: " + error.getMessage());
        }
    }

    private static String refusal(String detail) {
        var migration = detail.substring(detail.indexOf('=') + 1);
        return detail.startsWith("tolerate=")
                ? "migration " + migration + " has been contracted, and this build does not tolerate it: deploy a newer build"
                : "migration " + migration + " has been rolled back, and this build needs it: deploy an older build";
    }

    private static Manifest readManifest(String text) {
        String service = null;
        var tolerates = new ArrayList<String>();
        var needs = new LinkedHashMap<String, String>();
        var first = true;
        for (var line : text.lines().map(String::strip).toList()) {
            if (line.isEmpty() || line.startsWith("#")) continue;
            var words = line.split("\\s+");
            if (first) {
                if (!String.join(" ", words).equals("zdm-manifest 1")) {
                    throw new IllegalArgumentException("the manifest does not begin with \"zdm-manifest 1\"");
                }
                first = false;
            } else if (words[0].equals("service") && words.length == 2 && service == null) {
                service = words[1];
            } else if (words[0].equals("tolerates") && words.length == 2) {
                tolerates.add(words[1]);
            } else if (words[0].equals("needs") && words.length == 3 && List.of("expanded", "migrated").contains(words[2])) {
                needs.put(words[1], words[2]);
            } else {
                throw new IllegalArgumentException("the manifest says what nobody knows: " + line);
            }
        }
        if (service == null) throw new IllegalArgumentException("the manifest names no service");
        return new Manifest(service, tolerates, needs);
    }
}
