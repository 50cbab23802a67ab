"""What Redis answers: its error replies, and what they mean for who sent the command."""

from typing import Any

from pawsctl.errors import OperationFailed


class ErrorReply(Exception):
    """Redis's own error in answer to one command, as in `-NOPERM this user has no permissions`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code} {text}".strip())
        self.code = code
        self.text = text


def checked(reply: Any) -> Any:
    """A reply that is no error. Raises OperationFailed for one that is."""
    if isinstance(reply, ErrorReply):
        raise refused(reply) from reply
    return reply


def has_code(reply: Any, *codes: str) -> bool:
    """Whether a reply is an error of one of those codes."""
    return isinstance(reply, ErrorReply) and reply.code in codes


def info_fields(reply: bytes) -> dict[str, str]:
    """The fields of an INFO reply by name."""
    lines = (line.partition(":") for line in reply.decode("utf-8", "replace").splitlines())
    return {name: value for name, separator, value in lines if separator}


def refused(reply: ErrorReply) -> OperationFailed:
    """Redis's refusal of a command as a failure with a next step."""
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


def error_reply(error: Exception) -> ErrorReply:
    """redis-py cuts the code off the replies whose class tells it; here it is put back."""
    import redis

    codes: dict[type[Exception], str] = {
        redis.exceptions.NoPermissionError: "NOPERM",
        redis.exceptions.OutOfMemoryError: "OOM",
        redis.exceptions.ReadOnlyError: "READONLY",
        redis.exceptions.BusyLoadingError: "LOADING",
        redis.exceptions.MovedError: "MOVED",
        redis.exceptions.AskError: "ASK",
        redis.exceptions.TryAgainError: "TRYAGAIN",
        redis.exceptions.ClusterCrossSlotError: "CROSSSLOT",
        redis.exceptions.ClusterDownError: "CLUSTERDOWN",
        redis.exceptions.MasterDownError: "MASTERDOWN",
        redis.exceptions.NoScriptError: "NOSCRIPT",
        redis.exceptions.ExecAbortError: "EXECABORT",
    }
    text = str(error)
    code = codes.get(type(error))
    if code is not None:
        return ErrorReply(code, text)
    first, _, rest = text.partition(" ")
    return ErrorReply(first, rest) if first.isupper() else ErrorReply("ERR", text)
