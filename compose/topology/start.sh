#!/bin/sh
# The entrypoint of Redis and Sentinel where roles move: they write down whose replica they are in
# the configuration file that is the server's first argument, which has to exist.
set -e
touch "$2"
case $2 in
    # That line alone is kept: the rest, passwords above all, is for the command to say anew.
    */redis.conf) sed -i -n '/^replicaof /p' "$2" ;;
    # Redis's Sentinel writes a password without the quotes that it wants around one with spaces.
    */sentinel.conf) sed -i 's/^\(sentinel auth-pass [^ ]*\) \([^"].*\)$/\1 "\2"/' "$2" ;;
esac
exec docker-entrypoint.sh "$@"
