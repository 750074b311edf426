#!/bin/sh
# Measures how many bytes a second servers get through, for docs/estimates.md and src/sql/estimate/rates.rs.
#
#   scripts/rates.sh postgres://user:password@host/db     a scratch database: makes and drops the table zdm_rates
#   scripts/rates.sh mariadb://user:password@host/db
#
# Each line: what, seconds, bytes of the table, megabytes a second. Needs psql or the mariadb client.
set -eu
url=${1:?the address of a scratch database}
rows=${2:-1000000}
case $url in
postgres*) family=postgres ;;
*) family=mysql ;;
esac

# One statement, or one value.
run() {
    if [ $family = postgres ]; then
        psql -X -q -A -t -v ON_ERROR_STOP=1 "$url" -c "$1"
    else
        rest=${url#*://}
        user=${rest%%:*}
        rest=${rest#*:}
        password=${rest%%@*}
        rest=${rest#*@}
        MYSQL_PWD=$password mariadb -h "${rest%%:*}" -P "$(echo "$rest" | sed 's,.*:\([0-9]*\)/.*,\1,')" -u "$user" -N -B \
            "${rest##*/}" -e "$1"
    fi
}

bytes() {
    if [ $family = postgres ]; then
        run "SELECT pg_table_size('zdm_rates')"
    else
        run "ANALYZE TABLE zdm_rates" >/dev/null
        run "SELECT DATA_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'zdm_rates'"
    fi
}

# time WHAT SQL UNDO: runs it three times, undoing it in between, and takes the best: others use the machine, too.
time_of() {
    size=$(bytes)
    for _ in 1 2 3; do
        begin=$(date +%s.%N)
        run "$2" >/dev/null
        end=$(date +%s.%N)
        [ -z "${3:-}" ] || run "$3" >/dev/null
        echo "$begin $end"
    done | awk '{ print $2 - $1 }' | sort -n | sed -n 1p |
        awk -v what="$1" -v size="$size" '{ printf "%-34s %8.2f s %6.0f MB %7.0f MB/s\n", what, $1, size / 1e6, size / 1e6 / $1 }'
}

run "DROP TABLE IF EXISTS zdm_rates"
if [ $family = postgres ]; then
    run "CREATE TABLE zdm_rates (id bigint PRIMARY KEY, a int NOT NULL, b text NOT NULL, c timestamptz, d int)"
    run "INSERT INTO zdm_rates SELECT n, n % 100000, repeat(md5(n::text), 3), now(), n FROM generate_series(1, $rows) n"
    run "CREATE INDEX zdm_rates_c ON zdm_rates (c)"
    run "VACUUM ANALYZE zdm_rates"
    time_of "scan (SET NOT NULL)" "ALTER TABLE zdm_rates ALTER COLUMN d SET NOT NULL" "ALTER TABLE zdm_rates ALTER COLUMN d DROP NOT NULL"
    time_of "scan (ADD CHECK)" "ALTER TABLE zdm_rates ADD CONSTRAINT k CHECK (d > 0)" "ALTER TABLE zdm_rates DROP CONSTRAINT k"
    time_of "index build (int)" "CREATE INDEX i ON zdm_rates (a)" "DROP INDEX i"
    time_of "index build (text)" "CREATE INDEX i ON zdm_rates (b)" "DROP INDEX i"
    time_of "index build concurrently (int)" "CREATE INDEX CONCURRENTLY i ON zdm_rates (a)" "DROP INDEX i"
    time_of "rewrite (int to bigint and back)" "ALTER TABLE zdm_rates ALTER COLUMN d TYPE bigint" "ALTER TABLE zdm_rates ALTER COLUMN d TYPE int"
    time_of "update of every row" "UPDATE zdm_rates SET a = a + 1" "VACUUM FULL zdm_rates"
else
    run "CREATE TABLE zdm_rates (id bigint PRIMARY KEY, a int NOT NULL, b varchar(100) NOT NULL, c datetime, d int, KEY (c))"
    run "INSERT INTO zdm_rates SELECT seq, seq % 100000, repeat(md5(seq), 3), now(), seq FROM seq_1_to_$rows"
    time_of "index build (int)" "CREATE INDEX i ON zdm_rates (a)" "DROP INDEX i ON zdm_rates"
    time_of "index build (text)" "CREATE INDEX i ON zdm_rates (b)" "DROP INDEX i ON zdm_rates"
    time_of "rewrite in place (FORCE)" "ALTER TABLE zdm_rates FORCE, ALGORITHM=INPLACE"
    time_of "rewrite by copy (int to bigint)" "ALTER TABLE zdm_rates MODIFY d bigint" "ALTER TABLE zdm_rates MODIFY d int"
    time_of "scan (count)" "SELECT sum(length(b)) FROM zdm_rates"
    time_of "update of every row" "UPDATE zdm_rates SET a = a + 1"
fi
run "DROP TABLE zdm_rates"
