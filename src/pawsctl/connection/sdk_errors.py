"""Translation of the SDK's exceptions into this project's: what happened and what to do next."""

from __future__ import annotations

import errno
import re
import socket

from pawsctl.config.target import Target
from pawsctl.connection.last_words import LastWords
from pawsctl.connection.replies import ErrorReply, refused
from pawsctl.connection.reply_shapes import words_of
from pawsctl.connection.sockets import certificates
from pawsctl.connection.sockets.of_target import speaks_tls
from pawsctl.errors import (
    HungUp,
    LoginRefused,
    OperationFailed,
    PawsctlError,
    RedisUnreachable,
    UsageError,
    causes,
)

# twemproxy, for one, knows neither SCAN nor INFO.
_PROXY_HINT = (
    "If it hangs up each time, it may be a proxy that does not know the command: name the Redis "
    "behind it."
)


def explained(
    error: Exception,
    target: Target,
    *,
    program: str,
    was_connected: bool,
    last_words: LastWords,
    timeout: float,
) -> PawsctlError:
    """Return an exception of the SDK or the socket as one of this project's.

    `program` is the program that should have answered: Redis, or a Sentinel. If the server hung up
    without an error message, a TLS handshake is tried, for up to `timeout` seconds.
    """
    from pawsctl.connection.sockets.sdk import exceptions

    where = f"{program} at {target.url}"
    if isinstance(error, exceptions.AuthenticationError):
        return _login_refused(target, where, program)
    if "max number of clients" in str(error) or str(error).startswith("DENIED"):
        # The reply to AUTH, after which the server hangs up too.
        last_words.heard(error_reply(error), is_first=True)
        return _hung_up_saying(where, last_words)
    if hung_up(error) and last_words.text:
        return _hung_up_saying(where, last_words)
    if isinstance(error, exceptions.ResponseError):
        return _login_failed(error, target, where)
    reason, hint = _tls_reason(error, target, was_connected=was_connected, timeout=timeout)
    if not reason:
        reason = _reason(error, target, last_words)
        hint = _next_step(error, target, has_answered=was_connected)
        if was_connected and hung_up(error):
            hint = f"{_PROXY_HINT} {hint}"
    verb = "stopped answering" if was_connected else "can't be reached"
    kind = HungUp if was_connected and hung_up(error) else RedisUnreachable
    return kind(f"{where} {verb}: {reason}.", hint=hint)


def _login_refused(target: Target, where: str, program: str) -> LoginRefused:
    what = "refuses the login" if target.password else "asks for a password"
    if target.profile:
        keys = "password_file or password_command"
        if program != "Redis":
            keys = "sentinel_password_file or sentinel_password_command"
        return LoginRefused(
            f"{where} {what}.",
            hint=f"Check the user in the url of the profile {target.profile}, and its {keys}: no "
            "other source gives it a password.",
        )
    option = _other_option(target)
    hint = f"Check sentinel_username and sentinel_password in the URL{option and f' of {option}'}."
    if program == "Redis":
        # The sources of other passwords are about the Redis of --url.
        hint = (
            f"Check the user and password in the URL of {option}, or have it name a profile."
            if option
            else "Check the user and password in REDIS_URL, REDIS_PASSWORD or REDISCLI_AUTH "
            "('pawsctl config' shows which are set)."
        )
    if target.username and not target.password:
        hint = f"A password alone is written with a colon: redis://:PASSWORD@host. {hint}"
    return LoginRefused(f"{where} {what}.", hint=hint)


def _login_failed(error: Exception, target: Target, where: str) -> PawsctlError:
    """Return the failure for an error reply to SELECT or AUTH."""
    option = _other_option(target)
    if "DB index" in str(error):
        place = f"the URL of {option}" if option else "-n, or the URL,"
        return OperationFailed(
            f"{where} has no database {target.db}.",
            hint=f"Give {place} a number below the server's 'databases' (16 unless "
            "changed); a cluster has 0 alone, unless Valkey's 'cluster-databases' says more.",
        )
    if "SELECT" in str(error) and "cluster" in str(error):
        return UsageError(
            f"{where} is a node of a cluster, which has only database 0.",
            hint=f"Leave the database out of the URL of {option}."
            if option
            else f"Leave the database out of the URL (from {target.origin}), and -n out of the "
            "command.",
        )
    return refused(error_reply(error))


def _hung_up_saying(where: str, words: LastWords) -> RedisUnreachable:
    return HungUp(f"{where} hung up. It said: {words.text}.", hint=words.hint)


def _other_option(target: Target) -> str:
    """Return the option that named this Redis, such as --to; '' if it is the one of --url."""
    option = target.origin.removeprefix("option ")
    return "" if option in (target.origin, "--url") else option


def _next_step(error: Exception, target: Target, *, has_answered: bool) -> str:
    """Return the next step if nothing answers, or something that is no Redis.

    What `has_answered` runs, so that starting it is no help.
    """
    from pawsctl.connection.sockets.sdk import exceptions

    origin = f"this one is from {target.origin}"
    option = _other_option(target)
    ways = target.origin.removeprefix("option ")
    if ways == target.origin:
        ways = "--url or REDIS_URL"
    if (
        target.may_be_ours
        and not has_answered
        and not isinstance(error, exceptions.InvalidResponse)
    ):
        if isinstance(error, exceptions.TimeoutError | TimeoutError):
            return (
                "It takes connections, and may be busy or stuck: wait with --timeout, see with "
                f"'pawsctl doctor' who it is, or name another with {ways} ({origin})."
            )
        return f"Start it with 'pawsctl redis up', or name another with {ways} ({origin})."
    if target.profile:
        return f"Look at the profile ('pawsctl profile show {target.profile}'); {origin}."
    if option:
        return f"Look at {option}."
    return f"Look at --url and REDIS_URL ('pawsctl config'); {origin}."


