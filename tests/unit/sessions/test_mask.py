"""Pseudonyms, and texts in which names are replaced by them."""

import pytest

from pawsctl.sessions.contract.mask import Mask

MASK = Mask(b"key")
PHONE = "+0616141751269586"
TIME = "1:M 29 Nov 2026 10:02:20.508 * "


@pytest.mark.parametrize(
    ("name", "pseudonym"),
    [
        ("+59899123456", PHONE),
        ("59899123456", PHONE.removeprefix("+")),
        ("lucrecia", "masked-b67577969d9d7c28"),
        ("", ""),
    ],
)
def test_a_name_has_the_same_pseudonym_for_good(name: str, pseudonym: str) -> None:
    """Copies that were masked with one key by two versions can be compared."""
    assert MASK.name(name) == pseudonym


@pytest.mark.parametrize("end", ["", ".", ": it", "..", " and more."])
def test_all_else_of_a_sentence_stays(end: str) -> None:
    """Also what stands right behind a key."""
    shown = MASK.sentence(f"See wh:session:+59899123456{end}")
    assert shown == f"See wh:session:{PHONE}{end}"


@pytest.mark.parametrize(
    ("message", "is_shown"),
    [("Server initialized", True), ("<lua> Server initialized", False), ("Lucía", False)],
)
def test_a_log_has_only_words_of_servers(message: str, is_shown: bool) -> None:
    """A script may log what it will, in whatever words."""
    shown = message if is_shown else "█" * len(message)
    assert MASK.log_line(TIME + message) == TIME + shown
