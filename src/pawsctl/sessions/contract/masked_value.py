"""Stored values masked: the same shape, with blocks for what people wrote. Pure.

What is not known is masked: fields, types and tools that the bot does not have.
"""

import json
import math
import re
import sys
from typing import Any

from pawsctl.sessions.contract import decode
from pawsctl.sessions.contract.mask import Mask, MaskedRecord
from pawsctl.sessions.contract.model import TOOL_RESULTS, Record

# Levels of nesting that are kept: the bot writes nothing deeper.
_DEEPEST = 100
_ROLES = {"user", "assistant", "tool"}
_TYPES = {
    *("text", "tool_use", "tool_result", "thinking", "redacted_thinking", "server_tool_use"),
    *("web_search_tool_result", "image", "document"),
}
TOOLS = frozenset(
    (
        *("register_user", "list_pets", "register_pet", "ask_user", "web_search", "get_user_info"),
        *("list_consultations", "get_consultation", "map_search", "add_pet_profile_picture"),
        "process_stored_profile_image",
    )
)
"""The tools that the bot has."""
_FIELDS = {
    *("status", "messages", "updatedAt", "role", "content", "tool_name", "tool_use_id"),
    *("type", "text", "id", "name", "input", "is_error", "ok", "error"),
    *("dateOfBirth", "species", "sex", "weight", "breed", "message", "query", "n"),
    *("recencyDays", "site", "source", "data", "media_type", "thinking", "signature"),
    *("results", "title", "url"),
}


def record(record: Record, mask: Mask, *, prefix: str, is_raw: bool) -> MaskedRecord:
    """Return a record with its key and value masked; `is_raw` masks all of the value."""
    stored = record.value
    value = None if stored is None else (raw if is_raw else conversation)(stored, mask)
    size = 0 if stored is None else len(stored)
    key = mask.key(record.key, prefix).encode()
    return MaskedRecord(key, record.ttl_ms, value, record.type, stored_bytes=size)


def raw(value: bytes, mask: Mask) -> bytes:
    """Return blocks for all of a value of any application."""
    try:
        return mask.text(value.decode()).encode()
    except UnicodeDecodeError:
        return mask.text("." * len(value)).encode()


def conversation(value: bytes, mask: Mask) -> bytes:
    """Return the value of a session masked; blocks for what is not JSON."""
    text = decode.text(value)
    try:
        found = decode.parse(text)
    except ValueError:
        # The way in which it is broken stays visible.
        return re.sub(r'[^][{}",:]', lambda each: mask.text(each[0]), text).encode()
    return _json(_Masking(mask).session(found)).encode()


def message(text: str, mask: Mask) -> str:
    """Return a message of a conversation, in JSON, masked; blocks for what is not JSON."""
    try:
        found = decode.parse(text)
    except ValueError:
        return mask.text(text)
    return _json(_Masking(mask).message(found))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class _Masking:
    def __init__(self, mask: Mask) -> None:
        self._mask = mask

    def session(self, found: Any) -> Any:
        if not isinstance(found, dict):
            return self._any(found)
        return self._fields(
            found, {"status": self._status, "updatedAt": self._number}, self.message
        )

    def message(self, entry: Any) -> Any:
        if not isinstance(entry, dict):
            return self._any(entry)
        known = {"role": self._role, "tool_name": self._tool, "tool_use_id": self._call}
        return self._fields(entry, {**known, "content": self._content}, None)

    def _block(self, entry: Any) -> Any:
        if not isinstance(entry, dict):
            return self._any(entry)
        known = {"type": self._type, "id": self._call, "tool_use_id": self._call}
        return self._fields(
            entry, {**known, "name": self._tool, "content": self._nested_content}, None
        )

    def _fields(self, entry: dict[str, Any], known: dict[str, Any], message: Any) -> dict[str, Any]:
        """Return an object masked: `known` says how for some of its fields."""
        found: dict[str, Any] = {}
        for field, value in entry.items():
            if field in known:
                found[field] = known[field](value)
            elif message is not None and field == "messages" and isinstance(value, list):
                found[field] = [message(each) for each in value]
            else:
                found[self._field(field, found)] = self._any(value)
        return found

    def _field(self, field: str, others: dict[str, Any]) -> str:
        """Return the name of a field; of an unknown one blocks, as many as no other has."""
        if field in _FIELDS:
            return field
        shown = self._mask.text(field)
        while shown in others:
            shown += self._mask.text(".")
        return shown

    def _content(self, content: Any) -> Any:
        if isinstance(content, str):
            if content.startswith(TOOL_RESULTS):
                return TOOL_RESULTS + self._results(content[len(TOOL_RESULTS) :])
            return self._text(content)
        if isinstance(content, list):
            return [self._block(each) for each in content]
        return self._any(content)

    def _results(self, text: str) -> str:
        try:
            found = decode.parse(text)
        except ValueError:
            return self._mask.text(text)
        if isinstance(found, list):
            return _json([self._block(each) for each in found])
        return _json(self._any(found))

    def _nested_content(self, content: Any) -> Any:
        """Return what a tool answered, or a block's content, masked."""
        return self._text(content) if isinstance(content, str) else self._any(content)

    def _text(self, text: str) -> str:
        """Return blocks; a JSON object or list, as tools answer it, keeps its shape."""
        if text[:1] in ("{", "["):
            try:
                return _json(self._any(decode.parse(text)))
            except ValueError:
                pass
        return self._mask.text(text)

    def _status(self, value: Any) -> Any:
        return self._mask.status(value) if isinstance(value, str) else self._any(value)

    def _number(self, value: Any) -> Any:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number:
            return self._any(value)
        # JSON has no infinity.
        return value if math.isfinite(value) else sys.float_info.max

    def _call(self, value: Any) -> Any:
        return self._mask.call(value) if isinstance(value, str) else self._any(value)

    def _role(self, value: Any) -> Any:
        return self._one_of(value, _ROLES)

    def _type(self, value: Any) -> Any:
        return self._one_of(value, _TYPES)

    def _tool(self, value: Any) -> Any:
        return self._one_of(value, TOOLS)

    def _one_of(self, value: Any, known: set[str] | frozenset[str]) -> Any:
        return value if isinstance(value, str) and value in known else self._any(value)

    def _any(self, value: Any, depth: int = 0) -> Any:
        """Return any value masked: what it is made of stays, numbers become 0."""
        if isinstance(value, str):
            return self._mask.text(value)
        if isinstance(value, dict):
            found: dict[str, Any] = {}
            for field, each in value.items() if depth < _DEEPEST else ():
                found[self._field(field, found)] = self._any(each, depth + 1)
            return found
        if isinstance(value, list):
            return [self._any(each, depth + 1) for each in value] if depth < _DEEPEST else []
        return value if value is None or isinstance(value, bool) else 0
