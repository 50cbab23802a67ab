"""What Redis answers: its error replies, and what they mean for who sent the command."""

import re
from typing import Any

from pawsctl.errors import OperationFailed

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
    """Redis's own error in answer to one command, as in `-NOPERM this user has no permissions`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code} {text}".strip())
        self.code = code
        self.text = text


class Misread(ErrorReply):
    """A reply of another shape than the command's replies have; it stands where an error would."""

    def __init__(self, command: str, reply: Any, expected: str) -> None:
        super().__init__("", f"{command} was answered with {_beginning(reply)}, not {expected}")


class PartlyRefused(ErrorReply):
    """A refusal for `refused` of several keys, where the others were dealt with: `done` of them."""

    def __init__(self, reply: ErrorReply, done: int, refused: int) -> None:
        super().__init__(reply.code, reply.text)
        self.done = done
        self.refused = refused


class TooLarge(ErrorReply):
    """Stands for a value that the server, or what stands before it, does not hand out or take.

    `said` is what was said in answer to it.
    """

    def __init__(self, size: int | None, said: str = "") -> None:
        because = f": {said.rstrip('.')}" if said else ""
        super().__init__("", f"a value of {size} bytes is larger than it may be here{because}")
        self.size = size


def _beginning(reply: Any) -> str:
    try:
        text = repr(reply)
    except ValueError:
        # An integer of more digits than Python writes down.
        return f"a very large {type(reply).__name__}"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def raise_for_error(reply: Any) -> Any:
    """A reply that is no error. Raises OperationFailed for one that is."""
    if isinstance(reply, ErrorReply):
        raise refused(reply) from reply
    return reply


def has_code(reply: Any, *codes: str) -> bool:
    """Whether a reply is an error of one of those codes."""
    return isinstance(reply, ErrorReply) and reply.code in codes


def is_about_a_key(reply: ErrorReply) -> bool:
    """Whether an ACL lets the user run the command, and not on this key."""
    # Redis 6 and 7.0: "access one of the keys used as arguments"; 7.2: "access a key".
    return reply.code == "NOPERM" and "key" in reply.text and "access" in reply.text


def is_about_the_command(reply: ErrorReply) -> bool:
    """Whether the server does not know the command, or lets this user run it on no key."""
    return "unknown command" in reply.text.lower() or (
        reply.code == "NOPERM" and not is_about_a_key(reply)
    )


def is_lost_on_the_way(reply: ErrorReply | str) -> bool:
    """Whether a proxy says that it had no answer: the server may have done what was asked."""
    return bool(_ON_THE_WAY.search(str(reply)))


def is_in_doubt(reply: ErrorReply) -> bool:
    """Whether an error reply to a command that writes does not say that nothing was done.

    Redis's own errors do: they have a code, or words for what it does not know or allow.
    """
    return is_lost_on_the_way(reply) or (reply.code == "ERR" and not _REFUSAL.search(reply.text))


def betrays_cluster(reply: ErrorReply) -> bool:
    """Whether only a cluster's node refuses so, for the slots that the keys are in."""
    return reply.code in ("MOVED", "CROSSSLOT") or "non local key in a cluster" in reply.text


def info_fields(reply: bytes) -> dict[str, str]:
    """The fields of an INFO reply by name."""
    lines = (line.partition(":") for line in reply.decode("utf-8", "replace").splitlines())
    return {name: value for name, separator, value in lines if separator}


def refused(reply: ErrorReply) -> OperationFailed:
    """Redis's refusal of a command as a failure with a next step."""
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
        "NOPERM": "Ask for the permission, or use another user in the URL.",
        "OOM": "Redis has reached maxmemory: free some, or raise it.",
        "READONLY": "This is a replica: use the primary's address, or redis+sentinel://.",
        "LOADING": "Redis is still loading its data: try again in a moment.",
        "MISCONF": "Redis can't save to disk: see its log ('pawsctl redis logs').",
        "MOVED": "This is a node of a cluster: use redis+cluster:// with TCP addresses.",
        "CROSSSLOT": "A cluster takes no command over keys of several slots.",
    }
    return OperationFailed(
        f"Redis refused: {str(reply).rstrip('.')}.",
        hint=hints.get(reply.code, "See Redis's log for more."),
    )
