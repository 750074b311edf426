#!/usr/bin/env python3
"""How fast a new column is filled, at what cost, and what other clients notice.

    benches/backfill.py [RUNS]

A column is added and filled from another one for all rows: by one UPDATE, by `zdm migrate` (a backfill of one's own, and the
rename_column operation with its triggers), and by other tools, if the environment names them: PGROLL and RESHAPE (add_column
with `up`), PT_OSC (pt-online-schema-change, which copies the table with a generated column; no triggers stay). The ways are
tried in turn on fresh copies, RUNS times (default 3); zdm runs at full speed, and as it does by default. The speed is that of
filling; zdm then verifies every row, which the others do not, and the whole time of the command is there, too. LOAD=500 has
that many paced point reads and updates a second beside it (none by default), with a control that fills nothing. ZDM names the
binary, ENGINE=postgres or mariadb one of the databases, ROWS the size of the table. benches/lab.py says what is needed.
"""

import datetime
import json
import os
import statistics
import subprocess
import sys
import threading
import time

import engines
import lab

TYPE = {"postgres": "text", "mariadb": "varchar(200)"}
LOAD = int(os.environ.get("LOAD", "0"))
QUIET = 10
BACKFILL = '[[backfill]]\ntable = "users"\nset = "display_name = upper(name)"\nwhere = "display_name IS NULL"\n'


def nothing(server):
    return ["sleep", str(QUIET)], lambda: None, "users"


def one_update(server):
    server.sql(f"ALTER TABLE users ADD COLUMN display_name {TYPE[server.family]}")
    return server.client("UPDATE users SET display_name = upper(name)"), lambda: None, "users"


def zdm(files, *arguments):
    def prepare(server):
        project = lab.Project(server, {name: text.replace("TYPE", TYPE[server.family]) for name, text in files.items()})
        project.run("expand")
        return project.command("migrate", *arguments), project.remove, "users"

    return prepare


OWN = {"expand.sql": "ALTER TABLE users ADD COLUMN display_name TYPE;\n", "migration.toml": BACKFILL}
RENAME = {"migration.toml": lab.RENAME}


def other(kind):
    def prepare(server):
        engine = kind(server).column("1_display", "display_name", "upper(name)")
        return engine.start(), engine.remove, f"{engine.view()}.users"

    return prepare


def copy(server):
    """A table with the column generated, filled from the old one and put in its place."""
    alter = f"ADD COLUMN display_name {TYPE[server.family]} AS (upper(name)) STORED"
    return [os.environ["PT_OSC"], "--execute", "--alter", alter, f"h=127.0.0.1,P={server.port},u=bench,D=bench,t=users"], lambda: None, "users"


def ways(server):
    if LOAD:
        yield "nothing is filled", nothing
    yield "one UPDATE", one_update
    yield "zdm migrate --full-speed", zdm(OWN, "--full-speed")
    yield "zdm migrate --full-speed, rename_column", zdm(RENAME, "--full-speed")
    yield "zdm migrate", zdm(OWN)
    for kind in engines.engines(server):
        yield f"{kind.name} start", other(kind)
    if server.family == "mariadb" and os.environ.get("PT_OSC"):
        yield "pt-online-schema-change, ADD COLUMN ... AS (upper(name)) STORED", copy


def filling(said, end):
    """How long zdm's step took that fills rows, by its log; what verifies them and makes them NOT NULL is left out."""
    begun = None
    for line in said.splitlines():
        entry = json.loads(line) if line.startswith('{"timestamp"') else {}
        if entry.get("fields", {}).get("message") == "step begins":
            now = datetime.datetime.fromisoformat(entry["timestamp"].replace("Z", "+00:00")).timestamp()
            if begun:
                return now - begun
            if entry["fields"]["title"].startswith("fill "):
                begun = now
    return begun and end - begun


def watch(pid, peak):
    """The most memory of a program, KiB: wait4 would say this process's own, from before the program took its place."""
    while True:
        try:
            peak[0] = int(open(f"/proc/{pid}/status").read().split("VmHWM:")[1].split()[0])
        except (OSError, IndexError):
            return
        time.sleep(0.02)


def trial(server, prepare):
    server.fresh()
    size = server.size()
    command, cleanup, table = prepare(server)
    load = server.load(LOAD, lab.ROWS, read="status") if LOAD else None
    if load:
        time.sleep(2)
    if command[0] == lab.ZDM:
        command += ["-v", "--log-format", "json"]
    written, cpu, begun, zero = server.written(), server.cpu(), time.monotonic(), time.time()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    peak = [0]
    threading.Thread(target=watch, args=(child.pid, peak), daemon=True).start()
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall, own = time.monotonic() - begun, usage.ru_utime + usage.ru_stime
    cpu, end = server.cpu() - cpu, time.time()
    if status:
        sys.exit(f"{' '.join(command)} failed: {said}")
    rows, failed = load.stop() if load else ([], 0)
    figures = {"wall": wall, "fill": filling(said, end) or wall, "cpu": cpu, "own": own, "memory": peak[0] / 1024, "failed": failed,
               "written": (server.written() - written) / lab.ROWS, "size": server.size() / size, "note": server.note()}
    if load:
        figures.update(zip(("n", "p50", "p99", "max", "slow"), lab.latencies(rows, zero, end)))
    if prepare is not nothing:
        wrong = server.sql(f"SELECT count(*) FROM {table} WHERE display_name IS NULL OR upper(display_name) <> upper(name)")
        if wrong:
            sys.exit(f"{' '.join(command)}: {wrong} rows are wrong")
    cleanup()
    return figures


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    for kind in lab.servers():
        with kind() as server:
            server.prepare(lab.ROWS)
            print(f"\n{server.family}: {lab.machine()}, {runs} runs in turn, {LOAD} statements a second beside\n")
            figures = {name: [] for name, _ in ways(server)}
            for _ in range(runs):
                for name, prepare in ways(server):
                    figures[name].append(trial(server, prepare))
            reference = figures["one UPDATE"]
            print("| | s | rows filled in s | of the UPDATE's speed | server cpu s | own cpu s | MiB | log bytes a row | table grows to |" + (
                " failed | p50 ms | p99 ms | max ms | over 100 ms |" if LOAD else ""))
            print("|---|---|---|---|---|---|---|---|---|" + ("---|---|---|---|---|" if LOAD else ""))
            for name, rows in figures.items():
                middle = lambda key: statistics.median(row[key] for row in rows)
                ratios = [one["wall"] / row["fill"] for one, row in zip(reference, rows)]
                speed = "" if name == "nothing is filled" else f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
                line = (f"| {name} | {middle('wall'):.2f} | {middle('fill'):.2f} | {speed} | {middle('cpu'):.2f} | {middle('own'):.2f} | {middle('memory'):.0f} "
                        f"| {middle('written'):.0f} | {middle('size'):.2f} {rows[-1]['note']} |")
                if LOAD:
                    line += (f" {sum(row['failed'] for row in rows)} | {middle('p50'):.1f} | {middle('p99'):.1f} "
                             f"| {max(row['max'] for row in rows):.0f} | {sum(row['slow'] for row in rows)} of {sum(row['n'] for row in rows)} |")
                print(line, flush=True)


main()
