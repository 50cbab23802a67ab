"""Collect this project's private texts: its passwords, and its sessions' phones and texts."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pawsctl.config import kept_password, password_file, redis_url
from pawsctl.config.setting_specs import KNOWN_COMMANDER_PASSWORD, SETTING_SPECS
from pawsctl.config.settings import Settings
from pawsctl.errors import PawsctlError
from pawsctl.sessions.store.reader import SessionReader

# Only the first sessions are read for phones and texts, up to this number.
_MOST = 5_000
# The fewest digits of a phone, and the fewest characters of a text.
_PHONE, _TEXT = 6, 4
# Fields of a conversation's format, not of its content.
_STRUCTURE = ("type", "role", "id", "tool_use_id", "toolUseId")
_STRING = re.compile(rb'"((?:[^"\\]|\\.)*)"')


def secrets_of(settings: Settings) -> Iterator[str]:
    """Yield every password in the settings, and in the files and URLs that they name."""
    for known in SETTING_SPECS:
        value = settings.text(known.name)
        if known.is_secret and value not in ("", kept_password.ASKED, KNOWN_COMMANDER_PASSWORD):
            yield value
        if "://" in value:
            yield from _of_url(value)
    with suppress(PawsctlError):
        yield kept_password.read(settings.project) or ""
    with suppress(PawsctlError):
        yield password_file.read(settings.text("REDIS_PASSWORD_FILE"), found_in=None) or ""
    with suppress(PawsctlError):
        yield (settings.profile.target().password if settings.profile else None) or ""
    with suppress(PawsctlError):
        target = redis_url.parse(settings.text("REDIS_URL"), origin="")
        yield from filter(None, (target.password, target.sentinel_password))


def _of_url(url: str) -> Iterator[str]:
    with suppress(ValueError):
        parts = urlsplit(url)
        login = parts.netloc.rpartition("@")[0]
        user, colon, password = login.partition(":")
        # A user without a password may be a token.
        for each in (password,) if colon else (user,):
            yield from (each, unquote(each))
        for name, value in parse_qsl(parts.query):
            if re.search(r"pass|pwd|secret|token|key|auth|sig|cred", name, re.IGNORECASE):
                yield value


def texts_of(reader: SessionReader) -> set[str]:
    """Return the phones and texts of the first sessions. Raises the errors of the reader."""
    found: set[str] = set()
    for record in islice(reader.records(), _MOST):
        found.update(_phones(record.key, reader.keyspace.prefix))
        found.update(_texts(record.value or b""))
    return found


def _phones(key: bytes, prefix: str) -> Iterator[str]:
    named = key.removeprefix(prefix.encode()).decode("utf-8", "replace")
    yield from re.findall(rf"\d{{{_PHONE},}}", named)
    digits = re.sub(r"\D", "", named)
    if len(digits) >= _PHONE:
        yield digits
    if len(named) >= _TEXT:
        yield named


def _texts(value: bytes) -> Iterator[str]:
    try:
        decoded = json.loads(value)
    except (ValueError, RecursionError):
        # A broken session may still hold private text.
        decoded = [each.decode("utf-8", "replace") for each in _STRING.findall(value)]
    for text in _strings(decoded):
        for line in (text, *text.splitlines()):
            if len(line.strip()) >= _TEXT:
                yield line.strip()


def _strings(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
            # A tool's results are stored as JSON in a string.
            with suppress(ValueError, RecursionError):
                waiting += [json.loads(each)] if each[:1] in ("[", "{") else []
        elif isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            waiting += [below for name, below in each.items() if name not in _STRUCTURE]
