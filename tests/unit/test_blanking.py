"""Private parts of a text made blank, and findings of an examination."""

import base64
import json

import pytest

from pawsctl.errors import OperationFailed, UsageError
from pawsctl.workflows.doctor import finding
from pawsctl.workflows.support_bundle.blanking import Blanker


@pytest.mark.parametrize(
    ("secret", "text", "shown"),
    [
        ("s3cret1", "a s3cret1, xs3cret1 s3cret1x", "a ***, xs3cret1 s3cret1x"),
        ("s3cret12", "a s3cret12, xs3cret12 s3cret12x", "a ***, x*** ***x"),
        ("s3cr/t&12", "s3cr%2Ft%2612 s3cr/t%2612 s3cr%2ft%2612", "*** *** ***"),
        ("s3cr t&12", "s3cr+t%2612 s3cr%20t%2612 s3cr%2520t%252612", "*** *** ***"),
        ('s3cr"t\n1', '"s3cr\\"t\\n1" \'s3cr"t\\n1\' s3cr"t\n1', "\"***\" '***' ***"),
        ("s3crété1", json.dumps("s3crété1"), '"***"'),
        ("s3cret12", b"s3cret12".hex(), "***"),
        ("nothing", "something else", "something else"),
        (" ", "a b", "a b"),
    ],
)
def test_a_secret_is_blank_in_each_form(secret: str, text: str, shown: str) -> None:
    """A short one only as a word of its own."""
    blanker = Blanker([secret], within="")
    assert blanker.known(text) == shown
    assert blanker.text(text) == shown


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("secret", ["s3cret", "s3cret1", "s3cret12", "s3cret123", "s3?>~ret"])
def test_a_secret_is_blank_in_base64(before: str, secret: str) -> None:
    """Whatever stands before it; six bytes that begin a group are enough."""
    blanker = Blanker([secret], within="")
    data = f"{before}{secret}".encode()
    for encoded in (base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()):
        is_known = len(secret) - (-len(before) % 3) >= 6
        assert ("***" in blanker.known(f"{encoded}.")) is is_known


def test_only_texts_that_occur_are_looked_for() -> None:
    """By their longest word, or in base64."""
    encoded = base64.b64encode(b"Buenos dias a todos").decode()
    texts = ["Hola Lucia", "Buenos dias a todos", "nunca dicho"]
    blanker = Blanker([], texts, within=f"said Lucia: {encoded}")
    assert blanker.known("Hola Lucia") == "***"
    assert blanker.known(encoded) != encoded
    assert blanker.known("nunca dicho") == "nunca dicho"


def test_the_longest_secret_is_blanked_first() -> None:
    """Else its rest would be left."""
    blanker = Blanker(["s3cret12", "s3cret12-and-more"], within="")
    assert blanker.known("s3cret12-and-more") == "***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("of wh:session:+1, there", "of wh:session:***, there"),
        ("of app:{a}:x there", "of app:{a}:*** there"),
        ("of whatsapp:+1 there", "of whatsapp:*** there"),
        ("of +598 99 123-456 there", "of *** there"),
        ("of 123456789 there", "of *** there"),
        ("of 12345678 there", "of 12345678 there"),
        ("of ann@example.com there", "of *** there"),
        ("at 127.0.0.1:6379", "at 127.0.0.1:6379"),
    ],
)
def test_text_is_blank_by_its_look(text: str, shown: str) -> None:
    """Keys of these prefixes, phones and addresses."""
    assert Blanker([], prefixes=("wh:session:", "app:{a}:"), within="").text(text) == shown


def test_of_a_log_only_a_servers_own_lines_are_kept() -> None:
    """Quoted text in them is blanked; of any other line only the length is shown."""
    blanker = Blanker(["s3cret12"], within="")
    begin = "1:M 28 Nov 2026 09:20:50.946 # "
    lines = [
        f"{begin}Ready to accept connections tcp",
        f"{begin}Bad directive 'maxmemory 5' there",
        "anything s3cret12",
        f"{begin}Lucia loves zebras",
    ]
    first, second, third, fourth = blanker.log(lines)
    assert first == lines[0]
    assert second.startswith(begin)
    assert "maxmemory 5" not in second
    assert third == "[17 characters that are no line of a server's]"
    assert fourth == f"{begin}[18 characters that are no words of a server's]"


def test_a_failure_is_a_finding() -> None:
    """Where a command was refused, the check is left out."""
    refused, wrong = OperationFailed("No.", hint="Ask."), UsageError("Wrong.", hint="Mend.")
    found = finding.failed("a", refused)
    assert (found.name, found.state, found.detail, found.hint) == ("a", "failed", "No.", "Ask.")
    found = finding.unless_refused("a", refused)
    assert (found.name, found.state, found.detail, found.hint) == ("a", "skipped", "No.", "Ask.")
    found = finding.unless_refused("b", wrong)
    assert (found.name, found.state, found.detail, found.hint) == ("b", "failed", "Wrong.", "Mend.")
