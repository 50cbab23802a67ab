#!/bin/sh
# The entrypoint of Redis and Sentinel where roles move: they write down whose replica they are in
# the configuration file that is the server's first argument, which has to exist. Of Redis's, that
# line alone is kept: the rest, passwords above all, is for the command to say anew.
set -e
touch "$2"
case $2 in
    */redis.conf) sed -i -n '/^replicaof /p' "$2" ;;
esac
exec docker-entrypoint.sh "$@"
