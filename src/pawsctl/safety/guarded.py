"""The commands that change something: those that the guard stands before, and the others. Pure.

A command that is in neither table gets a connection that only reads.
"""

GUARDED = {
    "session touch": "more than one session gets a new TTL",
    "session delete": "sessions are deleted",
    "session flush": "sessions are deleted",
    "session repair": "messages of a conversation are changed or removed",
    "session edit": "a conversation is changed",
    "session erase": "a session and its copies are deleted",
    "session copy": "sessions are written into its target",
    "session seed": "made-up sessions are written, over others of the same phones",
    "session import": "with --replace, sessions are overwritten",
    "backup restore": "what a command replaced is replaced again",
    "backup purge": "what could be brought back no longer can",
    "redis maxmemory": "with less memory, keys are evicted or writes fail",
    "redis reset": "all data is deleted",
    "redis down": "with --volumes, all data is deleted",
}
"""Command → what it may destroy, and before that, pawsctl looks for evidence of production."""

UNGUARDED = {
    "test-session": "writes sessions of nobody, and deletes them",
    "health": "sends a write that Redis refuses for its TTL, and nothing else",
    "doctor": "checks health, as health does",
    "serve": "checks health, as health does",
    "redis up": "starts this project's own Redis, and keeps its data",
    "redis dev": "starts this project's own Redis, and keeps its data",
    "redis start": "starts this project's own Redis",
    "redis stop": "stops this project's own Redis, and keeps its data",
    "redis restart": "restarts this project's own Redis, and keeps its data",
    "redis failover": "works on a topology for trials that this project started",
    "redis cli": "is redis-cli, logged in to this project's own Redis; it guards as little as that",
}
"""Why no guard stands before the others that change something, or send what could."""


_MERELY_CHECKS = ("health", "doctor", "serve")


def changes_data(command: str) -> bool:
    """Return whether the command may change what a Redis holds or how it is set."""
    return changes_something(command) and command not in _MERELY_CHECKS


def changes_something(command: str) -> bool:
    """Return whether the command, such as `session flush`, is in one of the tables."""
    return command in GUARDED or command in UNGUARDED