def _tls_reason(
    error: Exception, target: Target, *, was_connected: bool, timeout: float
) -> tuple[str, str]:
    """Return the reason and the next step if TLS failed or is missing; else empty texts."""
    import ssl

    for root in causes(error):
        if isinstance(root, ssl.SSLCertVerificationError):
            return certificates.refusal(root)
        if isinstance(root, ssl.SSLError):
            return _handshake_reason(root.reason or "the server hung up")
    return ("", "") if was_connected else _missing_tls(error, target, timeout)


def _missing_tls(error: Exception, target: Target, timeout: float) -> tuple[str, str]:
    """Return reason and next step if one side seems to speak TLS and the other not; else empty."""
    from pawsctl.connection.sockets.sdk import exceptions

    if target.tls is not None and isinstance(error, exceptions.TimeoutError):
        return (
            "it did not answer in time, nor would a server that speaks no TLS",
            "Check the address; if it speaks no TLS, use redis:// and not rediss://.",
        )
    if (
        target.tls is None
        and target.path is None
        and (hung_up(error) or _got_an_alert(error))
        and speaks_tls(target.addresses[0], timeout)
    ):
        return "it speaks TLS", "Use rediss:// and not redis://."
    return "", ""


def _handshake_reason(reason: str) -> tuple[str, str]:
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return "it asks for a client's certificate", certificates.NAME_THE_AUTHORITY
    if "CERTIFICATE_EXPIRED" in reason:
        return "the client's certificate has expired", certificates.RENEW_THE_CLIENTS
    if "CERTIFICATE" in reason or "UNKNOWN_CA" in reason:
        return "it does not trust the client's certificate", certificates.NAME_THE_AUTHORITY
    return (
        f"no TLS could be agreed on ({reason})",
        "If it speaks no TLS, use redis:// and not rediss://; if it wants to know its clients, "
        "ssl_certfile=FILE and ssl_keyfile=FILE in the URL's parameters.",
    )


def _got_an_alert(error: Exception) -> bool:
    """Return whether the server sent a TLS alert, which redis-py can't parse as a reply."""
    return any(each in str(error) for each in ("\\x15", "\x15"))


def hung_up(error: Exception) -> bool:
    """Return whether the server ended the connection, by closing or by resetting it."""
    return "closed by server" in str(error) or any(
        isinstance(root, ConnectionResetError | BrokenPipeError) for root in causes(error)
    )


def _reason(error: Exception, target: Target, last_words: LastWords) -> str:
    """Return why a connection failed, in a few words, without the address as in redis-py's text."""
    from pawsctl.connection.sockets.sdk import exceptions

    if isinstance(error, exceptions.InvalidResponse):
        return _not_understood(error, last_words)
    roots = [root for root in causes(error) if isinstance(root, OSError)]
    if any(root.errno == errno.ECONNREFUSED for root in roots):
        return "the connection was refused"
    if hung_up(error):
        return "it hung up without a word"
    if isinstance(error, exceptions.TimeoutError | TimeoutError):
        return "it did not answer in time"
    return next(filter(None, (_words_of(root, target) for root in roots)), _shortened(str(error)))


def _not_understood(error: Exception, last_words: LastWords) -> str:
    """Return the text received that is no reply of Redis, and the command it answered."""
    # As in: Protocol error, got "H" as reply type byte
    first = re.search(r'got "(.)"', str(error))
    line = last_words.beginning(first[1].encode() if first else b"")
    what = f"something answers there that is not Redis: {line!r}" if line else ""
    if last_words.asked is not None and line:
        what = (
            f"{words_of(last_words.asked)} was answered with {line!r}, which is no reply of Redis"
        )
    return what or "something answers there that is not Redis"


def _words_of(error: OSError, target: Target) -> str:
    if isinstance(error, socket.gaierror):
        return f"{target.host} can't be found: {error.strerror}"
    return error.strerror[:1].lower() + error.strerror[1:] if error.strerror else ""


def _shortened(text: str) -> str:
    text = text.rstrip(".")
    return text if len(text) < 200 else text[:200] + "…"


# The refusal of an unknown command ends with its arguments: phones, and what users wrote.
_ARGUMENTS = re.compile(r"[,;]? with args beginning with:.*", re.DOTALL)


def error_reply(error: Exception) -> ErrorReply:
    """Return redis-py's exception as an ErrorReply.

    redis-py cuts the code off replies for which it has a class; it is put back. A command's
    arguments are left out.
    """
    text = _ARGUMENTS.sub("", str(error))
    code = getattr(error, "status_code", None)
    if code:
        return ErrorReply(code, text)
    first, _, rest = text.partition(" ")
    return ErrorReply(first, rest) if first.isupper() else ErrorReply("ERR", text)


def reply_in(error: Exception) -> ErrorReply | None:
    """Return the error reply that redis-py has raised; None if it is another failure.

    Raises InvalidResponse for what hiredis and redis-py raise for bytes that are no reply.
    """
    from pawsctl.connection.sockets.sdk import exceptions

    if isinstance(error, exceptions.RedisError):
        is_reply = isinstance(error, exceptions.ResponseError) or error.status_code is not None
        is_login = isinstance(error, exceptions.AuthenticationError)
        return error_reply(error) if is_reply and not is_login else None
    if isinstance(error, (ArithmeticError, MemoryError, ValueError)):
        raise exceptions.InvalidResponse(str(error)) from error
    return None
