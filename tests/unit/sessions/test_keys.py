"""How a phone becomes a key."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl.errors import UsageError
from pawsctl.sessions.contract import keys
from pawsctl.sessions.contract.keyspace import BOT


@pytest.mark.parametrize(
    "phone", ["+1 (234) 567-890", "whatsapp:+1234567890", "+1234567890", "+1-234-567-890"]
)
def test_every_spelling_of_a_phone_is_one_session(phone: str) -> None:
    """All spellings in the contract give the same key."""
    assert BOT.key(phone) == b"wh:session:+1234567890"


def test_a_number_without_plus_is_another_key() -> None:
    """The bot checks nothing else of a phone."""
    assert BOT.key("123") == b"wh:session:123"


def test_digits_of_other_scripts_are_taken_out_as_javascript_does() -> None:
    """In JavaScript, only 0 to 9 are digits in a regular expression."""
    assert BOT.key("+1٢3") == b"wh:session:+13"


def test_a_whole_key_is_used_as_it_stands() -> None:
    """This names keys that the bot would never make, in any bytes."""
    assert BOT.key("wh:session:a b") == b"wh:session:a b"
    assert BOT.key("wh:session:\udcff") == b"wh:session:\xff"


@pytest.mark.parametrize("phone", ["", "+", "whatsapp:", "abc", "٢"])
def test_what_has_no_digit_is_wrong_usage(phone: str) -> None:
    """It can't be meant as a phone."""
    with pytest.raises(UsageError):
        BOT.key(phone)


@given(st.text())
def test_a_key_is_normalised_or_refused(phone: str) -> None:
    """Any input gives a key that the bot could have made, or an error."""
    try:
        key = BOT.key(phone)
    except UsageError:
        return
    assert phone.startswith(keys.SESSION_PREFIX) or re.fullmatch(
        rb"wh:session:([0-9+]*[0-9][0-9+]*)?", key
    )


@given(st.from_regex(r"\+?[0-9]{1,15}", fullmatch=True))
def test_a_phone_comes_back_from_its_key(phone: str) -> None:
    """`name_of` reverses `key` for normalised phones."""
    assert BOT.name_of(BOT.key(phone)) == phone


@given(st.binary())
def test_any_key_can_be_shown(key: bytes) -> None:
    """A key of any bytes becomes text that JSON can contain."""
    assert not re.search("[\ud800-\udfff]", keys.key_text(key))


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        (r"a\xff", [b"a\xff"]),
        # A byte that is no UTF-8, or a control character.
        (r"\x85", [b"\x85", b"\xc2\x85"]),
        (r"\x1f", [b"\x1f"]),
        (r"\u200e", ["\u200e".encode()]),
        (r"\U000e0001", ["\U000e0001".encode()]),
        (r"a\\xff", [b"a\\\xff"]),
        # These are shown in another way, if there are such keys at all.
        *((each, []) for each in (r"\Uffffffff", r"a\x00", "plain", r"\xc3\xa9", r"\u00e9")),
    ],
)
def test_the_keys_behind_what_is_shown(shown: str, found: list[bytes]) -> None:
    """A person copies an escape from a list, and the key has the byte."""
    assert keys.behind(shown) == found


def test_a_shell_word_has_only_plain_characters() -> None:
    """All that bash or zsh would change in it is escaped."""
    assert keys.shell_word(b"a +~\x1f\x7f'\\\xff") == r"$'a +~\x1f\x7f\x27\x5c\xff'"
