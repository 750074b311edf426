#!/usr/bin/env python3
"""The faults F1 to F15 of other expand/contract engines, run on their binaries: tests/it/faults_of_peers.rs runs them on zdm.

    PGROLL=path RESHAPE=path benches/peers.py [F1 F7 ...]

Each case makes a database of its own on a throwaway PostgreSQL, does what the fault needs, and says what happened. They were
found with pgroll at cdbe9b0f and reshape 0.11.2; a newer one may have mended some. benches/lab.py says what is needed.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

import lab

ROWS = 300_000
CASES = []


def case(name, tool):
    def add(function):
        if os.environ.get(tool.upper()):
            CASES.append((name, tool, function))
        return function

    return add


class Tool:
    """A peer's command line against the server's database, with a folder of migrations."""

    def __init__(self, tool, server):
        self.tool, self.server, self.dir = tool, server, tempfile.mkdtemp(prefix="zdm-peers-")
        self.binary = os.environ[tool.upper()]
        if tool == "pgroll":
            self.done("init")
            self.done("baseline", "00_base", self.dir, "--yes")

    def file(self, name, text):
        with open(os.path.join(self.dir, name), "w") as file:
            file.write(text)
        return os.path.join(self.dir, name)

    def command(self, *words):
        if self.tool == "pgroll":
            return [self.binary, "--postgres-url", self.server.url + "?sslmode=disable", *words]
        return [self.binary, "migration", *words, "--url", self.server.url, "--dirs", self.dir]

    def run(self, *words):
        return self.start(*words).end()

    def start(self, *words):
        return Running(self.command(*words))

    def done(self, *words):
        code, said = self.run(*words)
        if code:
            sys.exit(f"{self.tool} {' '.join(words)} ended with {code}: {said}")


class Running:
    def __init__(self, command):
        quiet = {**os.environ, "RUST_BACKTRACE": "0"}
        self.begun = time.monotonic()
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=quiet)

    def after(self, seconds, sent):
        time.sleep(seconds)
        self.child.send_signal(sent)
        return self

    def end(self):
        said = self.child.communicate()[0]
        self.took = time.monotonic() - self.begun
        return self.child.returncode, said.strip().splitlines()[-1:] or [""]


class Holder:
    """A session that runs a statement in a transaction, which stays open for some seconds, or until it is let go."""

    def __init__(self, server, statement, seconds=None):
        self.connection = server.connect("bench")
        self.connection.cursor().execute("BEGIN")
        self.connection.cursor().execute(statement)
        if seconds:
            threading.Timer(seconds, self.release).start()

    def release(self):
        self.connection.close()


def users(server, key="bigint PRIMARY KEY", rows=ROWS):
    server.sql(f"CREATE TABLE users (id {key}, name text NOT NULL)",
               f"INSERT INTO users (name) SELECT 'n' || n FROM generate_series(1, {rows}) n" if "GENERATED" in key else
               f"INSERT INTO users SELECT n, 'n' || n FROM generate_series(1, {rows}) n", "VACUUM ANALYZE users")


PGROLL_TYPE = ("operations:\n  - alter_column:\n      table: users\n      column: name\n      type: varchar(200)\n"
               "      up: name\n      down: name\n")
PGROLL_ADD = ("operations:\n  - add_column:\n      table: users\n      up: \"{up}\"\n"
              "      column: {{ name: display, type: text, nullable: true }}\n")
PGROLL_INDEX = "operations:\n  - create_index:\n      table: users\n      name: users_name\n      columns: { name: {} }\n"
RESHAPE_ADD = ('[[actions]]\ntype = "add_column"\ntable = "users"\nup = "upper(name)"\n'
               '[actions.column]\nname = "display"\ntype = "TEXT"\n')
RESHAPE_INDEX = '[[actions]]\ntype = "add_index"\ntable = "users"\n[actions.index]\nname = "users_name"\ncolumns = ["name"]\n'


def lost(server, column="name"):
    return server.sql(f"SELECT count(*) FROM users WHERE {column} IS NULL")


@case("F1", "pgroll")
def complete_after_kill(tool, server):
    users(server)
    tool.start("start", tool.file("01_type.yaml", PGROLL_TYPE)).after(1, signal.SIGKILL).end()
    code, _ = tool.run("complete")
    gone = lost(server)
    return gone > 0, f"complete ended with {code}; {gone} of {ROWS} names are lost"


@case("F2", "pgroll")
def complete_beside_start(tool, server):
    users(server)
    start = tool.start("start", tool.file("01_type.yaml", PGROLL_TYPE))
    time.sleep(1)
    code, _ = tool.run("complete")
    start.end()
    gone = lost(server)
    return gone > 0, f"complete beside start ended with {code}; {gone} of {ROWS} names are lost"


@case("F3", "pgroll")
def mistake_in_up(tool, server):
    users(server, rows=3000)
    first, _ = tool.run("start", tool.file("01_display.yaml", PGROLL_ADD.format(up="upper(name")))
    second, _ = tool.run("complete")
    if first or second:
        return False, f"start ended with {first}, complete with {second}"
    return True, f"start and complete ended with 0; {lost(server, 'display')} of 3000 rows are NULL"


@case("F4", "pgroll")
def stall_of_a_reader(tool, server):
    users(server, rows=3000)
    path = tool.file("01_drop.yaml", "operations:\n  - drop_column:\n      table: users\n      column: name\n      down: \"'x'\"\n")
    Holder(server, "SELECT count(*) FROM users", 8)
    running, worst, end = tool.start("start", path), 0, time.monotonic() + 9
    while time.monotonic() < end:
        begun = time.monotonic()
        server.sql("SELECT count(*) FROM users")
        worst = max(worst, time.monotonic() - begun)
        time.sleep(0.05)
    running.end()
    return worst > 1, f"a plain SELECT waited {worst:.1f} s"


@case("F5", "pgroll")
def lock_at_the_first_batch(tool, server):
    users(server, rows=3000)
    Holder(server, "SELECT * FROM users WHERE id = 5 FOR UPDATE", 6)
    code, said = tool.run("start", tool.file("01_display.yaml", PGROLL_ADD.format(up="upper(name)")))
    return code != 0, f"start ended with {code}: {said[0][:100]}"


@case("F6", "pgroll")
def generated_key(tool, server):
    users(server, key="bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", rows=3000)
    code, said = tool.run("start", tool.file("01_display.yaml", PGROLL_ADD.format(up="upper(name)")))
    return code != 0, f"start ended with {code}: {said[0][:100]}"


@case("F7", "reshape")
def complete_again_after_a_lock(tool, server):
    actions = ""
    for table in "abc":
        server.sql(f"CREATE TABLE {table} (id bigint PRIMARY KEY, x text)")
        actions += f'[[actions]]\ntype = "alter_column"\ntable = "{table}"\ncolumn = "x"\n[actions.changes]\nname = "y"\n'
    tool.file("1_rename.toml", actions)
    tool.done("start")
    holder = Holder(server, "SELECT * FROM b")
    first, _ = tool.run("complete")
    holder.release()
    second, _ = tool.run("complete")
    left = server.sql("SELECT string_agg(table_name, ', ') FROM information_schema.columns"
                      " WHERE table_schema = 'public' AND table_name IN ('a', 'b', 'c') AND column_name = 'x'")
    return second == 0 and left is not None, f"complete ended with {first}, again with {second}; not renamed: {left}"


def concurrent_index(tool, server, *start):
    users(server, rows=3000)
    server.sql("CREATE TABLE other (id int)")
    Holder(server, "SELECT count(*) FROM other", 15)
    # An old snapshot holds up the end of a build, on whatever table it was taken.
    code, said = tool.run(*start)
    left = server.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
    return code != 0, f"start ended with {code} ({left} invalid indexes are left): {said[0][:100]}"


@case("F8", "reshape")
def reshape_index(tool, server):
    tool.file("1_index.toml", RESHAPE_INDEX)
    return concurrent_index(tool, server, "start")


@case("F8", "pgroll")
def pgroll_index(tool, server):
    return concurrent_index(tool, server, "start", tool.file("01_index.yaml", PGROLL_INDEX))


def two_schemas(server, version):
    server.sql(f"SET search_path = {version}, public", "UPDATE users SET display = 'given' WHERE id = 1")
    kept = server.sql(f"SET search_path = {version}", "SELECT display FROM users WHERE id = 1")
    return kept != "given", f"the new client wrote 'given', and reads {kept!r}"


def both_ways(tool):
    tool.file("1_display.toml", '[[actions]]\ntype = "alter_column"\ntable = "users"\ncolumn = "name"\nup = "upper(name)"\n'
              'down = "lower(display)"\n[actions.changes]\nname = "display"\n')


@case("F9", "reshape")
def reshape_search_path(tool, server):
    users(server, rows=100)
    both_ways(tool)
    tool.done("start")
    return two_schemas(server, "migration_1_display")


@case("F10", "reshape")
def complete_under_an_old_client(tool, server):
    users(server, rows=100)
    tool.file("1_display.toml", RESHAPE_ADD)
    tool.done("start", "--complete")
    old = server.connect("bench").cursor()
    old.execute("SET search_path = migration_1_display")
    old.execute("SELECT display FROM users LIMIT 1")
    tool.file("2_more.toml", RESHAPE_ADD.replace("display", "more"))
    tool.done("start")
    code, _ = tool.run("complete")
    try:
        old.execute("SELECT display FROM users LIMIT 1")
        return False, f"complete ended with {code}; the old client goes on"
    except lab.psycopg2.Error as error:
        return code == 0, f"complete ended with {code}; the old client's next query: {str(error).splitlines()[0]}"


@case("F11", "reshape")
def rights_of_an_application(tool, server):
    users(server, rows=100)
    server.sql("DROP ROLE IF EXISTS app", "CREATE ROLE app", "GRANT SELECT ON users TO app")
    tool.file("1_display.toml", RESHAPE_ADD)
    tool.done("start")
    try:
        server.sql("SET ROLE app", "SET search_path = migration_1_display", "SELECT count(*) FROM users")
        return False, "a role with SELECT on the table reads it"
    except lab.psycopg2.Error as error:
        return True, f"a role with SELECT on the table: {str(error).splitlines()[0]}"
    finally:
        server.sql("DROP OWNED BY app", "DROP ROLE app")


@case("F12", "reshape")
def row_security(tool, server):
    users(server, rows=10)
    server.sql("DROP ROLE IF EXISTS app", "CREATE ROLE app", "GRANT SELECT ON users TO app",
               "ALTER TABLE users ENABLE ROW LEVEL SECURITY", "CREATE POLICY one ON users USING (id = 1)")
    tool.file("1_display.toml", RESHAPE_ADD)
    tool.done("start")
    server.sql("GRANT USAGE ON SCHEMA migration_1_display TO app", "GRANT SELECT ON migration_1_display.users TO app")
    seen = server.sql("SET ROLE app", "SELECT count(*) FROM migration_1_display.users")
    server.sql("DROP OWNED BY app", "DROP ROLE app")
    return seen != 1, f"of the one row that its policy allows, a role sees {seen}"


@case("F13", "reshape")
def start_twice(tool, server):
    users(server, rows=100)
    tool.file("1_display.toml", RESHAPE_ADD)
    tool.done("start")
    tool.file("2_more.toml", RESHAPE_ADD.replace("display", "more"))
    code, said = tool.run("start")
    there = server.sql("SELECT count(*) FROM information_schema.columns WHERE table_name = 'users' AND column_name LIKE '%more%'")
    return code == 0 and not there, f"start while one is in progress ended with {code}, and did nothing"


def leftovers(server):
    triggers = server.sql("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal")
    columns = server.sql("SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'users'")
    return f"{triggers} triggers and {columns - 2} more columns are left"


@case("F14", "reshape")
def sigterm(tool, server):
    users(server)
    tool.file("1_display.toml", RESHAPE_ADD)
    code, _ = tool.start("start").after(1, signal.SIGTERM).end()
    again, _ = tool.run("start")
    time.sleep(1.5)
    touched = server.sql("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'users'")
    return code != 0, f"start ended with {code}; {leftovers(server)}; again: {again}, {touched} rows written for {ROWS}"


@case("F15", "reshape")
def sessions_end(tool, server):
    users(server)
    tool.file("1_display.toml", RESHAPE_ADD)
    running = tool.start("start")
    time.sleep(1)
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'bench' AND pid <> pg_backend_pid()")
    code, said = running.end()
    return code != 0, f"start ended with {code}; {leftovers(server)}: {said[0][:80]}"


def main():
    wanted = sys.argv[1:]
    if not CASES:
        sys.exit(__doc__)
    with lab.Postgres() as server:
        print("| fault | tool | happened | what was seen |\n|---|---|---|---|")
        for name, tool, function in CASES:
            if wanted and name not in wanted:
                continue
            server.sql("DROP DATABASE IF EXISTS bench WITH (FORCE)", "CREATE DATABASE bench", database="postgres")
            happened, seen = function(Tool(tool, server), server)
            print(f"| {name} | {tool} | {'yes' if happened else 'no'} | {seen} |", flush=True)


main()
