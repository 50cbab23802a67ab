#!/bin/sh
# The health check of the server on the port given.
# -e, since `redis-cli ping` exits with 0 even where Redis answers NOAUTH. An empty REDISCLI_AUTH is
# no password either, but redis-cli complains of it.
[ ! -s /run/secrets/redis_password ] ||
    export REDISCLI_AUTH="$(cat /run/secrets/redis_password)"
exec redis-cli -e -p "$1" ping
