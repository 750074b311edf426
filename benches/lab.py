"""What the benchmarks of running databases share: throwaway servers, a paced load, and figures of both.

Needs python3 with psycopg2 and pymysql, PostgreSQL's programs (with pgbench) and MariaDB's. Servers keep what they promise
(fsync on), have their data below BENCH_DIR (default: the system's temporary folder), and are stopped and removed at the end.
"""

import glob
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import psycopg2
import pymysql

HERE = os.path.dirname(os.path.abspath(__file__))
ZDM = os.path.abspath(os.environ.get("ZDM", os.path.join(HERE, "../target/dist/zdm")))
ROWS = int(os.environ.get("ROWS", "1000000"))
# A shell lets what it starts in the background ignore this signal, and pgbench, which is ended by it, would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def program(name):
    """The path of a server's program: those of PostgreSQL are not in everybody's PATH."""
    places = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])) or (places and places[0])
    if not found:
        sys.exit(f"{name} is not there")
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server of its own folder and port. As root, its processes are the account `postgres`'s or `mysql`'s, or nobody's."""

    def __init__(self, account):
        self.dir = tempfile.mkdtemp(prefix="zdm-bench-", dir=os.environ.get("BENCH_DIR"))
        self.port = free_port()
        self.become = []
        if os.getuid() == 0:
            names = {entry.pw_name for entry in pwd.getpwall()}
            user = pwd.getpwnam(account if account in names else "nobody")
            os.chown(self.dir, user.pw_uid, user.pw_gid)
            self.become = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def start(self, command):
        log = open(os.path.join(self.dir, "log"), "ab")
        self.process = subprocess.Popen([*self.become, *command], stdout=log, stderr=log, cwd=self.dir)
        for _ in range(300):
            try:
                return self.connect().close()
            except (psycopg2.OperationalError, pymysql.MySQLError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        sys.exit(f"the server does not start: see {self.dir}/log")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT if self.family == "postgres" else signal.SIGTERM)
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def sql(self, *statements, database="bench"):
        """Runs statements one by one; answers the first value of the last."""
        connection = self.connect(database)
        try:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return row and row[0]
        finally:
            connection.close()

    def cpu(self):
        """Seconds of processor time that the server has used, in all of its processes, ended ones too."""
        ticks = 0
        for stat in glob.glob("/proc/[0-9]*/stat"):
            try:
                fields = open(stat).read().rsplit(")", 1)
            except OSError:
                continue
            pid, rest = int(fields[0].split(" ", 1)[0]), fields[1].split()
            if pid == self.process.pid:
                ticks += sum(map(int, rest[11:15]))
            elif int(rest[1]) == self.process.pid:
                ticks += sum(map(int, rest[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")


class Postgres(Server):
    family, placeholder = "postgres", "postgres"

    def __init__(self):
        super().__init__("postgres")
        data = os.path.join(self.dir, "data")
        subprocess.run([*self.become, program("initdb"), "-D", data, "-U", "bench", "-A", "trust", "--no-sync"],
                       check=True, stdout=subprocess.DEVNULL, cwd=self.dir)
        settings = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.dir,
                    "shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min"}
        self.start([program("postgres"), "-D", data, *(f"-c{key}={value}" for key, value in settings.items())])
        self.url = f"postgres://bench@127.0.0.1:{self.port}/bench"

    def connect(self, database="postgres"):
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user="bench", dbname=database)
        connection.autocommit = True
        return connection

    def prepare(self, rows):
        """Makes `base`, which each trial copies: a table with a key, a text and an index."""
        self.sql("CREATE DATABASE base", database="postgres")
        self.sql("CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL, status int NOT NULL, made timestamptz NOT NULL)",
                 f"INSERT INTO users SELECT n, 'user number ' || n, n % 100, now() FROM generate_series(1, {rows}) n",
                 "CREATE INDEX users_status ON users (status)", "VACUUM ANALYZE users", database="base")

    def fresh(self):
        """A copy of `base` under the name `bench`, in memory, behind a checkpoint."""
        self.sql("DROP DATABASE IF EXISTS bench WITH (FORCE)", "CREATE DATABASE bench TEMPLATE base", database="postgres")
        self.sql("CREATE EXTENSION pg_prewarm", "SELECT pg_prewarm('users'), pg_prewarm('users_pkey'), pg_prewarm('users_status')",
                 "CHECKPOINT")

    def client(self, statement):
        return [program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", self.url, "-c", statement]

    def written(self):
        """Bytes of WAL since the server began."""
        return int(self.sql("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))

    def size(self):
        return self.sql("SELECT pg_total_relation_size('users')")

    def note(self):
        """Which share of the updated rows stayed on their pages."""
        time.sleep(1.5)
        return "HOT %.0f %%" % (self.sql("SELECT coalesce(100.0 * n_tup_hot_upd / nullif(n_tup_upd, 0), 0)"
                                         " FROM pg_stat_user_tables WHERE relname = 'users'"))

    def load(self, rate, rows, read="name", write="status"):
        change = "status = status + 1" if write == "status" else f"{write} = {write}"
        key = f"\\set id random(1, {rows})\n"
        return PgBench(self, rate, [f"{key}SELECT {read} FROM users WHERE id = :id;", f"{key}UPDATE users SET {change} WHERE id = :id;"])


class MariaDB(Server):
    family = "mariadb"

    def __init__(self):
        super().__init__("mysql")
        data = os.path.join(self.dir, "data")
        subprocess.run([*self.become, program("mariadb-install-db"), "--no-defaults", f"--datadir={data}",
                        "--auth-root-authentication-method=normal", "--skip-test-db"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.dir)
        self.start([program("mariadbd"), "--no-defaults", f"--datadir={data}", f"--port={self.port}", "--bind-address=127.0.0.1",
                    f"--socket={self.dir}/s", f"--pid-file={self.dir}/pid", "--innodb-buffer-pool-size=1G",
                    "--innodb-log-file-size=1G", "--log-bin=bin", "--binlog-format=ROW", "--server-id=1",
                    "--plugin-load-add=metadata_lock_info", "--performance-schema=on"])
        self.sql("CREATE USER bench@'127.0.0.1'", "GRANT ALL ON *.* TO bench@'127.0.0.1'", database="mysql")
        self.url = f"mariadb://bench@127.0.0.1:{self.port}/bench"

    def connect(self, database="mysql"):
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", database=database, autocommit=True)

    def prepare(self, rows):
        self.rows = rows

    def fresh(self):
        self.sql("DROP DATABASE IF EXISTS bench", "CREATE DATABASE bench CHARACTER SET utf8mb4", database="mysql")
        self.sql("CREATE TABLE users (id bigint PRIMARY KEY, name varchar(200) NOT NULL, status int NOT NULL, made datetime NOT NULL)",
                 f"INSERT INTO users SELECT seq, concat('user number ', seq), seq % 100, now() FROM seq_1_to_{self.rows}",
                 "CREATE INDEX users_status ON users (status)", "ANALYZE TABLE users")
        # What the filling has left dirty is not to be written while something else is measured.
        self.sql("SET GLOBAL innodb_max_dirty_pages_pct = 0")
        for _ in range(600):
            if self.status("Innodb_buffer_pool_pages_dirty") < 100:
                break
            time.sleep(0.1)
        self.sql("SET GLOBAL innodb_max_dirty_pages_pct = 90")

    def client(self, statement):
        return [program("mariadb"), "--no-defaults", "-h127.0.0.1", f"-P{self.port}", "-ubench", "bench", "-e", statement]

    def status(self, name):
        connection = self.connect()
        with connection.cursor() as cursor:
            cursor.execute(f"SHOW GLOBAL STATUS LIKE '{name}'")
            return int(cursor.fetchone()[1])

    def written(self):
        return self.status("Innodb_os_log_written")

    def size(self):
        return os.path.getsize(os.path.join(self.dir, "data/bench/users.ibd"))

    def note(self):
        return ""

    def load(self, rate, rows, read="name", write="status"):
        return Threads(__file__, self.port, rate, rows, read, write)


class PgBench:
    """An open loop of scripts, as many of each; a latency counts from the moment it was due."""

    def __init__(self, server, rate, scripts, clients=16, variables=()):
        self.dir = tempfile.mkdtemp(prefix="zdm-bench-load-")
        command = [program("pgbench"), "-n", "-R", str(rate), "-c", str(clients), "-j", "1", "-T", "100000", "--log",
                   "--log-prefix", os.path.join(self.dir, "log"), "-M", "prepared", *(f"-D{variable}" for variable in variables)]
        for number, text in enumerate(scripts):
            path = os.path.join(self.dir, f"script{number}")
            with open(path, "w") as file:
                file.write(text + "\n")
            command += ["-f", path]
        self.process = subprocess.Popen([*command, server.url], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def stop(self):
        """All statements: when each ended, and how long it took in milliseconds; and how many clients failed."""
        self.process.send_signal(signal.SIGINT)
        said = self.process.communicate()[1]
        rows = []
        for path in glob.glob(os.path.join(self.dir, "log.*")):
            for line in open(path):
                fields = line.split()
                if len(fields) >= 6 and fields[2].isdigit():
                    rows.append((int(fields[4]) + int(fields[5]) / 1e6, int(fields[2]) / 1e3))
        shutil.rmtree(self.dir)
        return rows, len(re.findall(r"aborted|ERROR", said))


class Threads:
    """The same for MariaDB, in a process of its own, so that the benchmark's own work does not stop it: it runs `paced`."""

    def __init__(self, script, *arguments):
        command = [sys.executable, os.path.abspath(script), "load", *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)

    def stop(self):
        lines = self.process.communicate("stop\n")[0].split("\n")
        failed = int(lines[0])
        return [tuple(map(float, line.split())) for line in lines[1:] if line], failed


def paced(port, rate, clients, statement):
    """Runs `statement(client, turn)` at a rate until a line comes in, and prints what `Threads` reads."""
    done, failed, begun, ending = [], [0], time.time(), threading.Event()

    def work(number):
        connection = pymysql.connect(host="127.0.0.1", port=port, user="bench", database="bench", autocommit=True)
        cursor, turn = connection.cursor(), 0
        while not ending.is_set():
            due = begun + (turn * clients + number) / rate
            time.sleep(max(0, due - time.time()))
            try:
                cursor.execute(statement(number, turn))
                cursor.fetchall()
            except pymysql.MySQLError as error:
                failed[0] += 1
                print(error, file=sys.stderr)
            now = time.time()
            done.append((now, 1000 * (now - due)))
            turn += 1

    workers = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(clients)]
    for worker in workers:
        worker.start()
    sys.stdin.readline()
    ending.set()
    for worker in workers:
        worker.join(20)
    print(failed[0])
    for when, took in done:
        print(f"{when:.6f} {took:.3f}")


def latencies(rows, begin, end):
    """How those that ended in a span of time have fared: count, p50, p99, maximum in ms, and how many took over 100 ms."""
    took = sorted(ms for when, ms in rows if begin <= when <= end)
    if not took:
        return 0, 0.0, 0.0, 0.0, 0
    return len(took), took[len(took) // 2], took[int(len(took) * 0.99)], took[-1], sum(ms > 100 for ms in took)


class Project:
    """A folder with zdm.toml and one migration, against a server's database `bench`."""

    def __init__(self, server, files):
        self.dir = tempfile.mkdtemp(prefix="zdm-bench-project-")
        self.server = server
        # A role that nobody has: sessions are all the evidence that the gate needs, and there are none.
        toml = '[services.api]\nroles = ["api"]\nevidence = "sessions"\n[gate]\nsoak = "0s"\nignore_roles = ["bench", "root"]\n'
        for name, text in {"zdm.toml": toml, **{f"migrations/0001_bench/{name}": text for name, text in files.items()}}.items():
            path = os.path.join(self.dir, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)

    def command(self, *arguments):
        return [ZDM, "--database-url", self.server.url, "--config", os.path.join(self.dir, "zdm.toml"), *arguments]

    def run(self, *arguments):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"zdm {' '.join(arguments)} ended with {done.returncode}: {done.stderr}{done.stdout}")

    def remove(self):
        shutil.rmtree(self.dir)


RENAME = '[[operation]]\nkind = "rename_column"\ntable = "users"\nfrom = "name"\nto = "display_name"\n[contract]\ntolerated_by = ["api"]\n'


def servers():
    """Those that the environment's ENGINE asks for: postgres, mariadb or, without it, both."""
    wanted = os.environ.get("ENGINE", "postgres mariadb").split()
    return [kind for kind in (Postgres, MariaDB) if kind.family in wanted]


def machine():
    load = " ".join(open("/proc/loadavg").read().split()[:2])
    return f"{os.cpu_count()} processors, load {load}, {ROWS:,} rows"


def read_or_write(rows, read, write, turn):
    """Point reads and point updates in turn."""
    key = random.randint(1, rows)
    if turn % 2:
        return f"UPDATE users SET {write} = {write} + 1 WHERE id = {key}"
    return f"SELECT {read} FROM users WHERE id = {key}"


if __name__ == "__main__":
    _, _, port, rate, rows, read, write = sys.argv
    paced(int(port), float(rate), 12, lambda _client, turn: read_or_write(int(rows), read, write, turn))
