"""Texts in conversations, without regard to case; and values that can't have one. Pure.

Most values can be ruled out by their bytes, which is three times as quick as decoding them.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from pawsctl.sessions.contract.model import Message, Session

# The characters beyond ASCII that fold into ASCII, or into something with ASCII in it.
_INTO_ASCII = (
    "\xdf\u0130\u0149\u017f\u01f0\u037e\u1e96\u1e97\u1e98\u1e99\u1e9a\u1e9e\u1fef\u212a"
    "\ufb00\ufb01\ufb02\ufb03\ufb04\ufb05\ufb06"
)
# JSON may write these with a backslash.
_ESCAPED = frozenset('"\\/')


def folded(text: str) -> str:
    """Return the text for comparison without regard to case and to the two forms of accents."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).casefold()


_needle = lru_cache(maxsize=1)(folded)


@lru_cache(maxsize=1)
def _spellings(needle: str) -> Sequence[str]:
    """Return the spellings of an ASCII text that most have, which no folding need find."""
    return list(dict.fromkeys((needle, needle.capitalize()))) if needle.isascii() else ()


def says(session: Session | None, text: str) -> bool:
    """Return whether a text occurs in the messages that people see: the user's and the bot's."""
    needle, messages = _needle(text), session.messages if session else ()
    return any(_is_spelt(messages, each) for each in _spellings(needle)) or any(
        # Few say it, and fewer are no message of a person.
        needle in folded(each.text) and _is_of_person(each)
        for each in messages
    )


def _is_of_person(message: Message) -> bool:
    return message.role != "tool" and not message.is_tool_results


def _is_spelt(messages: Iterable[Message], spelling: str) -> bool:
    """Return True only if a text in ASCII occurs as it is: three times as quick as folding."""
    for message in messages:
        content = message.content
        if isinstance(content, str):
            if spelling in content and _is_whole(content, spelling) and _is_of_person(message):
                return True
            continue
        for block in content or ():
            text = block.text
            if (
                spelling in text
                and _is_whole(text, spelling)
                and block.type == "text"
                and _is_of_person(message)
            ):
                return True
    return False


def _is_whole(text: str, spelling: str) -> bool:
    """Return whether no accent can follow the first place where a spelling occurs."""
    end = text.index(spelling) + len(spelling)
    return text[end : end + 1] < "\x80"


def rules_out(text: str) -> Callable[[bytes], bool] | None:
    """Return a function that returns True only for values of sessions that do not say `text`.

    None if the bytes of a value tell nothing of this text.
    """
    needle = folded(text)
    if not needle.isascii() or not needle.isprintable() or not _ESCAPED.isdisjoint(needle):
        return None
    characters = set(needle)
    # A letter may also be written as \\u0061, or come of one of those; each with its first byte,
    # which is found, or not found, ten times as quickly, and as a number six times again.
    others = [b"\\u"]
    others += [each.encode() for each in _INTO_ASCII if not characters.isdisjoint(folded(each))]
    suspects = [(each[0], each) for each in others]
    letters = needle.encode()

    def is_out(value: bytes) -> bool:
        # The lower case of a value takes longer than to find what is in lower case already.
        if letters in value or letters in value.lower():
            return False
        # A generator for each of a million values would take longer.
        for first, whole in suspects:  # noqa: SIM110
            if first in value and whole in value:
                return False
        return True

    return is_out
