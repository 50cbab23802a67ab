"""Finding the new messages of a conversation."""

from hypothesis import given
from hypothesis import strategies as st

from pawsctl.sessions.contract import decode
from pawsctl.sessions.contract.model import Message, OtherMessage
from pawsctl.sessions.watch.tail import appended


def said(*texts: object) -> list[Message]:
    """Return messages of the user."""
    return [OtherMessage("user", str(text)) for text in texts]


@given(st.lists(st.integers(), unique=True), st.data())
def test_what_was_added_is_told_whatever_was_trimmed(texts: list[int], data: st.DataObject) -> None:
    """The bot drops turns at the beginning and adds messages at the end."""
    end = data.draw(st.integers(0, len(texts)))
    trimmed = data.draw(st.integers(0, max(0, end - 1)))
    assert appended(said(*texts[:end]), said(*texts[trimmed:])) == said(*texts[end:])


def test_the_same_words_twice_are_told_twice() -> None:
    """A user may say no twice."""
    assert appended(said("no"), said("no", "no")) == said("no")
    assert appended(said("no", "no"), said("no", "no")) == []


def test_another_conversation_is_no_continuation() -> None:
    """All messages of a conversation that starts anew are new."""
    assert appended(said("a", "b"), said("c")) is None
    assert appended([], said("c")) == said("c")


def test_a_session_of_another_shape_goes_on_all_the_same() -> None:
    """A lone surrogate changes how the whole session is decoded, not its earlier messages."""
    before = decode.read(b'{"status":"","messages":[{"role":"user","content":"a"}],"updatedAt":1}')
    now = decode.read(
        b'{"status":"","messages":[{"role":"user","content":"a"},'
        b'{"role":"user","content":"\\ud83d"}],"updatedAt":1}'
    )
    assert before.session is not None
    assert now.session is not None
    added = appended(before.session.messages, now.session.messages)
    assert added == now.session.messages[1:]
