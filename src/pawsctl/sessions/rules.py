"""What a stored session must be: every rule of the bot's contract, each with an id. Pure.

`session list` shows the first problem of each session, `session lint` all of them.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from pawsctl import durations
from pawsctl.sessions import decoding, keys, model
from pawsctl.sessions.decoding import BotSession
from pawsctl.sessions.model import Block, Message, Problem, Reading, Session

TTL_SECONDS = 21_600
MAX_MESSAGES = 24
MAX_TURNS = 12

# The bot's clock and this machine's need not agree to the second.
_CLOCK_TOLERANCE_MS = 60_000

_TTL_MS = TTL_SECONDS * 1000


class Record(msgspec.Struct, frozen=True):
    """What Redis holds under one session key at one moment.

    `ttl_ms` is milliseconds left, -1 for never. `value` is None where the key is no string, and
    `type` then tells what it is.
    """

    key: bytes
    ttl_ms: int
    value: bytes | None
    type: str = "string"

    @property
    def ttl(self) -> int:
        """Whole seconds left, rounded as Redis's TTL does; -1 for never."""
        return durations.whole_seconds(self.ttl_ms)


Check = Callable[[Record, Session, float], Iterator[str]]


class Rule(msgspec.Struct, frozen=True):
    """A rule with its id, a sentence about it, and the check that yields what breaks it.

    A check gets the record, the session and the time now in milliseconds. A rule without one is
    found while decoding.
    """

    id: str
    about: str
    check: Check | None = None


def read(record: Record) -> Reading:
    """Decode a record's value."""
    if record.value is None:
        return Reading(None, [Problem("type", f"the key holds a {record.type}, not a string")])
    return decoding.read(record.value)


def problems(record: Record, reading: Reading, now_ms: float) -> Iterator[Problem]:
    """Everything that is wrong with a session, what makes it unreadable first."""
    yield from reading.problems
    for rule in RULES:
        if rule.check is None:
            continue
        if reading.session is None and rule.id not in _WITHOUT_SESSION:
            continue
        for message in rule.check(record, reading.session or _NOTHING, now_ms):
            yield Problem(rule.id, message)


def is_sound(record: Record, session: BotSession, now_ms: float) -> bool:
    """Whether a session that was read quickly breaks no rule: the same, told at once.

    Nearly all sessions are sound, and a pass over a million asks this of each.
    """
    value, messages = record.value, session.messages
    return (
        value is not None
        and 0 <= record.ttl_ms <= _TTL_MS
        and 0 <= session.updated_at <= now_ms + _CLOCK_TOLERANCE_MS
        and keys.is_normalised(record.key)
        and (len(messages) <= MAX_MESSAGES or len(model.turns(messages)) <= MAX_TURNS)
        and (_MARK not in value or _are_answers_sound(messages))
    )


def _are_answers_sound(messages: Sequence[Message]) -> bool:
    """Whether all tool results answer the calls before them; roles are `user` and `assistant`."""
    asking: str | list[Block] | None = None
    for message in messages:
        content = message.content
        if message.role == "assistant":
            asking = content
        elif isinstance(content, str) and content.startswith(model.TOOL_RESULTS):
            blocks = asking if isinstance(asking, list) else ()
            called = [block.id for block in blocks if block.type == "tool_use"]
            for each in decoding.answered(content):
                if each not in called:
                    return False
    return True


def broken(record: Record, now_ms: float) -> list[Problem]:
    """Everything that is wrong with a record, decoded and judged at once."""
    session = decoding.read_quickly(record.value) if record.value is not None else None
    if session is not None and is_sound(record, session, now_ms):
        return []
    return list(problems(record, read(record), now_ms))


def _roles(_record: Record, session: Session, _now: float) -> Iterator[str]:
    for number, message in enumerate(session.messages, 1):
        if message.role not in ("user", "assistant", "tool", "?"):
            yield f"message {number} has the role '{message.role}'"


def _tool_results(_record: Record, session: Session, _now: float) -> Iterator[str]:
    asking = None
    for number, message in enumerate(session.messages, 1):
        if message.role == "assistant":
            asking = message
        elif message.role == "tool" or message.is_tool_results:
            wrong = _wrong_answer(message, asking)
            if wrong:
                yield f"message {number} {wrong}"


def _wrong_answer(message: Message, asking: Message | None) -> str:
    """What is wrong with the answers of tools to the assistant's message before them, or ''."""
    answered = [message.tool_use_id]
    if message.role != "tool":
        results = decoding.tool_results(message)
        if results is None:
            return "has tool results that are no JSON list of objects"
        answered = [result.tool_use_id for result in results]
    called = [block.id for block in asking.tool_uses] if asking else []
    return "" if all(each in called for each in answered) else "answers no tool call before it"


def _updated_at(_record: Record, session: Session, now_ms: float) -> Iterator[str]:
    if session.updated_at is None:
        return
    if model.as_time(session.updated_at) is None:
        yield "updatedAt is outside the range of dates"
    elif session.updated_at > now_ms + _CLOCK_TOLERANCE_MS:
        yield f"updatedAt is {(session.updated_at - now_ms) / 1000:.0f} s in the future"


def _trim(_record: Record, session: Session, _now: float) -> Iterator[str]:
    count = len(session.messages)
    if count > MAX_MESSAGES and len(model.turns(session.messages)) > MAX_TURNS:
        yield f"{count} messages in more than {MAX_TURNS} turns: the bot would have trimmed them"


def _no_ttl(record: Record, _session: Session, _now: float) -> Iterator[str]:
    if record.ttl_ms == -1:
        yield "the session never expires"


def _long_ttl(record: Record, _session: Session, _now: float) -> Iterator[str]:
    if record.ttl_ms > _TTL_MS:
        yield f"the session lives {record.ttl} s, longer than 6 h"


def _key(record: Record, _session: Session, _now: float) -> Iterator[str]:
    if not keys.is_normalised(record.key):
        yield "the bot would never make this key: it keeps digits and + only"


RULES = (
    Rule("type", "the key holds a string"),
    Rule("utf-8", "the value is UTF-8"),
    Rule("json", "the value is JSON"),
    Rule("shape", "the value is an object with a status"),
    Rule("messages", "messages is a list of objects"),
    Rule("role", "each message has the role user, assistant or tool", _roles),
    Rule("content", "content is a text or a list of blocks"),
    Rule("tool-result", "tool results can be read and answer the calls before them", _tool_results),
    Rule("updated-at", "updatedAt is a date that has come", _updated_at),
    Rule("trim", "more than 24 messages are trimmed to 12 turns", _trim),
    Rule("no-ttl", "the session expires", _no_ttl),
    Rule("long-ttl", "the session expires within 6 h", _long_ttl),
    Rule("key", "the key is one that the bot makes", _key),
)
_WITHOUT_SESSION = ("no-ttl", "long-ttl", "key")
# As JSON.stringify writes it: an underscore is never escaped.
_MARK = model.TOOL_RESULTS.encode()
_NOTHING = Session("", [], None)
