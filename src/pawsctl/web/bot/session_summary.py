"""The summary of a stored session that the bot's endpoint gives in development. Pure."""

from typing import Any

from pawsctl.sessions.contract import decode
from pawsctl.web.bot import bot_date, bot_json


class NotSummedUp(Exception):
    """A stored value is no session that can be summed up; the text says why."""


def summary(value: bytes) -> dict[str, Any] | None:
    """Return the summary of a stored value; None if the bot finds no session.

    Raises NotSummedUp where the bot's own code fails.
    """
    try:
        session = bot_json.parse(decode.text(value))
    except ValueError:
        return None
    if not bot_json.is_truthy(session):
        return None
    if not isinstance(session, dict):
        raise NotSummedUp("the stored value is no object")
    messages = session.get("messages")
    if not isinstance(messages, list):
        raise NotSummedUp("its messages are no list")
    updated_at = bot_date.iso_text(session["updatedAt"]) if "updatedAt" in session else None
    if updated_at is None:
        raise NotSummedUp("its updatedAt is no time")
    return {
        **_present(session, "status"),
        "messageCount": len(messages),
        "updatedAt": updated_at,
        "messages": [_message(number, each) for number, each in enumerate(messages, 1)],
    }


def _present(entry: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a field as it is; nothing for a missing one, as JSON.stringify does."""
    return {name: entry[name]} if name in entry else {}


def _message(number: int, message: Any) -> dict[str, Any]:
    if isinstance(message, list):
        # To JavaScript, an array is an object without a role and a content.
        return {"type": "tool"}
    if not isinstance(message, dict):
        raise NotSummedUp(f"message {number} is no object")
    return {**_present(message, "role"), "type": _type(number, message)}


def _type(number: int, message: dict[str, Any]) -> str:
    if "content" not in message:
        return "tool"
    if message.get("role") != "assistant":
        return "text"
    blocks = message["content"]
    if not isinstance(blocks, list):
        raise NotSummedUp(f"the content of message {number} is no list of blocks")
    if None in blocks:
        raise NotSummedUp(f"a block of message {number} is null")
    try:
        return bot_json.joined(
            [each.get("type") if isinstance(each, dict) else None for each in blocks]
        )
    except RecursionError as error:
        raise NotSummedUp(f"a block's type in message {number} is too deep") from error
