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


def test_a_pseudonym_stays_the_same_in_every_version() -> None:
    """Outputs of two times can be compared."""
    mask = Mask(b"key")
    assert mask.name("+59899123456") == "+0616141751269586"
    assert mask.name("maria") == mask.name("maria") != mask.name("mario")
    assert mask.name("abc") == "masked-d1b4465edd633549"
    assert (mask.call("a"), mask.call("")) == ("masked_5ce4bbd90b1c783834f2", "")


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
        ("%2B5491155501234 and \\u002b5491155501234", f"{P} and {P}"),
        (
            "redis://5491155501234:1/0 and /tmp/5491155501234.jsonl",
            f"redis://{Q}:1/0 and /tmp/{Q}.jsonl",
        ),
        ("temp_image:whatsapp:+5491155501234:1700", f"temp_image:whatsapp:{P}:1700"),
        ("54 911 5550-1234, (54911) 5550-1234", f"{Q}, {Q}"),
        ("'sess:maria' is gone", f"'sess:{MASK.name('maria')}' is gone"),
        *(
            (text, text)
            for text in (
                f"No session for {P}, {Q}; {MASK.key(b'sess:maria', 'sess:')}.",
                "redis://127.0.0.1:16379 took 12345678 bytes in 0.123456789 s",
                "2026-01-31T12:00:00+00:00 and backup 20260131T120000123456Z-flush",
                "On 2026-11-28 09:20 redis://:12345678901@h had 12 34 5, at +02:00",
                "Keys under wh:session:* and wh:session: are 1,234,567.",
            )
        ),
    ],
)
def test_a_sentence_keeps_all_but_the_phones(text: str, shown: str) -> None:
    """A pseudonym, an address, a time or a size stays."""
    assert MASK.sentence(text) == shown


def test_where_counts_stand_a_number_may_have_more_digits() -> None:
    """Ten digits of evicted keys are none of a phone."""
    assert MASK.data("evicted 1234567890 of +5491155501234") == f"evicted 1234567890 of {P}"
    assert MASK.data("file 5491155501234") == f"file {Q}"


def test_a_line_of_a_log_loses_what_it_quotes() -> None:
    """A line that no server wrote may hold anything, and so may one with a word of nobody's."""
    begin = "1:M 28 Nov 2026 16:00:00.000 # "
    line = f"{begin}argv[1]: 'Firulais' \"x y\" of wh:session:+5491155501234"
    assert MASK.log_line(line) == f"{begin}argv[1]: {'█' * 10} █████ of wh:session:{P}"
    assert MASK.log_line("Hola Firulais") == "█" * 13
    for said in ("<lua> Firulais", "Hola Firulais", '""Firulais"" failed'):
        assert MASK.log_line(begin + said) == begin + "█" * len(said)
    for own in (
        "DB saved on disk",
        "Replica 127.0.0.1:6380 asks for synchronization",
        "+switch-master paws 127.0.0.1 6379 127.0.0.1 6380",
        "oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo",
        "No cluster configuration found, I'm 0123456789abcdef0123456789abcdef01234567",
    ):
        assert MASK.log_line(begin + own) == begin + own
