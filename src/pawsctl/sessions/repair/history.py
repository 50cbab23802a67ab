"""The messages of a stored value as the texts they are stored as, and changes of these. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

from pawsctl.sessions.contract import json_text
from pawsctl.sessions.contract.model import TOOL_RESULTS, Message

_ERROR = json_text.string('{"ok":false,"error":"La herramienta no llegó a responder."}')


class History(NamedTuple):
    """A stored value: the text of each message, and the text around them."""

    around: json_text.Items

    @property
    def messages(self) -> list[str]:
        """The JSON text of each message, with the spaces around it."""
        return self.around.items

    def with_messages(self, messages: Sequence[str]) -> bytes:
        """Return the value with other messages and everything else as it was, to the byte."""
        return self.around.with_items(messages).encode("utf-8", "surrogateescape")


def of(value: bytes) -> History | None:
    """Return the history of a value that is a JSON object; None if its messages are no list."""
    # Bytes that are not UTF-8 come back as they were.
    text = value.decode("utf-8", "surrogateescape")
    place = json_text.member(text, "messages")
    if place is None or text[place[0]] != "[":
        return None
    return History(json_text.items(text, place[0]))


def is_object(message: str) -> bool:
    """Return whether the text of a message is a JSON object."""
    return message[json_text.begin_of(message)] == "{"


def without_blocks(message: str, dropped: set[int]) -> str:
    """Return the text of a message without the blocks at these indexes of its content."""
    begin, _ = json_text.member(message, "content") or (0, 0)
    content = json_text.items(message, begin)
    return content.with_items(
        [block for index, block in enumerate(content.items) if index not in dropped]
    )


def results_in(message: Message) -> list[str]:
    """Return the JSON text of each result in a `__TOOL_RESULTS__` message that can be read."""
    inner = message.text.removeprefix(TOOL_RESULTS)
    return json_text.items(inner, json_text.begin_of(inner)).items


def with_results(message: str, results: Sequence[str]) -> str:
    """Return the text of a `__TOOL_RESULTS__` message with other results in it."""
    begin, end = json_text.member(message, "content") or (0, 0)
    return message[:begin] + _content(results) + message[end:]


def new_results(results: Sequence[str]) -> str:
    """Return a `__TOOL_RESULTS__` message with these results, as the bot writes it."""
    return f'{{"role":"user","content":{_content(results)}}}'


def error_result(call: str) -> str:
    """Return the result that the bot itself gives a call whose tool has failed."""
    name = json_text.string(call)
    return f'{{"type":"tool_result","tool_use_id":{name},"content":{_ERROR}}}'


def _content(results: Sequence[str]) -> str:
    return json_text.string(f"{TOOL_RESULTS}[{','.join(results)}]")
