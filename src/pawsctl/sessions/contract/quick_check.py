"""A quick check that knows most sound sessions as sound; `rules` decide on the others. Pure.

A pass over a million sessions would spend half of its time on the rules, and nearly all are sound.
"""

from collections.abc import Sequence

import msgspec

from pawsctl.sessions.contract.decode import BotMessage, BotSession, ToolUse, UserMessage, answers
from pawsctl.sessions.contract.model import TOOL_RESULTS

_DIGITS = b"0123456789"
# Bytes are found six times as quickly by their numbers.
_UNDERSCORE, _BACKSLASH = b"_\\"


class Limits(msgspec.Struct, frozen=True):
    """Limits of a clean session: its key's prefix, and the most time and messages that it has."""

    plus: bytes
    ttl_ms: int
    messages: int


Stored = tuple[bytes, int, bytes]
"""A session's key, its milliseconds left and its value."""


def is_clean(stored: Stored, session: BotSession, now_ms: float, limits: Limits) -> bool:
    """Return True only if no rule that is marked `is_quick` finds anything, not even a note.

    If it returns False, the rules may still find nothing. The session is the stored one, decoded.
    """
    is_clean_key = stored[0].rstrip(_DIGITS) == limits.plus != stored[0]
    return is_clean_key and is_clean_but_for_key(stored, session, now_ms, limits)


def are_clean_keys(keys: Sequence[bytes], limits: Limits) -> bool:
    """Return True only if each key is the prefix, a + and digits, in a third of the time."""
    plus = limits.plus
    # What is between two keys that begin alike begins so, too; the least would be the shortest.
    least, greatest = min(keys, default=plus), max(keys, default=plus)
    return (
        least != plus
        and least.startswith(plus)
        and greatest.startswith(plus)
        and b"".join(keys).translate(None, _DIGITS) == plus * len(keys)
    )


def is_clean_but_for_key(
    stored: Stored, session: BotSession, now_ms: float, limits: Limits
) -> bool:
    """Return what `is_clean` returns for a session whose key is clean."""
    _, ttl_ms, value = stored
    return (
        0 <= ttl_ms <= limits.ttl_ms
        and 0 <= session.updated_at <= now_ms
        and len(session.messages) <= limits.messages
        # Neither a tool call nor a result can be spelt without one of them.
        and (
            (_UNDERSCORE not in value and _BACKSLASH not in value)
            or _are_answered(session.messages)
        )
    )


def _are_answered(messages: Sequence[UserMessage | BotMessage]) -> bool:
    """Return whether each message calls one tool at most, and the next alone answers it."""
    call: ToolUse | None = None
    for message in messages:
        # A branch for each class: Python reads a field quickly where it always is of one class.
        if type(message) is UserMessage:
            text = message.content
            # Nearly all texts begin with another character, which is seen without a call.
            if text and text[0] == "_" and text.startswith(TOOL_RESULTS):
                if call is None or not answers(text, call.id):
                    return False
                call = None
            elif call is not None:
                return False
            continue
        content = message.content
        if call is not None:
            return False
        if type(content) is str:
            if content.startswith(TOOL_RESULTS):
                return False
            continue
        for block in content:
            if type(block) is ToolUse:
                if call is not None:
                    return False
                call = block
    # A call at the end may have been open for too long.
    return call is None
