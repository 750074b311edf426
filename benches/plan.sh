#!/bin/bash
# `zdm plan` over generated migrations: wall time, processor time and the most memory, medians.
#
#   benches/plan.sh [MIGRATIONS] [RUNS]
#
# Each migration makes a table with an index, or changes one that an earlier migration has made. ZDM names the binary
# (default: target/dist/zdm). Needs python3.
set -eu
ZDM=$(realpath "${ZDM:-$(dirname "$0")/../target/dist/zdm}") exec python3 - "${1:-2000}" "${2:-11}" <<'PYTHON'
import os, statistics, subprocess, sys, tempfile, time

count, runs = int(sys.argv[1]), int(sys.argv[2])
with tempfile.TemporaryDirectory() as root:
    with open(os.path.join(root, "zdm.toml"), "w") as file:
        file.write('[database]\nengine = "postgres"\nversion = "15"\n[services.api]\n')
    for number in range(1, count + 1):
        folder = os.path.join(root, "migrations", f"{number:05}_step")
        os.makedirs(folder)
        table = f"t{(number - 1) // 10}"
        kinds = [
            f"CREATE TABLE {table} (id bigint PRIMARY KEY, name varchar(50) NOT NULL, made timestamptz DEFAULT now());\n"
            f"CREATE INDEX {table}_name ON {table} (name);\n",
            f"ALTER TABLE {table} ADD COLUMN c{number} int;\nALTER TABLE {table} ALTER COLUMN name TYPE varchar({number + 50});\n",
            f"CREATE INDEX CONCURRENTLY {table}_c{number} ON {table} (name, id);\n",
        ]
        with open(os.path.join(folder, "expand.sql"), "w") as file:
            file.write(kinds[0 if number % 10 == 1 else 1 + number % 2])
    rows = []
    for run in range(runs + 1):
        begun = time.monotonic()
        child = subprocess.Popen([os.environ["ZDM"], "plan"], cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said = child.stderr.read().decode()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in (0, 3):
            sys.exit(f"zdm plan ended with {child.returncode}: {said}")
        if run:
            rows.append((time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))
    wall, cpu, memory = (statistics.median(column) for column in zip(*rows))
    print(f"{count} migrations, {runs} runs: {wall:.3f} s wall, {cpu:.3f} s processor, {memory:.1f} MiB")
PYTHON
