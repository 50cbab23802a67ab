"""Redis's error replies as exceptions, and their meaning for the command that was sent."""

import re
from collections.abc import Sequence
from typing import Any

from pawsctl.errors import OperationFailed

ASK_FOR_PERMISSION = "Ask for the permission, or use another user in the URL."
"""The hint if an ACL refuses."""

_SHOWN = 60
_ON_THE_WAY = re.compile(
    r"timed? ?out|upstream|connection (refused|reset|closed)|broken pipe", re.IGNORECASE
)
_REFUSAL = re.compile(
    r"unknown|unsupported|\bno[tr]?\b|n't\b|cannot|forbid|prohibit|disabled|denied|block|restrict"
    r"|renamed|syntax|wrong (number|kind|type)|are wrong|invalid|illegal|out of range|exceed|max"
    r"|limit|too |protocol|exists|busy",
    re.IGNORECASE,
)


class ErrorReply(Exception):
    """Redis's error reply to one command, as in `-NOPERM this user has no permissions`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code} {text}".strip())
        self.code = code
        self.text = text


class Misread(ErrorReply):
    """A reply that has another shape than the command's replies; treated as an error reply."""

    def __init__(self, command: str, reply: Any, expected: str) -> None:
        super().__init__("", f"{command} was answered with {_beginning(reply)}, not {expected}")


class PartlyRefused(ErrorReply):
    """A refusal for `refused` of several keys; `done` is the reply's count for the others."""

    def __init__(self, reply: ErrorReply, done: int, refused: int) -> None:
        super().__init__(reply.code, reply.text)
        self.done = done
        self.refused = refused


class TooLarge(ErrorReply):
    """Stands for a value that the server, or a proxy before it, does not send or accept.

    `said` is the message with which it was refused.
    """

    def __init__(self, size: int | None, said: str = "") -> None:
        because = f": {said.rstrip('.')}" if said else ""
        super().__init__("", f"a value of {size} bytes is larger than it may be here{because}")
        self.size = size


def _beginning(reply: Any) -> str:
    try:
        text = repr(reply)
    except ValueError:
        # An integer of more digits than Python converts to text.
        return f"a very large {type(reply).__name__}"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def raise_for_error(reply: Any) -> Any:
    """Return the reply. Raises OperationFailed if it is an error."""
    if isinstance(reply, ErrorReply):
        raise refused(reply) from reply
    return reply


def any_refused(replies: Sequence[Any]) -> bool:
    """Return whether one of the replies is an error."""
    # By their types, of which there are few, for there are many replies and nearly never an error.
    if _NO_ERRORS.issuperset(map(type, replies)):
        return False
    return any(isinstance(each, ErrorReply) for each in replies)


_NO_ERRORS = frozenset((int, bytes, list, type(None)))


def has_code(reply: Any, *codes: str) -> bool:
    """Return whether a reply is an error with one of the codes."""
    return isinstance(reply, ErrorReply) and reply.code in codes


def is_about_a_key(reply: ErrorReply) -> bool:
    """Return whether an ACL allows the user the command, but not on this key."""
    # Redis 6 and 7.0: "access one of the keys used as arguments"; 7.2: "access a key".
    return reply.code == "NOPERM" and "key" in reply.text and "access" in reply.text


def is_about_the_command(reply: ErrorReply) -> bool:
    """Return whether the server does not know the command, or an ACL forbids it altogether."""
    return "unknown command" in reply.text.lower() or (
        reply.code == "NOPERM" and not is_about_a_key(reply)
    )


def is_about_a_dump(reply: ErrorReply) -> bool:
    """Return whether RESTORE can't read its dump: a newer Redis made it, or it is damaged."""
    return "DUMP payload" in reply.text or "Bad data format" in reply.text


def is_lost_on_the_way(reply: ErrorReply | str) -> bool:
    """Return whether a proxy says that it got no reply: the server may have run the command."""
    return bool(_ON_THE_WAY.search(str(reply)))


def is_in_doubt(reply: ErrorReply) -> bool:
    """Return whether a write with this error reply may still have been done.

    Redis's own errors rule that out: they have a code, or words for what it does not know or allow.
    """
    return is_lost_on_the_way(reply) or (reply.code == "ERR" and not _REFUSAL.search(reply.text))


def betrays_cluster(reply: ErrorReply) -> bool:
    """Return whether the refusal, because of the keys' slots, can only be a cluster node's."""
    return reply.code in ("MOVED", "CROSSSLOT") or "non local key in a cluster" in reply.text


def refused(reply: ErrorReply) -> OperationFailed:
    """Return Redis's refusal of a command as a failure with a next step."""
    if isinstance(reply, Misread):
        return OperationFailed(
            f"A reply can't be understood: {reply}.",
            hint="Look whether a Redis answers there, or something that only resembles one.",
        )
    if is_lost_on_the_way(reply):
        return OperationFailed(
            f"What stands before Redis had no answer from it: {str(reply).rstrip('.')}.",
            hint="Look at what is stored before you repeat it, and at that proxy's log.",
        )
    hints = {
        "NOPERM": ASK_FOR_PERMISSION,
        "OOM": "Redis has reached maxmemory: free some, or raise it.",
        "READONLY": "This is a replica: use the primary's address, or redis+sentinel://.",
        "LOADING": "Redis is still loading its data: try again in a moment.",
        "MISCONF": "Redis can't save to disk: see its log ('pawsctl redis logs' for this project's "
        "own).",
        "NOREPLICAS": "Redis takes no writes while fewer than min-replicas-to-write of its "
        "replicas keep up: look at them (INFO replication).",
        "BUSY": "A script keeps Redis from answering: wait for it, or end it with SCRIPT KILL.",
        "MASTERDOWN": "This replica has lost its primary: use the primary's address.",
        "CLUSTERDOWN": "See 'CLUSTER NODES' on any node: a part of the cluster is missing.",
        "MOVED": "This is a node of a cluster: use redis+cluster:// with TCP addresses.",
        "CROSSSLOT": "A cluster takes no command over keys of several slots.",
    }
    # In a script, Redis 7 says so without the code: in other words before 7.2 than since.
    is_acl = "executing the script can't" in reply.text or "ACL failure in script" in reply.text
    hint = hints.get("NOPERM" if is_acl else reply.code, "See Redis's log for more.")
    if "unknown command" in reply.text.lower():
        hint = (
            "It is switched off there (rename-command), or no part of that service: ask its owner."
        )
    return OperationFailed(f"Redis refused: {str(reply).rstrip('.')}.", hint=hint)


def mode_of(reply: Any) -> Any:
    """Return the mode in a reply to HELLO; None if there is none."""
    if not isinstance(reply, list) or b"mode" not in reply[::2]:
        return None
    return reply[reply.index(b"mode") + 1]
