"""Made-up sessions for tests, demos and benchmarks, reproducible from a seed number."""

import random
from collections.abc import Callable, Iterator
from itertools import islice

import msgspec

from pawsctl.connection import Account, ErrorReply, Outcome, refused
from pawsctl.connection.scan.one_server import WRITTEN
from pawsctl.errors import UsageError
from pawsctl.sessions.contract.keyspace import BOT, Keyspace
from pawsctl.sessions.contract.model import Document
from pawsctl.sessions.contract.saved import Saved
from pawsctl.sessions.store.accounting import accounted, of_keys
from pawsctl.sessions.store.bulk_writer import BulkWriter
from pawsctl.sessions.store.evictions import Evictions, require_none
from pawsctl.sessions.store.store import SessionStore

# Eight digits after +5989, a mobile number of Uruguay.
MOST = 10**8
# Steps through all eight-digit numbers in an order that looks random.
_STEP = 38_196_601
_CONVERSATIONS = 1_000
_SHORTEST_TTL_MS = 60_000

_NAMES = ("Firulais", "Michi", "Luna", "Toby", "Ñata", "Simón", "Coco", "Pelusa", "Rocky", "Mía")
_OPENINGS = ("Hola", "¡Buenas! 🐶", "Buen día, ¿hay alguien?", "Hola, tengo una consulta 🐱")
_REPLIES = (
    "¡Hola! Soy el asistente de tu veterinaria. ¿En qué te puedo ayudar hoy?",
    "¡Claro! Contame un poco más, por favor: ¿desde cuándo lo notás y cómo está comiendo?",
    "Gracias por avisar. Si sigue así mañana, conviene que lo vea un veterinario. 🩺",
    "Listo, quedó anotado. Te recuerdo la próxima vacuna unos días antes de la fecha.",
)
_QUESTIONS = (
    "{name} no quiere comer desde ayer y está un poco decaído, ¿qué hago?",
    "¿Cada cuánto hay que desparasitar a {name}?",
    "¿Cuándo le toca la próxima vacuna a {name}?",
    "{name} se rasca mucho la oreja izquierda y a veces llora 😿",
    "Gracias, ¿y cuánto sale la consulta?",
)


class Seeded(msgspec.Struct, frozen=True):
    """The number of sessions written, and the `seed` that makes the same ones again.

    `kept` counts the phones that had a session, which stays as it was. `evicted` is the number of
    keys that Redis dropped meanwhile for lack of memory, None if it does not tell.
    """

    url: str
    sessions: int
    seed: int
    kept: int
    evicted: int | None


def require_local(store: SessionStore) -> None:
    """Raise UsageError if Redis is not on this machine."""
    if foreign := store.connection.foreign_host():
        raise UsageError(
            f"{foreign} is not this machine: made-up sessions don't belong there.",
            hint="Seed a local Redis: 'pawsctl redis up' starts one.",
        )


def seed(
    store: SessionStore, count: int, *, number: int, progress: Callable[[int], None]
) -> Seeded:
    """Write `count` made-up sessions from the seed `number`, none over a session that is there.

    Calls `progress` with the size of each batch. Raises UsageError if Redis is not on this machine,
    OperationFailed if it refuses.
    """
    require_local(store)
    written = kept = 0
    evictions = Evictions(store.connection)
    with accounted(store.connection, _account, evictions=evictions):
        writer = BulkWriter(store, replace=False)
        made = sessions(count, number=number, now_ms=int(writer.now_ms()), keyspace=store.keyspace)
        while batch := list(islice(made, WRITTEN)):
            for each in writer.write(batch):
                if isinstance(each, ErrorReply):
                    raise refused(each)
                written += bool(each)
                kept += not each
            progress(len(batch))
        evicted = evictions.told()
    return Seeded(store.connection.target.url, written, number, kept, evicted)


def require_all(seeded: Seeded) -> None:
    """Raise OperationFailed if keys were evicted meanwhile."""
    require_none(seeded.evicted, again="seed again: what is there is kept")


def _account(outcome: Outcome) -> Account:
    return of_keys("written", outcome, noun="session")


def sessions(count: int, *, number: int, now_ms: int, keyspace: Keyspace = BOT) -> Iterator[Saved]:
    """Yield `count` sessions (at most MOST) of about 1 KB, each with another phone.

    The same `number` gives the same phones, conversations and TTLs, spread from a minute to the
    keyspace's TTL; expiry and `updatedAt` follow from these and `now_ms`, milliseconds since the
    epoch.
    """
    rng = random.Random(number)  # noqa: S311 - no secret is made of it
    conversations = [_conversation(rng) for _ in range(_CONVERSATIONS)]
    digits = rng.randrange(MOST)
    prefix, longest_ms = f"{keyspace.prefix}+5989".encode(), keyspace.ttl * 1000
    shortest_ms = min(_SHORTEST_TTL_MS, longest_ms)
    spread = longest_ms - shortest_ms
    for _ in range(count):
        ttl_ms = shortest_ms + int(rng.random() * spread)
        conversation = conversations[int(rng.random() * _CONVERSATIONS)]
        expires_at = now_ms + ttl_ms
        yield Saved(
            prefix + b"%08d" % digits,
            conversation + b"%d}" % (expires_at - longest_ms),
            expires_at,
        )
        digits = (digits + _STEP) % MOST


def _conversation(rng: random.Random) -> bytes:
    """Return a stored value up to the number of its `updatedAt`."""
    name = rng.choice(_NAMES)
    messages = [_user(rng.choice(_OPENINGS)), _bot(_REPLIES[0])]
    if rng.random() < 0.6:
        messages += _registration(rng, name)
    for _ in range(rng.randrange(4)):
        messages += [_user(rng.choice(_QUESTIONS).format(name=name)), _bot(rng.choice(_REPLIES))]
    if rng.random() < 0.2:
        # The bot has not answered yet.
        messages.append(_user(rng.choice(_QUESTIONS).format(name=name)))
    encoded = msgspec.json.encode({"status": "active", "messages": messages})
    return encoded[:-1] + b',"updatedAt":'


def _registration(rng: random.Random, name: str) -> list[Document]:
    call = f"toolu_{rng.getrandbits(64):016x}"
    born = f"20{rng.randrange(10, 25)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"
    pet = {"name": name, "dateOfBirth": born, "species": rng.choice(("DOG", "CAT"))}
    answer = msgspec.json.encode({"ok": True, "data": {"id": rng.randrange(10**6), **pet}})
    result = {"type": "tool_result", "tool_use_id": call, "content": answer.decode()}
    return [
        _user(f"Quiero registrar a {name}, nació el {born}"),
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": f"Voy a registrar a {name}."},
                {"type": "tool_use", "id": call, "name": "register_pet", "input": pet},
            ],
        },
        _user("__TOOL_RESULTS__" + msgspec.json.encode([result]).decode()),
        _bot(f"¡Listo! {name} quedó en tu ficha. ¿Querés que te avise de sus vacunas?"),
    ]


def _user(text: str) -> Document:
    return {"role": "user", "content": text}


def _bot(text: str) -> Document:
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}
