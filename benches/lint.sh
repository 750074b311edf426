#!/bin/bash
# Whole processes, in turn, in one run: `zdm lint` and squawk on the same PostgreSQL files.
#
#   benches/lint.sh DIR [RUNS]
#
# Every .sql file below DIR goes to both in one call, as JSON to a file; wall time, processor time and the most memory of
# each, medians of RUNS (default 11) after one that does not count. zdm has its simulated catalog on. ZDM names the binary
# (default: target/dist/zdm), SQUAWK the other one (default: squawk), ARGS more arguments for `zdm lint`. Needs python3.
set -eu
if [ $# -lt 1 ]; then sed -n '4,9s/^# *//p' "$0" >&2; exit 2; fi
ZDM=${ZDM:-$(dirname "$0")/../target/dist/zdm} SQUAWK=${SQUAWK:-squawk} exec python3 - "$1" "${2:-11}" <<'PYTHON'
import os, resource, statistics, subprocess, sys, tempfile, time

root, runs = sys.argv[1], int(sys.argv[2])
files = sorted(os.path.join(folder, name) for folder, _, names in os.walk(root, followlinks=True) for name in names if name.endswith(".sql"))
files = [file for file in files if os.path.isfile(file) and not os.path.islink(file)]
size = sum(os.path.getsize(file) for file in files)
tools = {
    "zdm": [os.environ["ZDM"], "--format", "json", "lint", "--server", "postgres:15", *os.environ.get("ARGS", "").split()],
    "squawk": [os.environ["SQUAWK"], "--reporter", "json"],
}
figures = {tool: [] for tool in tools}
for run in range(runs + 1):
    for tool, command in tools.items():
        with tempfile.TemporaryFile() as out:
            begun = time.monotonic()
            child = subprocess.Popen([*command, *files], stdout=out, stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            wall = time.monotonic() - begun
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode not in (0, 1, 3):
                sys.exit(f"{tool} ended with {child.returncode}")
            if run:
                figures[tool].append((wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.tell()))
print(f"{len(files)} files, {size / 1e6:.1f} MB, {runs} runs, {os.cpu_count()} processors")
print(f"{'':8} {'wall s':>8} {'cpu s':>8} {'MiB':>8} {'JSON MB':>8}")
for tool, rows in figures.items():
    wall, cpu, memory, out = (statistics.median(column) for column in zip(*rows))
    print(f"{tool:8} {wall:8.3f} {cpu:8.3f} {memory:8.1f} {out / 1e6:8.1f}")
PYTHON
