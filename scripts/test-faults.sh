#!/bin/sh
# Tries every fault at every point of every command, on PostgreSQL and MariaDB; make test tries a part of them.
#
#   scripts/test-faults.sh                     all
#   scripts/test-faults.sh mariadb:contract    one command on one database: postgres or mariadb, then expand, migrate,
#                                              contract, reveal, rollback or purge, then a point of tests/it/crash/points.txt
#   scripts/test-faults.sh 2/8                 the second of eight shares
set -eu
cd "$(dirname "$0")/.."
scripts/servers.sh postgres mariadb
export ZDM_FAULTS="${1:-all}" ZDM_REQUIRE_SERVERS=1
export RUST_TEST_THREADS="${RUST_TEST_THREADS:-4}" RUST_BACKTRACE="${RUST_BACKTRACE:-0}"
exec cargo test --locked --test it -- crash:: faults_of_peers::
