#!/bin/sh
# `make demo`: the main job, end to end, on whatever engine this machine has.
set -e

step() {
    if [ -t 1 ]; then
        printf '\n\033[1m$ %s\033[0m\n' "$*"
    else
        printf '\n$ %s\n' "$*"
    fi
    "$@"
}

# The demo's own project and port: it must not meet a Redis that you already run.
export PAWSCTL_PROJECT="${PAWSCTL_PROJECT:-paws-demo}"
export REDIS_PORT="${REDIS_PORT:-6390}"
unset REDIS_URL

step pawsctl redis up
step pawsctl test-session
step pawsctl session seed 5
step pawsctl session list
step pawsctl redis status

cat <<END

The Redis of this demo is still running. To look further:

  export PAWSCTL_PROJECT=$PAWSCTL_PROJECT REDIS_PORT=$REDIS_PORT
  .venv/bin/pawsctl session stats
  .venv/bin/pawsctl --help

To stop it and remove its data:

  .venv/bin/pawsctl redis down --volumes
END
