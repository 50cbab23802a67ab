"""A quick check that knows most sound sessions as sound; `rules` decide on the others. Pure.

A pass over a million sessions would spend half of its time on the rules, and nearly all are sound.
"""

import msgspec

from pawsctl.sessions.contract.decode import BotSession, ToolUse, answers
from pawsctl.sessions.contract.model import TOOL_RESULTS, Record

_DIGITS = b"0123456789"


class Limits(msgspec.Struct, frozen=True):
    """Limits of a clean session: its key's prefix, and the most time and messages that it has."""

    plus: bytes
    ttl_ms: int
    messages: int


def is_clean(record: Record, session: BotSession, now_ms: float, limits: Limits) -> bool:
    """Return True only if no rule that is marked `is_quick` finds anything, not even a note.

    If it returns False, the rules may still find nothing. The session is the record's.
    """
    key, messages = record.key, session.messages
    if (
        not 0 <= record.ttl_ms <= limits.ttl_ms
        or not 0 <= session.updated_at <= now_ms
        or len(messages) > limits.messages
        or key.rstrip(_DIGITS) != limits.plus
        or key == limits.plus
    ):
        return False
    # The one tool call that the next message must answer.
    call: ToolUse | None = None
    for message in messages:
        content = message.content
        if type(content) is str:
            if content.startswith(TOOL_RESULTS):
                if call is None or message.role != "user" or not answers(content, call.id):
                    return False
                call = None
            elif call is not None:
                return False
        else:
            if call is not None or message.role != "assistant":
                return False
            for block in content:
                if type(block) is ToolUse:
                    if call is not None:
                        return False
                    call = block
    # A call at the end may have been open for too long.
    return call is None
