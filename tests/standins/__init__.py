"""Images that carry the real programs, for machines that cannot pull the official ones.

The tests of the Docker engine want `redis:7.2-alpine` and Redis Commander as they are. Where no
registry can be reached, these stand-ins are built from what Debian and npm hold: the real
redis-server, the real Redis Commander, started and configured as in the official images. What
differs is Redis's version (Debian's), and Alpine's tools (busybox all the same).

    python -m tests.standins                          build what is missing
    python -m tests.standins --push 127.0.0.1:5055    and push it to a registry
    python -m tests.standins --remove                 delete them again

An image of that name which is not a stand-in is the official one, and is kept and used.
"""
