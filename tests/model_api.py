"""The rules of the API of the bot's model, as far as the bot's histories can break them.

Written from the description of the bot's format alone: nothing here is shared with the code under
test. `refusal` says why the API would refuse a history that the bot sends.
"""

import json
from typing import Any

RESULTS = "__TOOL_RESULTS__"


def sent(messages: list[Any]) -> list[dict[str, Any]]:
    """Return the history as the bot sends it: tool results are a user's list of blocks.

    The results at the beginning whose calls were trimmed away are left out. Raises what the bot's
    own code would: a message without role, or a user's content that is no text, ends it.
    """
    history = []
    for message in messages:
        role, content = message["role"], message["content"]
        if role == "tool":
            block = {
                "type": "tool_result",
                "tool_use_id": message["tool_use_id"],
                "content": content,
            }
            history.append({"role": "user", "content": [block]})
        elif role == "user" and content.startswith(RESULTS):
            history.append({"role": "user", "content": json.loads(content[len(RESULTS) :])})
        elif role == "user":
            history.append({"role": "user", "content": content + ""})
        else:
            history.append({"role": role, "content": content})
    is_results = [_is_results(each) for each in history]
    headless = is_results.index(False) if False in is_results else len(history)
    return history[headless:]


def refusal(messages: list[Any]) -> str:
    """Return why the bot could not ask its model with these messages, or ''."""
    try:
        history = sent(messages)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        return f"the bot's own code fails: {error!r}"
    found = next(filter(None, map(_refused, history)), "") or _pairs(history)
    return found or _repeated_ids(history)


def _is_results(message: dict[str, Any]) -> bool:
    content = message["content"]
    return (
        message["role"] == "user"
        and isinstance(content, list)
        and all(each["type"] == "tool_result" for each in content)
    )


def _refused(message: dict[str, Any]) -> str:
    """Return what is wrong with a message by itself."""
    content = message["content"]
    if message["role"] not in ("user", "assistant"):
        return f"there is no role {message['role']!r}"
    if isinstance(content, str):
        return ""
    if not isinstance(content, list) or not content:
        return f"content is {content!r}"
    for block in content:
        if block["type"] == "text" and not block["text"]:
            return "text content blocks must be non-empty"
    ids = [each["id"] for each in content if each["type"] == "tool_use"]
    return "tool_use ids must be unique" if len(ids) != len(set(ids)) or "" in ids else ""


def _repeated_ids(history: list[dict[str, Any]]) -> str:
    """Return whether two messages have tool calls of the same id."""
    lists = [each["content"] for each in history if isinstance(each["content"], list)]
    ids = [block["id"] for each in lists for block in each if block["type"] == "tool_use"]
    return "tool_use ids must be unique" if len(ids) != len(set(ids)) else ""


def _pairs(history: list[dict[str, Any]]) -> str:
    """Return which call has no result right after it, or which result has no call before it."""
    due: list[str] = []
    for number, message in enumerate(history, 1):
        if _is_results(message):
            for block in message["content"]:
                if block["tool_use_id"] not in due:
                    return f"message {number}: no call for the result {block['tool_use_id']}"
                due.remove(block["tool_use_id"])
            continue
        if due:
            return f"message {number}: calls without results before it: {due}"
        content = message["content"]
        if isinstance(content, list):
            due = [each["id"] for each in content if each["type"] == "tool_use"]
    return f"calls without results at the end: {due}" if due else ""
