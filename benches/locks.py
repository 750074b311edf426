#!/usr/bin/env python3
"""How long other clients stall while a schema changes behind a transaction that stays open for 8 s.

    benches/locks.py [RUNS]

A paced load of point reads and updates (500 a second on PostgreSQL, 300 on MariaDB; open loop, a latency counts from the
moment a statement was due); at second 0 a transaction reads one row and stays open for 8 s; at 1.5 s the change begins. The
figures are those of all statements that ended from then to second 12. The ways are tried in turn, a control without a change
among them, RUNS times (default 3). ZDM names the binary, ENGINE=postgres or mariadb one of the databases, ROWS the size of the
table, PGROLL and RESHAPE the binaries of those tools, which are tried, too, if given. benches/lab.py says what is needed.
"""

import os
import subprocess
import sys
import threading
import time

import engines
import lab

ADD = "ALTER TABLE users ADD COLUMN extra int"
HOLD, BEGIN, END = 8, 1.5, 12


def by_hand(server):
    return server.client(ADD), lambda: None


def of_project(files, before, arguments):
    def prepare(server):
        project = lab.Project(server, files)
        for phase in before:
            project.run(*phase)
        return project.command(*arguments), project.remove

    return prepare


def other(kind):
    def prepare(server):
        engine = kind(server).column("1_extra", "extra", kind="int")
        return engine.start(), engine.remove

    return prepare


def ways(server):
    yield "no change", None
    yield "ALTER TABLE ADD COLUMN by hand", by_hand
    yield "zdm expand, the same", of_project({"expand.sql": ADD + ";\n"}, [], ["expand"])
    yield "zdm expand, rename_column", of_project({"migration.toml": lab.RENAME}, [], ["expand"])
    yield "zdm contract, rename_column", of_project({"migration.toml": lab.RENAME}, [["expand"], ["migrate", "--full-speed"]], ["contract"])
    for kind in engines.engines(server):
        yield f"{kind.name} start, add_column", other(kind)


def hold(server, ready):
    connection = server.connect("bench")
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    cursor.execute("SELECT * FROM users WHERE id = 1")
    cursor.fetchall()
    ready.set()
    time.sleep(HOLD)
    cursor.execute("COMMIT")
    connection.close()


def trial(server, prepare):
    server.fresh()
    command, cleanup = prepare(server) if prepare else (None, lambda: None)
    # Both builds' statements run in all phases: they read what no phase takes away.
    load = server.load(500 if server.family == "postgres" else 300, lab.ROWS, read="status")
    time.sleep(2)
    ready = threading.Event()
    holder = threading.Thread(target=hold, args=(server, ready))
    holder.start()
    ready.wait()
    zero, took, code = time.time(), None, ""
    time.sleep(BEGIN)
    if command:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = child.communicate()[0]
        code, took = child.returncode, time.time() - zero - BEGIN
        if code:
            print(said, file=sys.stderr)
    holder.join()
    time.sleep(max(0, zero + END - time.time()))
    rows, failed = load.stop()
    cleanup()
    return (*lab.latencies(rows, zero + BEGIN, zero + END), failed, took, code)


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    for kind in lab.servers():
        with kind() as server:
            server.prepare(lab.ROWS)
            print(f"\n{server.family}: {lab.machine()}, {runs} runs in turn\n")
            print("| | statements | failed | p50 ms | p99 ms | max ms | over 100 ms | done after s | exit |\n|---|---|---|---|---|---|---|---|---|")
            figures = {name: [] for name, _ in ways(server)}
            for _ in range(runs):
                for name, prepare in ways(server):
                    figures[name].append(trial(server, prepare))
            for name, rows in figures.items():
                each = list(zip(*rows))
                span = lambda column, form: "–".join(dict.fromkeys(form % value for value in (min(each[column]), max(each[column]))))
                done = "" if each[6][0] is None else span(6, "%.2f")
                print(f"| {name} | {sum(each[0])} | {sum(each[5])} | {span(1, '%.1f')} | {span(2, '%.1f')} | {span(3, '%.0f')} "
                      f"| {sum(each[4])} | {done} | {' '.join(dict.fromkeys(map(str, each[7])))} |", flush=True)


main()
