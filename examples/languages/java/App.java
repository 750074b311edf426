import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A worker that takes a piece of work whenever it may, and prints a line at each change of its state.
 *
 * <p>DATABASE_URL, ZDM_MANIFEST (a file; default zdm-manifest), APP_VERSION
 */
public final class App {
    private App() {}

    /** Here the database would be used: statements that take no longer than the lease's margin, 5 s of a minute. */
    private static void work() {}

    private static List<String> shown(ZdmLease lease) {
        var state = lease.state();
        if (state.equals("stopped")) return List.of("stopped: " + lease.reason());
        if (!state.equals("serving")) return List.of(state);
        var lines = new ArrayList<String>();
        lines.add(lease.number() == null ? "serving, without a lease" : "serving, lease " + lease.number());
        lease.manifest.needs().forEach((id, reached) -> {
            if (reached.equals("expanded")) {
                lines.add(id + ": reads the " + (lease.readsNew(id) ? "new" : "old") + " structure");
            }
        });
        return lines;
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        var environment = System.getenv();
        var manifest = Files.readString(Path.of(environment.getOrDefault("ZDM_MANIFEST", "zdm-manifest")));
        var version = environment.getOrDefault("APP_VERSION", "unknown");
        var lease = new ZdmLease(environment.get("DATABASE_URL"), manifest, version);
        var ending = new CountDownLatch(1);
        var ended = new CountDownLatch(1);
        // SIGTERM runs this hook, and the process ends with it: so it waits for the last line.
        var hook = new Thread(() -> {
            ending.countDown();
            try {
                ended.await();
            } catch (InterruptedException end) {
                Thread.currentThread().interrupt();
            }
            Runtime.getRuntime().halt("left".equals(lease.reason()) ? 0 : 1);
        });
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            lease.start();
            var told = List.<String>of();
            while (true) {
                if (ending.getCount() == 0) lease.leave();
                var lines = shown(lease);
                for (var line : lines) if (!told.contains(line)) System.out.println(line);
                told = lines;
                if (lease.reason() != null) break;
                if (lease.ready()) work();
                ending.await(20, TimeUnit.MILLISECONDS);
            }
        } finally {
            System.out.flush();
            ended.countDown();
        }
    }
}
