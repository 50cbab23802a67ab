"""The bot's session flow, step by step: each step uses the store as the bot does, and asserts.

To add a step, write a function that takes a Flow and returns a detail, and put it into STEPS.
"""

import secrets
import time
from collections.abc import Callable, Iterator

import msgspec

from pawsctl.errors import Interrupted, PawsctlError, RedisUnreachable
from pawsctl.sessions import keys
from pawsctl.sessions.rules import MAX_MESSAGES, MAX_TURNS, TTL_SECONDS
from pawsctl.sessions.store import SEEN_TTL_SECONDS, BotSessions, Document, SessionStore

_SHORT_TTL_SECONDS = 1
_EXPIRY_DEADLINE_SECONDS = 5.0
# A slow runner may take this long between a write and the look at its TTL.
_TTL_TOLERANCE_SECONDS = 60


class StepResult(msgspec.Struct, frozen=True):
    """How a step went. `detail` says what was seen, or what was expected and not seen."""

    name: str
    ok: bool
    seconds: float
    detail: str


class FlowReport(msgspec.Struct, frozen=True):
    """How the flow went against `target`, a URL without its password."""

    ok: bool
    target: str
    steps: list[StepResult]


class StepFailed(Exception):
    """What was expected and not seen."""


class Flow:
    """One run of the flow, on phones of 16 random digits: longer than any real number.

    Runs beside each other, and after one that was killed, never meet; each key has a TTL from its
    first write.
    """

    def __init__(self, store: BotSessions) -> None:
        self.store = store
        self.phone, self.trimmed, self.short = (keys.nobodys_phone() for _ in range(3))
        self.message_id = f"pawsctl-{secrets.token_hex(8)}"
        self.stored = b""

    def clean_up(self) -> PawsctlError | None:
        """Delete every key the flow may have written; why some may be left, and which."""
        written = self.store.connection.ledger.outcome()
        if not written.done and not written.unknown:
            return None
        phones = (self.phone, self.trimmed, self.short)
        names = [keys.session_key(phone) for phone in phones] + [keys.seen_key(self.message_id)]
        try:
            while names:
                self.store.connection.call("DEL", names[0])
                names.pop(0)
        except PawsctlError as error:
            left = ", ".join(map(keys.key_text, names))
            return error.adding(
                after=f"So these keys may be left: {left}.",
                hint="What is left expires by itself within six hours.",
                counts={"unknown": len(names)},
            )
        return None

    def append(self, *messages: Document) -> None:
        """Append to the conversation and keep what was stored."""
        self.stored = self.store.append(self.phone, *messages)

    def load(self, phone: str) -> Document:
        """The session of a phone, which must be there."""
        session = self.store.load(phone)
        expect(session is not None, "the session that was just saved is gone")
        return session or {}

    def ttl(self, key: bytes) -> float:
        """Seconds left for a key: -0.001 for never, -0.002 for no such key."""
        return float(self.store.connection.call("PTTL", key)) / 1000

    def expect_ttl(self, key: bytes, seconds: int) -> str:
        """That a key was given `seconds` to live just now."""
        left = self.ttl(key)
        expect(
            seconds - _TTL_TOLERANCE_SECONDS <= left <= seconds,
            f"expected a TTL of {seconds} s, found {left:.0f} s",
        )
        return f"{left:.0f} s left"


def expect(holds: bool, otherwise: str) -> None:
    """Raises StepFailed, saying `otherwise`, where a condition does not hold."""
    if not holds:
        raise StepFailed(otherwise)


def user(text: str) -> Document:
    """A message of the user."""
    return {"role": "user", "content": text}


def assistant(*blocks: Document) -> Document:
    """A message of the bot."""
    return {"role": "assistant", "content": list(blocks)}


def said(text: str) -> Document:
    """A text block."""
    return {"type": "text", "text": text}


def _connect(flow: Flow) -> str:
    expect(flow.store.connection.call("PING") == b"PONG", "PING was not answered with PONG")
    return flow.store.connection.target.url


def _first_message(flow: Flow) -> str:
    expect(flow.store.load(flow.phone) is None, "a new phone already has a session")
    flow.append(user("Hola, quiero registrar a mi perro 🐶"))
    session = flow.load(flow.phone)
    expect(session["status"] == "active", "the status is not active")
    expect(len(session["messages"]) == 1, "there is not exactly one message")
    return f"{len(flow.stored)} bytes stored"


def _its_ttl(flow: Flow) -> str:
    return flow.expect_ttl(keys.session_key(flow.phone), TTL_SECONDS)


def _answer(flow: Flow) -> str:
    flow.append(assistant(said("¡Hola! ¿Cómo se llama?")))
    roles = [message["role"] for message in flow.load(flow.phone)["messages"]]
    expect(roles == ["user", "assistant"], f"the roles are {roles}")
    return "user, assistant"


def _tool_call(flow: Flow) -> str:
    call_id = "toolu_pawsctl"
    pet = {"name": "Firulais", "dateOfBirth": "15 de enero de 2022", "species": "DOG"}
    result = {"type": "tool_result", "tool_use_id": call_id, "content": '{"ok":true}'}
    flow.append(
        user("Firulais"),
        assistant({"type": "tool_use", "id": call_id, "name": "register_pet", "input": pet}),
        user("__TOOL_RESULTS__" + msgspec.json.encode([result]).decode()),
        assistant(said("¡Listo! Registré a Firulais.")),
    )
    messages = flow.load(flow.phone)["messages"]
    expect(len(messages) == 6, f"expected 6 messages, found {len(messages)}")
    expect(messages[3]["content"][0]["id"] == call_id, "the tool call was not stored as it was")
    return "register_pet called and answered"


