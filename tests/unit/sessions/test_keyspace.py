"""Keyspaces: the bot's and other applications', and what is shown of their keys."""

import json
import re

import pytest

from pawsctl.errors import UsageError
from pawsctl.sessions.contract.keyspace import BOT, Keyspace
from pawsctl.sessions.contract.mask import Mask
from pawsctl.sessions.contract.model import Record

RAW = Keyspace("app:{a}:", 60, "raw")
MASKED = Keyspace(mask=Mask(b"key"))


def test_another_applications_id_is_its_key() -> None:
    """As it stands, in any bytes; a whole key is one, too."""
    assert RAW.key("x y") == RAW.key("app:{a}:x y") == b"app:{a}:x y"
    assert RAW.key("\udcff") == b"app:{a}:\xff"
    assert RAW.name_of(b"app:{a}:x y") == "x y"
    with pytest.raises(UsageError, match="no session's id"):
        RAW.key("")


def test_a_mistyped_phone_is_refused_where_that_matters() -> None:
    """For a command that changes the session."""
    assert BOT.key("+12a", exact=False) == b"wh:session:+12"
    assert BOT.key("+12", exact=True) == b"wh:session:+12"
    with pytest.raises(UsageError, match=r"'\+12a' has 'a' in it") as caught:
        BOT.key("+12a", exact=True)
    assert caught.value.hint == "If you mean that one, name +12."
    with pytest.raises(UsageError) as caught:
        MASKED.key("+12a", exact=True)
    assert "+12" not in f"{caught.value.message}{caught.value.hint}"
    assert caught.value.hint == "If you mean that one, leave 'a' out."


@pytest.mark.parametrize(
    ("keyspace", "is_raw", "is_bots", "tag"),
    [
        (BOT, False, True, b""),
        (RAW, True, False, b"a"),
        (Keyspace(format="raw"), True, False, b""),
        (Keyspace("x{}{b}:"), False, False, b""),
        (Keyspace("x{b}{c}:"), False, False, b"b"),
        (Keyspace("x{b:"), False, False, b""),
    ],
)
def test_what_kind_of_keyspace_it_is(
    keyspace: Keyspace, is_raw: bool, is_bots: bool, tag: bytes
) -> None:
    """The hash tag is what stands in the first braces, if anything does."""
    assert (keyspace.is_raw, keyspace.is_bots, keyspace.hash_tag) == (is_raw, is_bots, tag)


def test_what_is_about_conversations_is_refused_elsewhere() -> None:
    """With what to leave out."""
    BOT.require_bots("--status")
    Keyspace("x:").require_bots("--status")
    for what, hint in (("--status", "Leave it out, or unset"), ("session chat", "Unset SESSION")):
        with pytest.raises(UsageError) as caught:
            RAW.require_bots(what)
        assert caught.value.message.startswith(f"{what} is about the bot's conversations")
        assert caught.value.hint.startswith(hint)


def test_a_key_of_nobody_is_in_the_keyspace() -> None:
    """Its phone begins with 0 and has 17 digits, more than a real one; it is random."""
    found = {Keyspace("x:").nobodys_key() for _ in range(50)}
    assert len(found) == 50
    assert all(re.fullmatch(rb"x:\+00[0-9]{15}", each) for each in found)
    # Nearly all of fifteen digits have no zero at the beginning.
    assert any(each[5:6] != b"0" for each in found)


@pytest.mark.parametrize(
    ("match", "glob"),
    [(None, b"wh:session:*"), ("+1*", b"wh:session:+1*"), ("wh:session:?", b"wh:session:?"),
     ("\udcff", b"wh:session:\xff")],
)  # fmt: skip
def test_a_pattern_stays_in_the_keyspace(match: str | None, glob: bytes) -> None:
    """A glob on the whole key may begin with the prefix."""
    assert BOT.pattern(match) == glob


def test_without_a_mask_all_is_shown_as_it_is() -> None:
    """The same functions are used for both."""
    record = Record(b"wh:session:+12", 5, b"{}")
    assert BOT.shown_name(record.key) == "+12"
    assert BOT.shown_key(record.key) == "wh:session:+12"
    assert BOT.shown_record(record) is record
    for shown in (
        BOT.shown_clause, BOT.shown_status, BOT.shown_typed, BOT.shown_sentence,
        BOT.shown_message,
    ):  # fmt: skip
        assert shown("Lucía +59899123456") == "Lucía +59899123456"


def test_with_a_mask_nothing_private_is_shown() -> None:
    """The pseudonym is the same everywhere."""
    key = b"wh:session:+59899123456"
    name = MASKED.shown_name(key)
    assert re.fullmatch(r"\+0[0-9]{15}", name)
    assert MASKED.shown_key(key) == f"wh:session:{name}"
    value = b'{"status":"active","messages":[],"updatedAt":1}'
    record = MASKED.shown_record(Record(key, 5, value + b" "))
    assert (record.key.decode(), record.value, record.size) == (
        f"wh:session:{name}", value, len(value) + 1,
    )  # fmt: skip
    assert MASKED.shown_status("active") == "active"
    assert MASKED.shown_status("Lucía") == "█████"
    assert MASKED.shown_typed("+59*") == "████"
    assert MASKED.shown_clause("has 'Lucía' in it") == "has '█████' in it"
    assert MASKED.shown_sentence(f"see {key.decode()}") == f"see wh:session:{name}"
    found = json.loads(MASKED.shown_message('{"role":"user","content":"Hola"}'))
    assert found == {"role": "user", "content": "████"}
    raw = Keyspace("app:", 60, "raw", MASKED.mask)
    assert raw.shown_record(Record(b"app:x", 5, b'{"a":1}')).value == ("█" * 7).encode()
    assert raw.shown_record(Record(b"app:x", 5, b"\xff\xff")).value == "██".encode()
    assert raw.shown_record(Record(b"app:x", 5, None, "hash")).size == 0


def test_a_key_is_named_by_its_bytes_unless_it_is_masked() -> None:
    """Its bytes would tell the phone."""
    assert BOT.by_bytes(r"+1\x85") == (
        r"in bash as $'wh:session:+1\x85' or $'wh:session:+1\xc2\x85'"
    )
    assert MASKED.by_bytes(r"+1\x85") == "in bash as $'…'"
