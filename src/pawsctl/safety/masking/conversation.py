"""A conversation without what was said in it: each text becomes blocks of its length. Pure.

What is kept is named here; everything else, unknown fields and their names too, is masked. The
bot can still read the result, and its model would take it as it took the original.
"""

import json
import re
from typing import Any

from pawsctl.sessions.contract.model import TOOL_RESULTS

BLOCK = "█"

_ROLES = ("user", "assistant", "tool")
_TYPES = (
    *("text", "tool_use", "tool_result", "thinking", "redacted_thinking", "image"),
    *("server_tool_use", "web_search_tool_result"),
)
_TOOLS = (
    *("register_user", "list_pets", "register_pet", "ask_user", "web_search", "get_user_info"),
    *("list_consultations", "get_consultation", "map_search", "add_pet_profile_picture"),
    "process_stored_profile_image",
)
_FIELDS = {
    *("status", "messages", "updatedAt", "role", "content", "type", "text", "id", "name", "input"),
    *("tool_use_id", "tool_name", "is_error", "thinking", "signature", "source", "media_type"),
    *("data", "ok", "error", "message", "query", "n", "recencyDays", "site", "dateOfBirth"),
    *("species", "sex", "weight", "breed", "results", "title", "url"),
}
_ID = re.compile(r"(srv)?toolu_[A-Za-z0-9_-]{1,64}")


def masked(value: bytes) -> bytes:
    """Return a stored value with everything masked that may be about a person."""
    text = value.decode("utf-8", "replace")
    try:
        return _written(_session(json.loads(text))).encode()
    except (ValueError, RecursionError):
        # No JSON, or too deep: what kind of brokenness it is stays visible.
        return re.sub(r'[^][{}",:]', BLOCK, text).encode()


def _session(found: Any) -> Any:
    if not isinstance(found, dict):
        return _anything(found)
    session = _anything(found)
    if found.get("status") == "active":
        session["status"] = "active"
    updated_at = found.get("updatedAt")
    if isinstance(updated_at, int | float):
        session["updatedAt"] = updated_at
    if isinstance(found.get("messages"), list):
        session["messages"] = [_message(each) for each in found["messages"]]
    return session


def _message(found: Any) -> Any:
    if not isinstance(found, dict):
        return _anything(found)
    message = _known(found)
    content = found.get("content")
    if isinstance(content, list):
        message["content"] = [_block(each) for each in content]
    elif isinstance(content, str) and content.startswith(TOOL_RESULTS):
        message["content"] = TOOL_RESULTS + _results(content.removeprefix(TOOL_RESULTS))
    elif isinstance(content, str) and found.get("role") == "tool":
        message["content"] = _json_text(content)
    return message


def _block(found: Any) -> Any:
    if not isinstance(found, dict):
        return _anything(found)
    block = _known(found)
    if isinstance(found.get("content"), str) and found.get("type") == "tool_result":
        block["content"] = _json_text(found["content"])
    return block


def _known(found: dict[str, Any]) -> dict[str, Any]:
    """Return a message or block masked, but for its role, its type, its tool and its ids."""
    kept: dict[str, Any] = _anything(found)
    for name, values in (("role", _ROLES), ("type", _TYPES), ("tool_name", _TOOLS)):
        if found.get(name) in values:
            kept[name] = found[name]
    if found.get("type") in ("tool_use", "server_tool_use") and found.get("name") in _TOOLS:
        kept["name"] = found["name"]
    for name in ("id", "tool_use_id"):
        if isinstance(found.get(name), str) and _ID.fullmatch(found[name]):
            kept[name] = found[name]
    return kept


def _results(text: str) -> str:
    try:
        found = json.loads(text)
    except ValueError:
        return _blocks(text)
    return _written([_block(each) for each in found] if isinstance(found, list) else found)


def _json_text(text: str) -> str:
    try:
        return _written(_anything(json.loads(text)))
    except ValueError:
        return _blocks(text)


def _anything(found: Any) -> Any:
    if isinstance(found, str):
        return _blocks(found)
    if isinstance(found, dict):
        return {
            name if name in _FIELDS else _blocks(name): _anything(each)
            for name, each in found.items()
        }
    if isinstance(found, list):
        return [_anything(each) for each in found]
    return found if found is None or isinstance(found, bool) else 0


def _blocks(text: str) -> str:
    return BLOCK * len(text)


def _written(found: Any) -> str:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))