def _load(flow: Flow) -> str:
    value = flow.store.connection.call("GET", keys.session_key(flow.phone))
    expect(value == flow.stored, "the bytes loaded are not the bytes stored")
    return f"{len(flow.stored)} bytes, the same"


def _touch(flow: Flow) -> str:
    key = keys.session_key(flow.phone)
    before = flow.load(flow.phone)["updatedAt"]
    flow.store.connection.call("EXPIRE", key, TTL_SECONDS // 2)
    expect(flow.store.touch(flow.phone), "touch did not find the session")
    left = flow.expect_ttl(key, TTL_SECONDS)
    expect(flow.load(flow.phone)["updatedAt"] == before, "touch changed updatedAt")
    return left


def _trim(flow: Flow) -> str:
    exchange = [each for n in range(1, 13) for each in (user(f"p{n}"), assistant(said(f"r{n}")))]
    # What comes before the first user's message is a turn of its own: the thirteenth.
    flow.store.append(flow.trimmed, assistant(said("r0")), *exchange[:-1])
    count = len(flow.load(flow.trimmed)["messages"])
    expect(count == MAX_MESSAGES, f"{MAX_MESSAGES} messages became {count}")
    flow.store.append(flow.trimmed, exchange[-1])
    left = flow.load(flow.trimmed)["messages"]
    expect(left == exchange, f"{len(left)} messages are left of 13 turns")
    flow.store.append(flow.trimmed, user("p13"))
    contents = [m["content"] for m in flow.load(flow.trimmed)["messages"] if m["role"] == "user"]
    wanted = [f"p{n}" for n in range(2, 14)]
    expect(contents == wanted, f"the turns left are {contents}")
    return f"25 messages became {MAX_TURNS} turns"


def _seen(flow: Flow) -> str:
    expect(not flow.store.is_seen(flow.message_id), "a new message id was seen before")
    flow.store.mark_seen(flow.message_id)
    expect(flow.store.is_seen(flow.message_id), "a message id that was marked is not seen")
    return flow.expect_ttl(keys.seen_key(flow.message_id), SEEN_TTL_SECONDS)


def _expiry(flow: Flow) -> str:
    session: Document = {"status": "active", "messages": [user("Hola")]}
    flow.store.save(flow.short, session, ttl=_SHORT_TTL_SECONDS)
    begun = time.monotonic()
    while flow.store.load(flow.short) is not None:
        waited = time.monotonic() - begun
        expect(
            waited < _EXPIRY_DEADLINE_SECONDS,
            f"a TTL of {_SHORT_TTL_SECONDS} s was not over after {waited:.1f} s",
        )
        time.sleep(0.02)
    return f"gone after {time.monotonic() - begun:.1f} s"


def _end(flow: Flow) -> str:
    expect(flow.store.end(flow.phone), "end found no session")
    expect(flow.store.load(flow.phone) is None, "the session is still there")
    return "deleted"


STEPS: tuple[tuple[str, Callable[[Flow], str]], ...] = (
    ("connect", _connect),
    ("first message", _first_message),
    ("TTL of six hours", _its_ttl),
    ("answer", _answer),
    ("tool call and result", _tool_call),
    ("load what was stored", _load),
    ("touch renews the TTL", _touch),
    ("trim to 12 turns", _trim),
    ("message seen once", _seen),
    ("expiry", _expiry),
    ("end deletes", _end),
)


def run(
    store: SessionStore, *, max_latency: float | None, done: Callable[[StepResult], None]
) -> FlowReport:
    """Run all steps, telling `done` of each; what was written is deleted whatever happens.

    `max_latency` is in seconds: a step in which a single round trip took longer fails. After a
    failed step the rest is not run, since each builds on the one before. Raises RedisUnreachable.
    """
    flow = Flow(BotSessions(store.connection))
    results = []
    store.connection.connect()
    store.connection.ledger.begin()
    try:
        for result in _results(flow, max_latency):
            results.append(result)
            done(result)
    except PawsctlError as error:
        if uncleaned := flow.clean_up():
            raise error.adding(
                after=uncleaned.message, hint=uncleaned.hint, counts=uncleaned.counts
            ) from error
        raise
    except KeyboardInterrupt as error:
        if uncleaned := flow.clean_up():
            raise Interrupted(
                f"Interrupted. {uncleaned.message}", hint=uncleaned.hint, counts=uncleaned.counts
            ) from error
        raise
    if uncleaned := flow.clean_up():
        raise uncleaned
    return FlowReport(all(result.ok for result in results), store.connection.target.url, results)


def _results(flow: Flow, max_latency: float | None) -> Iterator[StepResult]:
    failed = ""
    for name, step in STEPS:
        if failed:
            yield StepResult(
                name, ok=False, seconds=0.0, detail=f"not run, since '{failed}' failed"
            )
            continue
        result = _run_step(flow, name, step, max_latency)
        if not result.ok:
            failed = name
        yield result


def _run_step(
    flow: Flow, name: str, step: Callable[[Flow], str], max_latency: float | None
) -> StepResult:
    connection = flow.store.connection
    connection.slowest = 0.0
    begun = time.perf_counter()
    try:
        detail, ok = step(flow), True
        if max_latency is not None and connection.slowest > max_latency:
            slowest, limit = connection.slowest * 1000, max_latency * 1000
            detail, ok = f"an operation took {slowest:.1f} ms, more than {limit:g} ms", False
    except StepFailed as error:
        detail, ok = str(error), False
    except RedisUnreachable:
        raise
    except PawsctlError as error:
        detail, ok = error.message, False
    except (KeyError, IndexError, TypeError) as error:
        detail, ok = f"the session loaded has another shape ({error!r})", False
    return StepResult(name, ok=ok, seconds=time.perf_counter() - begun, detail=detail)
