"""The keys of an application's sessions: their prefix, their TTL, and names for them. Pure."""

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from pawsctl.errors import UsageError
from pawsctl.sessions.contract import keys
from pawsctl.sessions.contract.keys import SESSION_PREFIX

if TYPE_CHECKING:
    from pawsctl.sessions.contract.mask import Mask
    from pawsctl.sessions.contract.model import Record

TTL_SECONDS = 21_600
"""The TTL that the bot gives a session."""


Format = Literal["bot", "raw"]


class Keyspace(msgspec.Struct, frozen=True):
    """The keys that begin with `prefix`, each a session that lives `ttl` seconds at most.

    A `ttl` of 0 says that they need not expire.
    Without arguments, the bot's own. Every operation on sessions is confined to one keyspace: it
    reads, writes and deletes no key outside it. Sessions of the format `raw` are string values of
    any application: pawsctl knows nothing of what is in them, and leaves keys of other types alone.

    With a `mask`, what is shown of them is masked by the methods that begin with `shown`; the
    others, by which sessions are found and changed, go on with the real keys.
    """

    prefix: str = SESSION_PREFIX
    ttl: int = TTL_SECONDS
    format: Format = "bot"
    mask: "Mask | None" = None

    def key(self, name: str, *, exact: bool = False) -> bytes:
        """Return the key of a session; `name` is a phone, an id of another's, or a whole key.

        Raises UsageError if a phone has no digit, or an id is empty; with `exact`, for a command
        that changes the session, also if a phone has a letter or a wildcard in it.
        """
        if name.startswith(self.prefix):
            # A shell hands over bytes that are not UTF-8 as surrogates.
            return name.encode("utf-8", "surrogateescape")
        if self.is_raw:
            if not name:
                raise UsageError("'' is no session's id.", hint="Give an id, or a whole key.")
            return (self.prefix + name).encode("utf-8", "surrogateescape")
        if "\\" in name and keys.behind(name):
            raise UsageError(
                f"'{self.shown_typed(name)}' is how a key is shown whose bytes are no text.",
                hint=f"Name the whole key by its bytes, {self.by_bytes(name)}.",
            )
        number = keys.normalised(name)
        key = (self.prefix + number).encode()
        of_another = (
            "" if self.is_bots else " If it is another application's id, set SESSION_FORMAT=raw."
        )
        if not re.search("[0-9]", number):
            raise UsageError(
                f"'{self.shown_typed(name)}' has no digit, so it is no phone number.",
                hint=f"Give a phone like +1234567890, or a whole key like {self.prefix}+1234567890."
                f" What the bot got from a phone without digits is under the key {self.prefix} "
                f"alone.{of_another}",
            )
        if exact and (typo := keys.mistyped(name)):
            raise UsageError(
                f"'{self.shown_typed(name)}' has '{typo}' in it; without it, it is the phone "
                f"{self.shown_name(key)}.",
                hint="If you mean that one, "
                + (f"name {number}." if self.mask is None else f"leave '{typo}' out.")
                + of_another,
            )
        return key

    def by_bytes(self, name: str) -> str:
        """Return how to type a key that is shown as `name`, in which bytes are escaped."""
        if self.mask is not None:
            return "in bash as $'…'"
        words = [
            keys.shell_word(self.prefix.encode() + each)
            for each in keys.behind(name.removeprefix(self.prefix))
        ]
        return f"in bash as {' or '.join(words)}"

    def name_of(self, key: bytes) -> str:
        """Return the phone of a key, or another application's id."""
        return keys.key_text(key).removeprefix(self.prefix)

    def shown_name(self, key: bytes) -> str:
        """Return the same as it is shown."""
        name = self.name_of(key)
        return name if self.mask is None else self.mask.name(name)

    def shown_key(self, key: bytes) -> str:
        """Return a key as it is shown."""
        return keys.key_text(key) if self.mask is None else self.mask.key(key, self.prefix)

    def shown_clause(self, clause: str) -> str:
        """Return a clause on a session, such as a problem, as it is shown."""
        return clause if self.mask is None else self.mask.clause(clause)

    def shown_status(self, status: str) -> str:
        """Return a status as it is shown."""
        return status if self.mask is None else self.mask.status(status)

    def shown_tool(self, name: str) -> str:
        """Return the name of a tool as it is shown."""
        if self.mask is None:
            return name
        # As below.
        from pawsctl.sessions.contract import masked_value

        return name if name in masked_value.TOOLS else self.mask.text(name)

    def shown_typed(self, text: str) -> str:
        """Return what a user typed to find sessions, such as a glob, as it is shown."""
        return text if self.mask is None else self.mask.text(text)

    def shown_sentence(self, text: str) -> str:
        """Return a sentence that may name sessions as it is shown."""
        return text if self.mask is None else self.mask.sentence(text)

    def shown_record(self, record: "Record") -> "Record":
        """Return a record as it is shown."""
        if self.mask is None:
            return record
        # Only a masked output needs it.
        from pawsctl.sessions.contract import masked_value

        return masked_value.record(record, self.mask, prefix=self.prefix, is_raw=self.is_raw)

    def shown_message(self, text: str) -> str:
        """Return a message of a conversation, in JSON, as it is shown."""
        if self.mask is None:
            return text
        # As above.
        from pawsctl.sessions.contract import masked_value

        return masked_value.message(text, self.mask)

    def nobodys_key(self) -> bytes:
        """Return a random key that no real phone has."""
        return (self.prefix + keys.nobodys_phone()).encode()

    def pattern(self, match: str | None = None) -> bytes:
        """Return the glob for SCAN's MATCH of the names that match; all if `match` is None.

        A `match` that begins with the prefix is a glob on the whole key.
        """
        glob = "*" if match is None else match
        if not glob.startswith(self.prefix):
            glob = self.prefix + glob
        return glob.encode("utf-8", "surrogateescape")

    @property
    def is_raw(self) -> bool:
        """Whether the sessions are string values of any application."""
        return self.format == "raw"

    @property
    def is_bots(self) -> bool:
        """Whether these are the bot's own, beside which it keeps seen marks and pictures."""
        return self.prefix == SESSION_PREFIX and not self.is_raw

    def require_bots(self, what: str) -> None:
        """Raise UsageError if `what`, which is about conversations, is asked of other sessions."""
        if self.is_raw:
            raise UsageError(
                f"{what} is about the bot's conversations, and SESSION_FORMAT is raw.",
                hint=f"{'Leave it out, or u' if what.startswith('--') else 'U'}nset SESSION_FORMAT "
                "if these are the bot's sessions.",
            )

    def require_ttl(self, what: str) -> None:
        """Raise UsageError for `what`, which gives sessions their TTL, if sessions have none."""
        if not self.ttl:
            raise UsageError(
                f"{what} gives sessions their TTL, and SESSION_TTL is never.",
                hint="To have some expire, set SESSION_TTL, or the profile's ttl, to a time.",
            )

    @property
    def hash_tag(self) -> bytes:
        """The hash tag in the prefix, which puts all keys into one slot of a cluster, or b''."""
        found = re.match(rb"[^{]*\{([^}]+)\}", self.prefix.encode())
        return found[1] if found else b""


BOT = Keyspace()
"""The keys of the bot's sessions."""
