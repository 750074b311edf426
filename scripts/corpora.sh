#!/bin/bash
# Runs `zdm lint` over every .sql file below a folder and counts what it makes of them.
#
#   scripts/corpora.sh DIR [postgres|mysql|mariadb]
#
# Each folder right below DIR is one project. Without a second word a file is MySQL's if its path says mysql or maria, and
# PostgreSQL's otherwise. The files of one project and database are linted in one run, in the order of their paths, with the
# simulated catalog on; if that run dies, each file alone. ZDM names the binary (default: target/release/zdm, which is built),
# SAMPLES how many texts are shown for a reason (default 3). Needs python3.
set -eu
cd "$(dirname "$0")/.."
if [ $# -lt 1 ] || [ ! -d "$1" ]; then sed -n '4,9s/^# *//p' "$0" >&2; exit 2; fi
if [ -z "${ZDM:-}" ]; then
    cargo build --release --locked --quiet
    ZDM=${CARGO_TARGET_DIR:-target}/release/zdm
fi
ZDM=$(realpath "$ZDM") exec python3 - "$(realpath "$1")" "${2:-}" <<'PYTHON'
import collections, json, os, re, subprocess, sys, time

ROOT, ENGINE = sys.argv[1], sys.argv[2]
ZDM, SAMPLES = os.environ["ZDM"], int(os.environ.get("SAMPLES", "3"))
SERVERS = {"postgres": "postgres:15", "mysql": "mysql:8.4", "mariadb": "mariadb:10.11"}
# What no linter can see through: zdm says so by design.
BY_DESIGN = re.compile(r"^(DO runs|CALL runs|BEGIN NOT ATOMIC runs|it runs SQL that is put together|it calls function|DROP DATABASE|DROP SCHEMA|"
                       r"DROP OWNED|ALTER .* ALL IN TABLESPACE|DROP .* CASCADE|it changes to another database|it runs another file|it runs a program|"
                       r"its text is filled in)")
LIMIT = 120  # seconds a file

groups = collections.defaultdict(list)
for folder, _, files in os.walk(ROOT):
    for name in files:
        if not name.endswith(".sql"):
            continue
        path = os.path.join(folder, name)
        inside = os.path.relpath(path, ROOT)
        mysql = re.search(r"mysql|maria", inside, re.I)
        groups[inside.split(os.sep)[0], ENGINE or ("mysql" if mysql else "postgres")].append(path)


def run(engine, paths):
    command = [ZDM, "--format", "json", "lint", "--server", SERVERS[engine], *paths]
    try:
        done = subprocess.run(command, capture_output=True, timeout=LIMIT + len(paths), cwd="/")
    except subprocess.TimeoutExpired:
        return None, "hangs"
    # 2 with a report: one of the files is no text.
    if done.returncode in (0, 3) or done.returncode == 2 and b'"result": "unread"' in done.stdout[:200]:
        return json.loads(done.stdout), None
    said = done.stderr.decode(errors="replace").strip().splitlines() + done.stdout.decode(errors="replace").splitlines()
    dead = done.returncode < 0 or "panicked" in " ".join(said)
    return None, ("panic: " if dead else "error: ") + " | ".join(said[:3])


total, kinds = collections.Counter(), collections.Counter()
findings, reasons, broken = collections.Counter(), collections.defaultdict(list), []
print(f"{'project':34} {'files':>6} {'statements':>10} {'recognised':>10} {'design':>7} {'opaque':>7} {'errors':>7} {'panics':>7} {'seconds':>8}")
for (project, engine), paths in sorted(groups.items()):
    paths.sort()
    begun = time.monotonic()
    report, failure = run(engine, paths)
    spent = time.monotonic() - begun
    reports = [report] if report else []
    count = collections.Counter(files=len(paths))
    if failure:
        for path in paths:
            report, failure = run(engine, [path])
            if report:
                reports.append(report)
            else:
                count["errors" if failure.startswith("error") else "panics"] += 1
                broken.append((path, failure))
    for file in (file for report in reports for file in report["files"]):
        for statement in file["statements"]:
            if any(finding["rule"] == "unread-file" for finding in statement["findings"]):
                count["errors"] += 1
                broken.append((file["file"], "error: " + statement["findings"][0]["message"]))
                continue
            count["statements"] += 1
            why = [c["note"] or "" for c in statement["changes"] if c["kind"] == "opaque"]
            unknown = [w for w in why if not BY_DESIGN.match(w)]
            count["opaque" if unknown else "design" if why else "recognised"] += 1
            for reason in why:
                kind = re.sub(r"`.*`|\".*\"", "...", reason, flags=re.S)[:100]
                place = f"{os.path.relpath(file['file'], ROOT)}:{statement['line']}"
                reasons[bool(BY_DESIGN.match(reason)), kind].append((place, engine, reason, statement["sql"]))
            for change in statement["changes"]:
                kinds[change["kind"]] += 1
            for finding in statement["findings"]:
                findings[finding["rule"], finding["severity"]] += 1
    total += count
    total["ms"] += int(spent * 1000)
    show = [count[k] for k in ("files", "statements", "recognised", "design", "opaque", "errors", "panics")]
    print(f"{project + ' ' + engine:34} {show[0]:6} {show[1]:10} {show[2]:10} {show[3]:7} {show[4]:7} {show[5]:7} {show[6]:7} {spent:8.3f}")
show = [total[k] for k in ("files", "statements", "recognised", "design", "opaque", "errors", "panics")]
print(f"{'all':34} {show[0]:6} {show[1]:10} {show[2]:10} {show[3]:7} {show[4]:7} {show[5]:7} {show[6]:7} {total['ms'] / 1000:8.3f}")

print("\nchanges: " + ", ".join(f"{kind} {n}" for kind, n in kinds.most_common()))
print("\nfindings:")
for (rule, severity), n in findings.most_common():
    print(f"  {n:7} {severity:8} {rule}")
for design, title in ((False, "not recognised"), (True, "cannot be seen through, by design")):
    print(f"\n{title}:")
    for (known, kind), places in sorted(reasons.items(), key=lambda item: -len(item[1])):
        if known != design:
            continue
        print(f"  {len(places):7} {kind}")
        step = max(1, len(places) // max(SAMPLES, 1))
        for place, engine, reason, sql in places[::step][:SAMPLES]:
            print(f"          {place} ({engine}): {reason[:160]!r}: {' '.join(sql.split())[:200]}")
for path, failure in broken:
    print(f"{os.path.relpath(path, ROOT)}: {failure}")
sys.exit(1 if total["opaque"] or total["panics"] else 0)
PYTHON
