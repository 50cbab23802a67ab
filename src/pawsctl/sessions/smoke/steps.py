"""The steps of the bot's session flow: each uses the store as the bot does, and checks it."""

import time
from collections.abc import Callable

import msgspec

from pawsctl import durations
from pawsctl.sessions.contract import keys
from pawsctl.sessions.contract.keyspace import BOT, Keyspace
from pawsctl.sessions.contract.model import Document
from pawsctl.sessions.contract.rules import MAX_MESSAGES, MAX_TURNS
from pawsctl.sessions.smoke.bot import SEEN_TTL_SECONDS
from pawsctl.sessions.smoke.flow import Flow, expect

_SHORT_TTL_SECONDS = 1
_EXPIRY_DEADLINE_SECONDS = 5.0


def user(text: str) -> Document:
    """Return a message of the user."""
    return {"role": "user", "content": text}


def assistant(*blocks: Document) -> Document:
    """Return a message of the bot."""
    return {"role": "assistant", "content": list(blocks)}


def said(text: str) -> Document:
    """Return a text block."""
    return {"type": "text", "text": text}


def _connect(flow: Flow) -> str:
    flow.store.connection.ping()
    return flow.store.connection.target.url


def _first_message(flow: Flow) -> str:
    expect(flow.store.load(flow.phone) is None, "a new phone already has a session")
    flow.append(user("Hola, quiero registrar a mi perro 🐶"))
    session = flow.load(flow.phone)
    expect(session["status"] == "active", "the status is not active")
    expect(len(session["messages"]) == 1, "there is not exactly one message")
    return f"{len(flow.stored)} bytes stored"


def _its_ttl(flow: Flow) -> str:
    space = flow.store.keyspace
    return flow.expect_ttl(space.key(flow.phone), space.ttl)


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
    value = flow.store.connection.call("GET", flow.store.keyspace.key(flow.phone))
    expect(value == flow.stored, "the bytes loaded are not the bytes stored")
    return f"{len(flow.stored)} bytes, the same"


def _touch(flow: Flow) -> str:
    key, ttl = flow.store.keyspace.key(flow.phone), flow.store.keyspace.ttl
    before = flow.load(flow.phone)["updatedAt"]
    flow.store.connection.call("EXPIRE", key, max(1, ttl // 2))
    expect(flow.store.touch(flow.phone), "touch did not find the session")
    left = flow.expect_ttl(key, ttl)
    expect(flow.load(flow.phone)["updatedAt"] == before, "touch changed updatedAt")
    return left


def _trim(flow: Flow) -> str:
    exchange = [each for n in range(1, 13) for each in (user(f"p{n}"), assistant(said(f"r{n}")))]
    # Messages before the first user's message are a turn of their own: the thirteenth.
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


Step = tuple[str, Callable[[Flow], str]]

_STEPS: tuple[Step, ...] = (
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


def steps_of(keyspace: Keyspace) -> list[Step]:
    """Return the steps, each with its name, for a bot that keeps its sessions in `keyspace`.

    Seen marks are known for the bot's own prefix alone: elsewhere no mark is written.
    """
    names = {}
    if keyspace.ttl != BOT.ttl:
        names["TTL of six hours"] = f"TTL of {durations.text(keyspace.ttl)}"
    return [
        (names.get(name, name), step)
        for name, step in _STEPS
        if keyspace.is_bots or step is not _seen
    ]
