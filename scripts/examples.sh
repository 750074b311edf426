#!/bin/sh
# Gets the languages and drivers of examples/languages, and holds their clients against real servers; none may be skipped.
#
# By apt (Debian, Ubuntu), as root or with sudo, what is missing; the drivers of Node by npm, into target/examples-node. Elsewhere,
# or with ZDM_EXAMPLES_INSTALL=no, everything must be there: python3 with psycopg2 and PyMySQL; node and npm; go with lib/pq and
# go-sql-driver under /usr/share/gocode; a JDK with the drivers in /usr/share/java.
set -eu
cd "$(dirname "$0")/.."

say() { printf '%s\n' "examples: $*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }
python_is_there() {
    for python in python3 /usr/bin/python3; do
        "$python" -c 'import psycopg2, pymysql' 2>/dev/null && return 0
    done
    return 1
}

missing=
need() { missing="$missing $*"; }
python_is_there || need python3 python3-psycopg2 python3-pymysql
has node && has npm || need nodejs npm
has go || need golang-go
[ -d /usr/share/gocode/src/github.com/lib/pq ] || need golang-github-lib-pq-dev
[ -d /usr/share/gocode/src/github.com/go-sql-driver/mysql ] || need golang-github-go-sql-driver-mysql-dev
has javac || need default-jdk-headless
[ -e /usr/share/java/postgresql.jar ] || need libpostgresql-jdbc-java
[ -e /usr/share/java/mariadb-java-client.jar ] || need libmariadb-java

if [ -n "$missing" ]; then
    say "missing:$missing"
    if [ "${ZDM_EXAMPLES_INSTALL:-yes}" = no ] || ! has apt-get; then exit 1; fi
    if [ "$(id -u)" = 0 ]; then root=; else root=sudo; fi
    # shellcheck disable=SC2086 # words
    DEBIAN_FRONTEND=noninteractive $root apt-get install -y -q --no-install-recommends $missing >&2 ||
        { $root apt-get update -q >&2 && DEBIAN_FRONTEND=noninteractive $root apt-get install -y -q --no-install-recommends $missing >&2; }
fi

modules="$PWD/target/examples-node"
if [ ! -d "$modules/node_modules/pg" ] || [ ! -d "$modules/node_modules/mysql2" ]; then
    mkdir -p "$modules"
    cp examples/languages/node/package.json "$modules"
    (cd "$modules" && npm install --silent --no-audit --no-fund >&2)
fi

scripts/servers.sh postgres mariadb
export NODE_PATH="$modules/node_modules" ZDM_REQUIRE_EXAMPLES=1 ZDM_REQUIRE_SERVERS=1
cargo test --locked --test it -- examples::an_example examples::manifests
