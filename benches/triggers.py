#!/usr/bin/env python3
"""What the triggers of an open rename cost an application's own UPDATEs.

    benches/triggers.py [RUNS]

One client updates 100 rows a statement, and one row a statement, for 4 s each, on a table as it is, and between expand and
contract of a rename_column; in turn, RUNS times (default 5). The column that is renamed is written, and one that is not.
ZDM names the binary, ENGINE=postgres or mariadb one of the databases, PGROLL and RESHAPE the binaries of those tools, which are
tried, too, if given: they rename by views alone, so that it is their alter_column to varchar(200), which keeps two columns alike
by triggers as zdm's rename does, and the client is one of the old version. benches/lab.py says what is needed.
"""

import random
import statistics
import sys
import time

import engines
import lab

SECONDS = 4
STATEMENTS = {
    "100 rows, the column": ("UPDATE users SET name = 'n {n}' WHERE id BETWEEN {k} AND {k} + 99", 100),
    "100 rows, another column": ("UPDATE users SET status = status + 1 WHERE id BETWEEN {k} AND {k} + 99", 100),
    "one row, the column": ("UPDATE users SET name = 'n {n}' WHERE id = {k}", 1),
}


def paced(server, text, rows):
    """The median time of a statement, in ms."""
    connection, took = server.connect("bench"), []
    cursor, end = connection.cursor(), time.monotonic() + SECONDS
    while time.monotonic() < end:
        statement = text.format(n=len(took), k=random.randint(1, lab.ROWS - rows))
        begun = time.perf_counter()
        cursor.execute(statement)
        took.append(1000 * (time.perf_counter() - begun))
    connection.close()
    return statistics.median(took)


def rename(server):
    project = lab.Project(server, {"migration.toml": lab.RENAME})
    project.run("expand")
    project.run("migrate", "--full-speed")
    return project.remove


def other(kind):
    return lambda server: kind(server).change("1_type", "name", "name").started().remove


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    for kind in lab.servers():
        with kind() as server:
            server.prepare(lab.ROWS)
            print(f"\n{server.family}: {lab.machine()}, {runs} runs in turn\n")
            print("| open | one UPDATE of | before, ms | open, ms | ratio |\n|---|---|---|---|---|")
            ways = {"rename_column": rename, **{f"{engine.name} alter_column": other(engine) for engine in engines.engines(server)}}
            figures = {(way, name): [] for way in ways for name in STATEMENTS}
            for _ in range(runs):
                server.fresh()
                before = {name: paced(server, *statement) for name, statement in STATEMENTS.items()}
                for way, prepare in ways.items():
                    server.fresh()
                    remove = prepare(server)
                    for name, statement in STATEMENTS.items():
                        figures[way, name].append((before[name], paced(server, *statement)))
                    remove()
            for (way, name), rows in figures.items():
                ratios = [after / before for before, after in rows]
                print(f"| {way} | {name} | {statistics.median(row[0] for row in rows):.3f} | {statistics.median(row[1] for row in rows):.3f} "
                      f"| {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}) |", flush=True)


main()
