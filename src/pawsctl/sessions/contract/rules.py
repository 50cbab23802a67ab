"""The rules that stored sessions follow, the bot's contract, each with an id. Pure.

`session list` shows the first problem of each session, `session lint` all of them. A rule is one
entry of RULES: nothing else decides whether a session is sound.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from pawsctl import durations
from pawsctl.sessions.contract import decode, model, quick_check, tool_calls, update_time
from pawsctl.sessions.contract.decode import BotSession
from pawsctl.sessions.contract.keyspace import BOT, Keyspace
from pawsctl.sessions.contract.model import Problem, Reading, Record, Session
from pawsctl.sessions.contract.quick_check import Limits

MAX_MESSAGES = 24
MAX_TURNS = 12

Check = Callable[[Record, Session, float], Iterable[str | Problem]]
Level = Literal["problem", "warning", "note"]


class Rule(msgspec.Struct, frozen=True):
    """A rule: its id, a sentence about it, and the check that finds how it is broken.

    A check gets the record, the session and the time now in milliseconds since the epoch. It
    returns clauses that say how the rule is broken, or Problems, which may be of another rule. A
    rule without a check is checked while decoding, or by another rule's check. Only a rule of the
    level `problem` makes a session unsound. `needs_session` is false if the check uses the record
    alone. `is_quick` says that the check finds nothing in what `quick_check` knows as clean.
    """

    id: str
    about: str
    check: Check | None = None
    level: Level = "problem"
    needs_session: bool = True
    is_quick: bool = False


class Checks(msgspec.Struct, frozen=True):
    """The rules of a keyspace that have a check; `quick_check` with its limits leaves the slow."""

    keyspace: Keyspace
    rules: Sequence[Rule]
    slow: Sequence[Rule]
    limits: Limits
    begin: int


def read(record: Record, keyspace: Keyspace = BOT) -> Reading:
    """Decode a record's value; one of another application's sessions is not looked into."""
    if record.value is None:
        return Reading(None, [Problem("type", f"the key holds a {record.type}, not a string")])
    if keyspace.is_raw:
        return Reading(None, [])
    return decode.read(record.value)


def findings(
    record: Record, reading: Reading, now_ms: float, using: Checks | None = None
) -> Iterator[Problem]:
    """Yield all findings on a session, notes too; those that make it unreadable come first."""
    yield from reading.problems
    using = using or checks()
    if record.value is None and using.keyspace.is_raw:
        # Another program's key: how long it lives is its own affair.
        return
    wanted = using.rules
    rules = [rule for rule in wanted if reading.session is not None or not rule.needs_session]
    yield from _checked(record, reading.session or _NOTHING, now_ms, rules)


def problems(
    record: Record, reading: Reading, now_ms: float, using: Checks | None = None
) -> Iterator[Problem]:
    """Return all problems of a session; those that make it unreadable come first."""
    found = findings(record, reading, now_ms, using)
    return (each for each in found if level(each) == "problem")


def level(problem: Problem) -> Level:
    """Return the level of the rule that is broken."""
    return next((rule.level for rule in RULES if rule.id == problem.rule), "problem")


def of(keyspace: Keyspace) -> Sequence[Rule]:
    """Return the rules for sessions of a keyspace."""
    if keyspace == BOT:
        return RULES
    rules = [rule for rule in RULES if not keyspace.is_raw or rule.id in _OF_ANY_VALUE]
    own = {"no-ttl": _ttl_of(keyspace), "key": _key_of(keyspace)}
    about = {"long-ttl": _about_ttl(keyspace)}
    if not keyspace.ttl:
        about = dict.fromkeys(("no-ttl", "long-ttl"), "the session may have any TTL, or none")
    return [
        msgspec.structs.replace(
            rule, check=own.get(rule.id, rule.check), about=about.get(rule.id, rule.about)
        )
        for rule in rules
    ]


def checks(keyspace: Keyspace = BOT) -> Checks:
    """Return the rules as they are now, to be passed as `using` in a pass over many sessions."""
    found = [rule for rule in of(keyspace) if rule.check is not None]
    slow = [rule for rule in found if not rule.is_quick]
    limits = Limits(keyspace.prefix.encode() + b"+", keyspace.ttl * 1000, MAX_MESSAGES)
    return Checks(keyspace, found, slow, limits, len(keyspace.prefix))


def is_sound(
    record: Record, session: BotSession, now_ms: float, using: Checks | None = None
) -> bool:
    """Return whether a session from `read_quickly` breaks no rule; there may be notes on it.

    A pass over a million calls this for each: it should call `checks` once and pass the result as
    `using`.
    """
    if record.value is None:
        return False
    using = using or checks()
    left = using.slow if _is_clean(record, session, now_ms, using) else using.rules
    # No rule is left for nearly all.
    return not left or all(
        level(each) != "problem" for each in _checked(record, session, now_ms, left)
    )


def judged(record: Record, now_ms: float, using: Checks | None = None) -> list[Problem]:
    """Decode a record and return its findings, notes too; `using` as for `is_sound`."""
    using = using or checks()
    session = None
    if record.value is not None and not using.keyspace.is_raw:
        session = decode.read_quickly(record.value)
    if session is None:
        return list(findings(record, read(record, using.keyspace), now_ms, using))
    left = using.slow if _is_clean(record, session, now_ms, using) else using.rules
    return _checked(record, session, now_ms, left)


def _is_clean(record: Record, session: BotSession, now_ms: float, using: Checks) -> bool:
    stored = (record.key, record.ttl_ms, record.value or b"")
    return quick_check.is_clean(stored, session, now_ms, using.limits)


def _checked(
    record: Record, session: Session, now_ms: float, using: Sequence[Rule]
) -> list[Problem]:
    found: list[Problem] = []
    for rule in using:
        check = rule.check
        if check is not None:
            for each in check(record, session, now_ms):
                found.append(each if isinstance(each, Problem) else Problem(rule.id, each))
    return found


def _messages(_record: Record, session: Session, _now: float) -> Iterable[Problem]:
    found = _trim(session)
    if type(session) is BotSession:
        # Decoding has checked the rest.
        return found
    for number, message in enumerate(session.messages, 1):
        role, content = message.role, message.content
        if role not in ("user", "assistant", "tool", "?"):
            found.append(Problem("role", f"message {number} has the role '{role}'"))
        if isinstance(content, list):
            if role == "user":
                what = f"content of message {number} is a list, and a user's is a text"
                found.append(Problem("content", what))
            elif any(block.type == "text" and not block.text for block in content):
                found.append(Problem("empty-text", f"message {number} has an empty text block"))
    return found


def _trim(session: Session) -> list[Problem]:
    count = len(session.messages)
    if count <= MAX_MESSAGES:
        return []
    if len(model.turns([each.role for each in session.messages])) <= MAX_TURNS:
        return []
    what = f"{count} messages in more than {MAX_TURNS} turns: the bot would have trimmed them"
    return [Problem("trim", what)]


def _update_time(_record: Record, session: Session, now_ms: float) -> Iterable[str]:
    return update_time.faults(session, now_ms)


def _traffic(record: Record, session: Session, now_ms: float) -> Iterable[Problem]:
    if type(session) is BotSession and record.value is not None:
        # Many have no tools; one byte is found at once. A foreign writer may escape a name.
        value = record.value
        if _UNDERSCORE not in value and _BACKSLASH not in value:
            return ()
        if _CALL not in value and _RESULTS not in value and _ESCAPE not in value:
            return ()
    return tool_calls.faults(session.messages, left_open=update_time.left_open(session, now_ms))


def _ttl_of(keyspace: Keyspace) -> Check:
    # With no limit, all are sound.
    longest_ms = keyspace.ttl * 1000 if keyspace.ttl else math.inf
    shortest_ms = 0 if keyspace.ttl else -1

    def check(record: Record, _session: Session, _now: float) -> Iterable[Problem]:
        if shortest_ms <= record.ttl_ms <= longest_ms:
            return ()
        if record.ttl_ms < 0:
            return (Problem("no-ttl", "the session never expires"),)
        longest = durations.text(keyspace.ttl)
        return (Problem("long-ttl", f"the session lives {record.ttl} s, longer than {longest}"),)

    return check


def _about_ttl(keyspace: Keyspace) -> str:
    return f"the session expires within {durations.text(keyspace.ttl)}"


def _key_of(keyspace: Keyspace) -> Check:
    no_digit = keyspace.prefix.encode()
    plus = no_digit + b"+"
    normalised = re.compile(re.escape(no_digit) + rb"([0-9+]*[0-9][0-9+]*)?")

    def check(record: Record, _session: Session, _now: float) -> Iterable[str | Problem]:
        key = record.key
        # Nearly all are a + and digits; this test is five times as quick as the pattern.
        if key.rstrip(b"0123456789") == plus and key != plus:
            return ()
        if normalised.fullmatch(key) is None:
            return ("the bot would never make this key: it keeps digits and + only",)
        if key == no_digit:
            what = "the bot got a phone without digits; whoever writes so again shares this session"
            return (Problem("no-digit", what),)
        return ()

    return check


RULES = (
    Rule("type", "the key holds a string"),
    Rule("utf-8", "the value is UTF-8"),
    Rule("json", "the value is JSON"),
    Rule("shape", "the value is an object with a status"),
    Rule("messages", "messages is a list of objects"),
    Rule("role", "each message has the role user, assistant or tool", _messages, is_quick=True),
    Rule("content", "a user's content is a text, the bot's a text or a list of blocks"),
    Rule("empty-text", "no text block is empty: the bot's model refuses it"),
    Rule(
        "tool-result",
        "tool results can be read and answer the calls before them",
        _traffic,
        is_quick=True,
    ),
    Rule("unanswered-call", "a tool call is followed by its result, or the bot is stuck"),
    Rule("late-result", "tool results follow their calls at once, or the bot is stuck"),
    Rule("missing-result", "all tool calls of a message get their results, or the bot is stuck"),
    Rule("repeated-result", "a tool call gets one result, or the bot is stuck"),
    Rule("empty-results", "no list of tool results is empty, or the bot is stuck"),
    Rule("open-call", "a tool call at the end is not two minutes old, or the bot is stuck"),
    Rule("headless-result", "results at the beginning have their calls", level="note"),
    Rule("updated-at", "updatedAt is a date that has come", _update_time, is_quick=True),
    Rule("trim", "more than 24 messages are trimmed to 12 turns"),
    Rule("no-ttl", "the session expires", _ttl_of(BOT), needs_session=False, is_quick=True),
    Rule("long-ttl", _about_ttl(BOT)),
    Rule(
        "key",
        "the key is one that the bot makes",
        _key_of(BOT),
        needs_session=False,
        is_quick=True,
    ),
    Rule("no-digit", "the key has a phone's digits", level="warning"),
)
# The rules that hold for string values of any application.
_OF_ANY_VALUE = ("no-ttl", "long-ttl")
_NOTHING = Session("", [], None)
# Bytes are found six times as quickly by their numbers.
_UNDERSCORE, _BACKSLASH = b"_\\"
_CALL, _RESULTS, _ESCAPE = b'"tool_use"', model.TOOL_RESULTS.encode(), b"\\u00"
