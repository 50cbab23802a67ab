"""Pseudonyms, and sentences that name sessions."""

import pytest

from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.sessions.contract.mask import Mask

MASK = Mask(b"key", ("wh:session:", "sess:"))
P, Q = MASK.name("+5491155501234"), MASK.name("5491155501234")


def test_a_pseudonym_is_a_phone_of_nobody_that_differs_in_its_plus_as_the_phone_does() -> None:
    """It follows from the phone and the key; what is no phone has one of another form."""
    assert P == Mask(b"key").name("+5491155501234") != Mask(b"other").name("+5491155501234")
    assert len(P) == 17
    assert f"+{Q}" == P
    assert P.startswith("+0")
    assert MASK.name("maria").startswith("masked-")
    assert MASK.name("") == ""
    assert MASK.key(b"wh:seen:SM123", "wh:session:").startswith("wh:seen:masked-")
    assert "temp" not in MASK.key(b"temp_image:+5491155501234:1", "wh:session:")
    assert Keyspace(mask=MASK).shown_key(b"wh:session:+5491155501234") == f"wh:session:{P}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("No session for +5491155501234.", f"No session for {P}."),
        ("There is 5491155501234, too", f"There is {Q}, too"),
        ("whatsapp:+54 (911) 5550-1234 wrote", f"whatsapp:{P} wrote"),
        ("wh:session:+5491155501234 holds a list", f"wh:session:{P} holds a list"),
        (
            "wh:session:+5491155501234, wh:session:5491155501234.",
            f"wh:session:{P}, wh:session:{Q}.",
        ),
        ("'sess:maria' is gone", f"'sess:{MASK.name('maria')}' is gone"),
        *(
            (text, text)
            for text in (
                f"No session for {P}, {Q}; {MASK.key(b'sess:maria', 'sess:')}.",
                "redis://127.0.0.1:16379 took 12345678 bytes in 0.123456789 s",
                "2026-01-31T12:00:00+00:00 and backup 20260131T120000123456Z-flush",
                "Keys under wh:session:* and wh:session: are 1,234,567.",
            )
        ),
    ],
)
def test_a_sentence_keeps_all_but_the_phones(text: str, shown: str) -> None:
    """A pseudonym, an address, a time or a size stays."""
    assert MASK.sentence(text) == shown


def test_a_line_of_a_log_loses_what_it_quotes() -> None:
    """A line that no server wrote may hold anything."""
    line = (
        "1:M 28 Nov 2026 16:00:00.000 # == argv[1]: 'Firulais' \"x y\" of wh:session:+5491155501234"
    )
    shown = MASK.log_line(line)
    assert shown.startswith("1:M 28 Nov 2026 16:00:00.000 # == argv[1]: █")
    assert "Firulais" not in shown
    assert shown.endswith(f"wh:session:{P}")
    assert MASK.log_line("Hola Firulais") == "█" * 13
    assert "Firulais" not in MASK.log_line("1:M 28 Nov 2026 16:00:00.000 # <lua> Firulais")
