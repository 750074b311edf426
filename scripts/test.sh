#!/bin/sh
# Everything that CI runs, in order, with the time that each part took. Stops at the first failure.
set -eu
cd "$(dirname "$0")/.."

skipped=$(mktemp)
ENGINE=engine,postgres,mysql
# A first build has nothing to reuse, and is faster when it keeps nothing for the next.
if [ ! -d "${CARGO_TARGET_DIR:-target}" ]; then export CARGO_INCREMENTAL=0; fi
trap 'rm -f "$skipped" "$skipped.log"' EXIT
begun=$(date +%s)

# part NAME COMMAND...: runs it; its output is shown as it comes.
part() {
    name=$1
    shift
    printf '\n== %s\n' "$name"
    from=$(date +%s)
    "$@"
    printf '== %s: %s s\n' "$name" "$(($(date +%s) - from))"
}

servers() {
    if scripts/servers.sh postgres mariadb; then return; fi
    # In CI a test that cannot run has failed.
    case "${CI:-}${ZDM_REQUIRE_SERVERS:-}" in
        '' | 0 | false) echo 'Tests that need a missing server are skipped.' ;;
        *) return 1 ;;
    esac
}

# Everything, as it is compiled for the tests: clippy's driver is a compiler, too, so that dependencies are compiled once, and
# not checked for clippy first (on two cores a first build of all takes 140 s, not 240 s). A warning is an error.
linted() {
    RUSTC_WORKSPACE_WRAPPER="$(rustc --print sysroot)/bin/clippy-driver" \
        CLIPPY_ARGS='-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__' "$@"
}

# The library that applications embed, one database or the other; the engine without the command line, where what only the
# command line calls is not dead.
features() {
    cargo clippy --locked --no-default-features --features postgres -- -D warnings
    cargo clippy --locked --no-default-features --features mysql -- -D warnings
    cargo clippy --locked --no-default-features --features "$ENGINE" -- -D warnings -A dead_code -A unused_imports
}

# Databases are made by the hundred, and most of that is the file system's work: where there is memory enough they are made
# there (measured on ext4: a third of the processors' time less, 0.8 GiB at the most).
in_memory() {
    free=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo 2>/dev/null)
    room=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
    needed=$((4 * 1024 * 1024))
    [ "${free:-0}" -gt "$needed" ] && [ "${room:-0}" -gt "$needed" ] && [ -w /dev/shm ]
}

# Tests say on stderr what they skip. Most of their time is waiting (for leases, locks, servers), so more of them run at
# once than there are cores: measured on two, 142 s with eight, instead of 249 s with two.
tests() {
    export RUST_TEST_THREADS="${RUST_TEST_THREADS:-8}"
    if [ -z "${TMPDIR:-}" ] && in_memory; then export TMPDIR=/dev/shm; fi
    {
        code=0
        linted cargo test --locked --no-fail-fast --lib --bins --tests 2>&1 || code=$?
        echo "$code" >"$skipped.log"
    } | tee "$skipped"
    return "$(cat "$skipped.log")"
}

# What there is to be read is the same without the command line, whose crates need not be checked for it.
docs() { RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --no-default-features --features "$ENGINE"; }

part 'servers' servers
part 'rustfmt' cargo fmt --check
part 'build with clippy, and tests (licences among them: deny.toml)' tests
part 'doc tests' linted cargo test --locked --doc
part 'clippy, for other sets of features' features
part 'docs' docs

printf '\nAll passed in %s s.\n' "$(($(date +%s) - begun))"
if grep -q '^skipped: ' "$skipped"; then
    printf 'Not run:\n'
    grep '^skipped: ' "$skipped" | sed 's/^skipped: /  /' | sort | uniq
else
    printf 'Nothing was skipped.\n'
fi
