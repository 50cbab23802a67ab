"""Counting keys under longer prefixes: they may belong to another application."""

from collections import Counter

from pawsctl.sessions.store.reader import SessionReader

# If there are more, the ids themselves have a colon.
_MOST = 10


def counted(store: SessionReader) -> dict[str, int] | None:
    """Return how many keys begin with each longer prefix, such as `sess:x:` for `sess:`.

    None if there is no such prefix, or too many of them; and for the bot's own keys, which have
    none.
    """
    if store.keyspace.is_bots:
        return None
    begin = len(store.keyspace.prefix.encode())
    found: Counter[bytes] = Counter()
    for names in store.names():
        found.update(key[: end + 1] for key in names if (end := key.find(b":", begin)) >= 0)
        if len(found) > _MOST:
            return None
    shown = store.keyspace.shown_key
    return {shown(prefix): count for prefix, count in found.most_common()} or None
