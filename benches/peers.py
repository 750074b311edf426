#!/usr/bin/env python3
"""The faults F1 to F15 of other engines that expand and contract: whether they happen to their binaries.

    PGROLL=path RESHAPE=path benches/peers.py [F1 F7 ...]

Each case takes a new database of a throwaway PostgreSQL, does to the tool what the fault needs, and says what was seen; one
line a case, one column a tool. Faults were found with pgroll 0.16.2 (cdbe9b0f) and reshape 0.11.2; a newer one may have mended
some. The same cases on zdm are tests/it/faults_of_peers.rs. ROWS is the size of the table where something must happen in the
midst of a backfill (default 300000). benches/lab.py says what is needed.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time

import engines
import lab

ROWS = int(os.environ.get("ROWS", "300000"))
FEW = 3000
# Longer than any of these waits for a lock before it gives up; what still waits then, waits for as long as it must.
PATIENCE = 60


class Running:
    def __init__(self, command):
        quiet = {**os.environ, "RUST_BACKTRACE": "0"}
        self.begun = time.monotonic()
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                                      env=quiet, start_new_session=True)

    def ended(self):
        return self.child.poll() is not None

    def end(self, seconds=600):
        """Its exit code, as a shell says it, and its last words."""
        try:
            said = self.child.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            self.child.kill()
            said = self.child.communicate()[0]
            sys.exit(f"{self.child.args} did not end: {said}")
        self.took = time.monotonic() - self.begun
        code = self.child.returncode
        self.code, self.said = code if code >= 0 else 128 - code, said.strip()
        return self

    def __str__(self):
        why = self.code > 0 and self.error()
        return f"ends with {self.code}" + (f" ({why})" if why else "")

    def error(self):
        """The last line that speaks of an error."""
        lines = re.sub(r"\x1b\[[0-9;]*m", "", self.said).splitlines()
        text = next((line.strip() for line in reversed(lines) if re.search("error|failed", line, re.IGNORECASE)), "")
        return text if len(text) < 160 else text[:160] + "..."


def run(command):
    return Running(command).end()


class Holder:
    """A session that has done something in a transaction, and leaves that open for some seconds, or until it is let go."""

    def __init__(self, server, statement, seconds=None, begin="BEGIN"):
        self.connection = server.connect("bench")
        self.connection.cursor().execute(begin)
        self.connection.cursor().execute(statement)
        if seconds:
            threading.Timer(seconds, self.release).start()

    def release(self):
        if not self.connection.closed:
            self.connection.close()


def users(server, rows=FEW, key="bigint PRIMARY KEY"):
    server.sql(f"CREATE TABLE users (id {key}, name text)",
               f"INSERT INTO users (id, name) OVERRIDING SYSTEM VALUE SELECT n, 'n' || n FROM generate_series(1, {rows}) n",
               "VACUUM ANALYZE users")


def until(what, holds):
    end = time.monotonic() + 300
    while not holds():
        if time.monotonic() > end:
            sys.exit(f"{what}: waited in vain")
        time.sleep(0.01)


def filled(server):
    """How many rows have a value in the column that the tool has added."""
    column = server.sql("SELECT quote_ident(column_name) FROM information_schema.columns WHERE table_schema = 'public' AND table_name"
                        " = 'users' AND column_name NOT IN ('id', 'name', '_pgroll_needs_backfill')")
    return server.sql(f"SELECT count(*) FROM users WHERE {column} IS NOT NULL") if column else 0


def partly_filled(server, running):
    until("the first quarter of the rows", lambda: running.ended() or filled(server) > ROWS / 4)


def gone(server):
    """Waits until the server, too, has noticed that a program is gone."""
    until("the end of all sessions", lambda: not server.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = 'bench' AND pid <> pg_backend_pid()"))


def lost(server):
    """How many rows no longer have their name in any column."""
    return server.sql("SELECT count(*) FROM users WHERE NOT EXISTS"
                      " (SELECT FROM jsonb_each_text(to_jsonb(users)) WHERE value = 'n' || id)")


def written(server):
    return server.sql("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'users'")


def complete_after_kill(server, peer):
    users(server, ROWS)
    peer.change("1_type", "name", "name")
    start = Running(peer.start())
    partly_filled(server, start)
    start.child.kill()
    start.end()
    gone(server)
    complete = run(peer.complete())
    names = lost(server)
    return names > 0, f"complete {complete}; {names:,} of {ROWS:,} names are lost"


def complete_beside_start(server, peer):
    users(server, ROWS)
    peer.change("1_type", "name", "name")
    start = Running(peer.start())
    partly_filled(server, start)
    complete = run(peer.complete())
    start.end()
    names = lost(server)
    return names > 0, f"complete {complete}, start {start}; {names:,} of {ROWS:,} names are lost"


def mistake_in_up(server, peer):
    users(server)
    peer.column("1_display", "display", "upper(name")
    start = run(peer.start())
    if start.code:
        return False, f"start {start}"
    complete = run(peer.complete())
    empty = server.sql("SELECT count(*) FROM users WHERE display IS NULL")
    return empty > 0, f"start ends with {start.code}, complete with {complete.code}; {empty:,} of {FEW:,} rows are NULL"


def others_wait(server, peer):
    users(server)
    peer.drop("1_drop")
    reader, worst = server.connect("bench").cursor(), 0
    holder = Holder(server, "SELECT count(*) FROM users", 8)
    start = Running(peer.start())
    while not (start.ended() and holder.connection.closed):
        begun = time.monotonic()
        reader.execute("SELECT count(*) FROM users")
        worst = max(worst, time.monotonic() - begun)
        time.sleep(0.02)
    reader.connection.close()
    return worst > 2, f"a plain SELECT waits {worst:.1f} s; start ends with {start.end().code}"


def lock_at_the_first_batch(server, peer):
    users(server)
    # Nothing but the backfill meets this lock: the table is free for the tool's DDL.
    server.sql("CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS"
               " 'BEGIN IF NEW.id = 5 THEN PERFORM pg_advisory_xact_lock(1); END IF; RETURN NEW; END'",
               "CREATE TRIGGER a_hold BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION hold()")
    peer.column("1_display", "display", "upper(name)")
    Holder(server, "SELECT pg_advisory_xact_lock(1)", 6)
    start = run(peer.start())
    return start.code != 0, f"start {start}"


def generated_key(server, peer):
    users(server, key="bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
    peer.column("1_display", "display", "upper(name)")
    start = run(peer.start())
    return start.code != 0, f"start {start}"


def complete_behind_a_lock(server, peer):
    for table in "abc":
        server.sql(f"CREATE TABLE {table} (id bigint PRIMARY KEY, x text)")
    peer.rename("1_rename", "abc")
    start = run(peer.start())
    holder = Holder(server, "SELECT * FROM b", PATIENCE)
    first = run(peer.complete())
    waited = holder.connection.closed
    holder.release()
    seen = f"complete ends with {first.code} after {first.took:.0f} s" + (", once the lock is gone" if waited else "")
    if first.code:
        second = run(peer.complete())
        seen += f", run again with {second.code}"
    left = server.sql("SELECT string_agg(table_name, ', ' ORDER BY table_name) FROM information_schema.columns"
                      " WHERE table_schema = 'public' AND table_name IN ('a', 'b', 'c') AND column_name = 'x'")
    succeeded = start.code == 0 and 0 in (first.code, first.code and second.code)
    return succeeded and left is not None, f"{seen}; not renamed: {left or 'none'}"


def index_beside_a_transaction(server, peer):
    users(server)
    server.sql("CREATE TABLE other (id int)")
    peer.index("1_index")
    # CREATE INDEX CONCURRENTLY waits for each older snapshot, of whatever table.
    holder = Holder(server, "SELECT count(*) FROM other", PATIENCE, "BEGIN ISOLATION LEVEL REPEATABLE READ")
    start = run(peer.start())
    waited = holder.connection.closed
    holder.release()
    if start.code == 0:
        return False, f"start ends with 0 after {start.took:.0f} s" + (", once the transaction has ended" if waited else "")
    invalid = server.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid")
    return True, f"after {start.took:.0f} s start {start}; invalid indexes left: {invalid}"


def search_path(server, peer):
    users(server)
    peer.change("1_upper", "upper(name)", "lower(name)").started()
    version = peer.view()
    kept = []
    for number, path in enumerate((version, f"{version}, public"), 1):
        server.sql(f"SET search_path = {path}", f"UPDATE users SET name = 'Given' WHERE id = {number}")
        kept.append(server.sql(f"SET search_path = {version}", f"SELECT name FROM users WHERE id = {number}"))
    if kept[0] != "Given":
        sys.exit(f"{peer.name}: a client with the new version alone reads {kept[0]}")
    return kept[1] != "Given", f"a new client writes 'Given' and reads '{kept[1]}'"


def complete_under_an_old_client(server, peer):
    users(server)
    peer.column("1_display", "display", "upper(name)").started()
    peer.done(peer.complete())
    old = server.connect("bench").cursor()
    old.execute(f"SET search_path = {peer.view()}")
    old.execute("SELECT display FROM users LIMIT 1")
    peer.column("2_more", "more", "upper(name)").started()
    complete = run(peer.complete())
    try:
        old.execute("SELECT display FROM users LIMIT 1")
        return False, f"complete ends with {complete.code}; the old client goes on"
    except lab.psycopg2.Error as error:
        return complete.code == 0, f"complete ends with {complete.code}; the old client's next query: {str(error).splitlines()[0]}"
    finally:
        old.connection.close()


def rights(server, peer):
    users(server)
    server.sql("GRANT SELECT ON users TO app")
    peer.column("1_display", "display", "upper(name)").started()
    try:
        server.sql("SET ROLE app", f"SELECT count(*) FROM {peer.view()}.users")
        return False, "a role with SELECT on the table reads the new version"
    except lab.psycopg2.Error as error:
        return True, f"a role with SELECT on the table reads the new version: {str(error).splitlines()[0]}"


def row_security(server, peer):
    users(server, 10)
    server.sql("GRANT SELECT ON users TO app", "ALTER TABLE users ENABLE ROW LEVEL SECURITY", "CREATE POLICY one ON users USING (id = 1)")
    peer.column("1_display", "display", "upper(name)").started()
    version = peer.view()
    server.sql(f"GRANT USAGE ON SCHEMA {version} TO app", f"GRANT SELECT ON {version}.users TO app")
    before = server.sql("SET ROLE app", "SELECT count(*) FROM public.users")
    seen = server.sql("SET ROLE app", f"SELECT count(*) FROM {version}.users")
    return seen != before, f"of 10 rows a role sees {before} in the table, {seen} in the new version"


def nothing_done(server, peer):
    users(server)
    codes = []
    if peer.name == "pgroll":
        peer.init()
        peer.column("1_display", "display", "upper(name)")
        codes.append(("start before baseline", run(peer.start()).code))
        peer.baseline()
    peer.column("1_display", "display", "upper(name)").started()
    peer.column("2_more", "more", "upper(name)")
    codes.append(("start while one is in progress", run(peer.start()).code))
    if peer.name == "pgroll":
        codes.append(("migrate while one is in progress", run(peer.command("migrate", peer.folder)).code))
    if server.sql("SELECT count(*) FROM information_schema.columns WHERE table_name = 'users' AND column_name LIKE '%more%'"):
        sys.exit(f"{peer.name}: the second migration is applied")
    return any(code == 0 for _, code in codes), "; ".join(f"{what} ends with {code}" for what, code in codes) + "; nothing is done"


def sigterm(server, peer):
    users(server, ROWS)
    peer.column("1_display", "display", "upper(name)")
    start = Running(peer.start())
    partly_filled(server, start)
    start.child.send_signal(signal.SIGTERM)
    start.end()
    gone(server)
    rows, before = filled(server), written(server)
    again = run(peer.start())
    gone(server)
    more = written(server) - before
    seen = f"start ends with {start.code}, {rows:,} of {ROWS:,} rows are filled; run again it {again}, and writes {more:,} rows"
    if again.code == 0:
        return more > 1.1 * (ROWS - rows), seen
    complete = run(peer.complete())
    seen += f"; complete {complete}"
    if complete.code == 0:
        seen += f", and {server.sql('SELECT count(*) FROM users WHERE display IS NULL'):,} rows are NULL"
    return True, seen


def sessions_end(server, peer):
    users(server, ROWS)
    peer.column("1_display", "display", "upper(name)")
    start = Running(peer.start())
    partly_filled(server, start)
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'bench' AND pid <> pg_backend_pid()")
    start.end()
    gone(server)
    rows, before = filled(server), written(server)
    again = run(peer.start())
    gone(server)
    return start.code != 0, (f"start {start}, {rows:,} of {ROWS:,} rows are filled;"
                             f" run again it {again}, and writes {written(server) - before:,} rows")


CASES = {
    "F1": ("complete after start was killed in its backfill", complete_after_kill),
    "F2": ("complete while start is in its backfill", complete_beside_start),
    "F3": ("a syntax error in `up`", mistake_in_up),
    "F4": ("a column is dropped, a transaction that has read the table is open for 8 s", others_wait),
    "F5": ("the first batch waits for a lock, for 6 s", lock_at_the_first_batch),
    "F6": ("a backfill of a table whose key is GENERATED ALWAYS AS IDENTITY", generated_key),
    "F7": (f"complete of three renames, the second table is locked for up to {PATIENCE} s", complete_behind_a_lock),
    "F8": (f"an index is made, another transaction is open for up to {PATIENCE} s", index_beside_a_transaction),
    "F9": ("`search_path` has the new version and `public`", search_path),
    "F10": ("complete while a client of the old version is connected", complete_under_an_old_client),
    "F11": ("the application is not the owner of the table", rights),
    "F12": ("row security shows the application one row", row_security),
    "F13": ("a command that cannot do its work", nothing_done),
    "F14": ("SIGTERM in the backfill", sigterm),
    "F15": ("the server ends all sessions in the backfill", sessions_end),
}


def main():
    wanted = sys.argv[1:] or list(CASES)
    if not set(wanted) <= set(CASES):
        sys.exit(__doc__)
    with lab.Postgres() as server:
        kinds = engines.engines(server)
        if not kinds:
            sys.exit(__doc__)
        server.sql("CREATE ROLE app", database="postgres")
        versions = [subprocess.check_output([os.environ[kind.name.upper()], "--version"], text=True).strip() for kind in kinds]
        print(f"PostgreSQL {server.sql('SHOW server_version', database='postgres')}; {'; '.join(versions)}\n")
        print(f"| | what is done | {' | '.join(kind.name for kind in kinds)} |\n|---|---|{'---|' * len(kinds)}")
        for name in wanted:
            title, function = CASES[name]
            cells = []
            for kind in kinds:
                server.sql("DROP DATABASE IF EXISTS bench WITH (FORCE)", "CREATE DATABASE bench", database="postgres")
                peer = kind(server)
                try:
                    happened, seen = function(server, peer)
                finally:
                    peer.remove()
                cells.append(f"{'yes' if happened else 'no'}: {seen}".replace("|", "\\|"))
            print(f"| {name} | {title} | {' | '.join(cells)} |", flush=True)


main()
