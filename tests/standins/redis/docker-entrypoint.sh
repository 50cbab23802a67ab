#!/bin/sh
# Does what the official image's entrypoint does, with the tools of a stand-in.
set -e

# Flags or a configuration file alone are arguments of the server.
case "$1" in
    -* | *.conf) set -- redis-server "$@" ;;
esac

# Only the server gives up root, as in the official image; `docker run --user` skips this.
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
    find . ! -user redis -exec chown redis '{}' +
    # By its full path: busybox's shell prefers busybox's setpriv, which cannot change the user.
    exec /usr/local/bin/setpriv --reuid redis --regid redis --clear-groups -- "$0" "$@"
fi

# The official image is compiled with protected mode off: a default, which a configuration file
# or a flag may still turn on. Here it becomes the first flag, so that any later one wins.
if [ "$1" = redis-server ]; then
    shift
    case "$1" in
        -v | --version | -h | --help | --test-memory | --check-system)
            set -- redis-server "$@" ;;
        '' | --*)
            set -- redis-server --protected-mode no "$@" ;;
        *)
            configuration=$1
            shift
            if ! grep -qsi '^[[:space:]]*protected-mode[[:space:]]' "$configuration"; then
                set -- --protected-mode no "$@"
            fi
            set -- redis-server "$configuration" "$@" ;;
    esac
fi

# Data files are nobody else's to read, unless the caller has chosen otherwise.
if [ "$(umask)" = 0022 ]; then
    umask 0077
fi

exec "$@"
