#!/bin/sh
# Makes a cluster of the nodes on the ports given, the primaries first, where they are none yet.
# docker compose runs it in the last node; pawsctl does the same by itself.
set -e
[ ! -s /run/secrets/redis_password ] ||
    export REDISCLI_AUTH="$(cat /run/secrets/redis_password)"

nodes=
for port in "$@"; do
    tries=0
    until redis-cli -e -p "$port" ping >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || exit 1
        sleep 0.1
    done
    nodes="$nodes 127.0.0.1:$port"
done
if redis-cli -p "$1" cluster info | grep -q '^cluster_known_nodes:1[^0-9]*$'; then
    # shellcheck disable=SC2086 # each is a word of its own
    redis-cli --cluster create $nodes --cluster-replicas 1 --cluster-yes
fi
