#!/bin/sh
# Makes the first of three Redis the primary of the two others, and tells the Sentinels, where these
# know of none yet. The arguments are the ports of three Redis and of three Sentinels.
# docker compose runs it in the last Sentinel; pawsctl does the same by itself.
set -e
password=
[ ! -s /run/secrets/redis_password ] || password=$(cat /run/secrets/redis_password)

# The Sentinels ask for no password, the others do.
ask() {
    if [ -n "$password" ] && [ "$1" -lt "$first_sentinel" ]; then
        REDISCLI_AUTH=$password redis-cli -e -p "$@"
    else
        redis-cli -e -p "$@"
    fi
}

primary=$1
first_sentinel=$4
for port in "$@"; do
    tries=0
    until ask "$port" ping >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || exit 1
        sleep 0.1
    done
done
if ask "$4" sentinel get-master-addr-by-name paws | grep -q .; then
    exit 0
fi
for port in "$2" "$3"; do
    ask "$port" replicaof 127.0.0.1 "$primary"
    ask "$port" config rewrite
done
# A Sentinel asks a primary for its replicas at once, and then every ten seconds.
tries=0
until ask "$primary" info replication | grep -q '^connected_slaves:2'; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || exit 1
    sleep 0.1
done
for port in "$4" "$5" "$6"; do
    ask "$port" sentinel monitor paws 127.0.0.1 "$primary" 2
    # Milliseconds; production has 30000 and 180000.
    ask "$port" sentinel set paws down-after-milliseconds 1500
    ask "$port" sentinel set paws failover-timeout 10000
    if [ -n "$password" ]; then
        # From a file, as nothing of it may stand in the process list.
        printf 'sentinel set paws auth-pass "%s"\n' "$password" | ask "$port"
    fi
done
