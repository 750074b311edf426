#!/usr/bin/env python3
"""What many instances cost that report, and how long a gate takes to decide about them.

10,000 instances (INSTANCES) renew their leases every 15 s (EVERY) by the function that applications call, over 16 connections:
667 renewals a second. In turn with it, as control, the same rate of `SELECT 1`. Then, beside the renewals, gates look: when
every instance tolerates the migration, and when half of them do not.

    benches/gate.py            60 s of each, PostgreSQL and MariaDB
    SECONDS=5 benches/gate.py  a short one
    ENGINE=postgres INSTANCES=1000 ZDM=target/debug/zdm benches/gate.py
"""

import json
import os
import subprocess
import sys
import time

from lab import PgBench, Postgres, Project, Threads, latencies, machine, paced, servers

INSTANCES = int(os.environ.get("INSTANCES", "10000"))
EVERY = float(os.environ.get("EVERY", "15"))
SECONDS = float(os.environ.get("SECONDS", "60"))
CLIENTS = 16
SHARE = -(-INSTANCES // CLIENTS)
RATE = INSTANCES / EVERY
TOML = '[services.api]\nttl = "60s"\n[gate]\nsoak = "0s"\n'


def own_lease(text, client, turn):
    """Each client has a share of the leases, which it renews in turn."""
    return text.replace(":lease", str(client * SHARE + turn % SHARE + 1))


class Bench:
    """A server with the state of zdm, and a lease for each instance."""

    def __init__(self, server):
        self.server = server
        self.is_postgres = isinstance(server, Postgres)
        if self.is_postgres:
            server.sql("CREATE DATABASE bench", database="postgres")
        else:
            server.sql("CREATE DATABASE bench CHARACTER SET utf8mb4", database="mysql")
        server.sql("CREATE TABLE users (id bigint PRIMARY KEY, status int)")
        self.project = Project(server, {"contract.sql": "ALTER TABLE users DROP COLUMN status;\n"})
        with open(os.path.join(self.project.dir, "zdm.toml"), "w") as file:
            file.write(TOML)
        self.project.run("expand")
        self.leases = "zdm.lease" if self.is_postgres else "zdm_lease"
        numbers = f"generate_series(1, {CLIENTS * SHARE}) n" if self.is_postgres else f"(SELECT seq AS n FROM seq_1_to_{CLIENTS * SHARE}) n"
        now = "clock_timestamp()" if self.is_postgres else "UTC_TIMESTAMP(6)"
        columns = "id, service, version, instance, tolerates, needs, ending, ttl_ms, beat, joined_at, seen_at"
        server.sql(f"INSERT INTO {self.leases} ({columns}) {'OVERRIDING SYSTEM VALUE' if self.is_postgres else ''} SELECT n, 'api', '42', concat('web-', n), '0001_bench', '', 'suspends',"
                   f" 60000, 0, {now}, {now} FROM {numbers}")
        if self.is_postgres:
            server.sql("VACUUM ANALYZE zdm.lease")

    def load(self, text):
        if not self.is_postgres:
            return Threads(__file__, self.server.port, text)
        turns = f"\\set turn (:turn + 1) % {SHARE}\n\\set lease :client_id * {SHARE} + :turn + 1\n"
        return PgBench(self.server, RATE, [turns + text], CLIENTS, ["turn=0"])

    def renew(self):
        # What an instance holds is its lease's number times 2^20, and a mark.
        return "SELECT * FROM zdm.renew_v1(:lease * 1048576::bigint);" if self.is_postgres else "CALL zdm_renew_v1(:lease * 1048576)"

    def figures(self):
        """What grows."""
        if not self.is_postgres:
            return {"log bytes": self.server.status("Innodb_os_log_written"),
                    "history list": self.server.status("Innodb_history_list_length")}
        live = "FROM pg_stat_user_tables WHERE schemaname = 'zdm' AND relname = 'lease'"
        self.server.sql("SELECT pg_stat_force_next_flush()") if self.version() >= 15 else None
        return {"WAL bytes": self.server.written(),
                "multixacts": self.server.sql("SELECT mxid_age(datminmxid) FROM pg_database WHERE datname = 'bench'"),
                "updates": self.server.sql(f"SELECT n_tup_upd {live}"), "HOT updates": self.server.sql(f"SELECT n_tup_hot_upd {live}"),
                "dead rows": self.server.sql(f"SELECT n_dead_tup {live}"),
                "table bytes": self.server.sql("SELECT pg_total_relation_size('zdm.lease')")}

    def version(self):
        return int(self.server.sql("SHOW server_version_num")) // 10000

    def span(self, name, text, beside=lambda: None):
        """Runs a load for a while; prints its latencies and what has grown."""
        before, cpu, load = self.figures(), self.server.cpu(), self.load(text)
        time.sleep(1)
        begin = time.time()
        beside()
        time.sleep(max(0, begin + SECONDS - time.time()))
        end = time.time()
        rows, failed = load.stop()
        time.sleep(1.5)
        after = self.figures()
        count, p50, p99, worst, _ = latencies(rows, begin, end)
        grown = ", ".join(f"{what} {after[what] - before[what]:+,}" for what in before)
        print(f"  {name:22} {count / (end - begin):5.0f}/s  p50 {p50:6.2f} ms  p99 {p99:6.2f} ms  max {worst:7.1f} ms  {failed} failed  "
              f"processor {(self.server.cpu() - cpu) / (end - begin):5.1%}  {grown}", flush=True)

    def gate(self, expected, words):
        took = []
        for _ in range(5):
            begin = time.time()
            done = subprocess.run(self.project.command("gate", "1", "--format", "json"), capture_output=True, text=True)
            took.append(time.time() - begin)
            if done.returncode != expected:
                sys.exit(f"zdm gate ended with {done.returncode}: {done.stderr}{done.stdout}")
        reasons = sum(len(source.get("reasons", [])) for source in json.loads(done.stdout)["sources"])
        took.sort()
        print(f"  zdm gate, {words}: {took[2]:.2f} s, at worst {took[-1]:.2f} s ({reasons} reasons)", flush=True)


def main():
    print(f"{machine()}; {INSTANCES:,} instances, a renewal each {EVERY:g} s, {SECONDS:g} s a load")
    for kind in servers():
        with kind() as server:
            print(kind.family)
            bench = Bench(server)
            bench.span("SELECT 1", "SELECT 1;" if bench.is_postgres else "SELECT 1")
            bench.span("renewals", bench.renew())
            bench.span("renewals, gates look", bench.renew(), lambda: bench.gate(0, "everybody tolerates"))
            server.sql(f"UPDATE {bench.leases} SET tolerates = '' WHERE id % 2 = 0")
            bench.span("renewals, half are old", bench.renew(), lambda: bench.gate(4, "half do not tolerate"))
            bench.project.remove()


if __name__ == "__main__":
    if sys.argv[1:2] == ["load"]:
        paced(int(sys.argv[2]), RATE, CLIENTS, lambda client, turn: own_lease(sys.argv[3], client, turn))
    else:
        main()
