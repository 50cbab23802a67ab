"""Masks for private data: pseudonyms for phones and ids, blocks for what people wrote. Pure.

Equal names have equal pseudonyms wherever the same key is used, so outputs can be compared.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable

from pawsctl.sessions.contract import keys
from pawsctl.sessions.contract.model import Record

_BLOCK = "█"
_PHONE = re.compile(r"\+?[0-9+]*[0-9][0-9+]*")
# A real phone has 15 digits at most, and no country code begins with 0.
_PSEUDONYM = re.compile(r"\+?0[0-9]{15}")
_MASKED_ID = re.compile(r"masked-[0-9a-f]{16}")
_DIGITS = 10**15
# What looks like a phone: digits after a +, or many of them that are no number of bytes.
_IN_TEXT = re.compile(
    r"(?<![\w+])\+[0-9](?:[0-9 ().-]*[0-9])?(?!\w|:[0-9])"
    r"|(?<![\w.:/+-])[0-9]{7,15}(?![\w:]|[.-]\w| bytes)"
)
# A word that a program wrote, such as a status.
_WORD = re.compile(r"[a-z][a-z_]{0,19}")
_QUOTED = re.compile(r"'.*'", re.DOTALL)
_IN_LOG = re.compile(r"'[^']*'|\"[^\"]*\"")
_LOG_LINE = re.compile(r"\d+:(?:[XCSM]|signal-handler)\b.*", re.DOTALL)


class MaskedRecord(Record, frozen=True, gc=False):
    """A record with a masked key and value; `stored_bytes` is the size of the real value."""

    stored_bytes: int = 0

    @property
    def size(self) -> int:
        """The size of the real value in bytes."""
        return self.stored_bytes


class Mask:
    """Masks with one key; what follows one of the `prefixes` is the name of a session."""

    def __init__(self, key: bytes, prefixes: Iterable[str] = (keys.SESSION_PREFIX,)) -> None:
        self._key = key
        begin = "|".join(map(re.escape, dict.fromkeys((*prefixes, keys.SEEN_PREFIX))))
        self._in_key = re.compile(rf"({begin})([^\s\"',;*\]}})]+)")

    def _hash(self, kind: str, text: str) -> bytes:
        data = f"{kind}:{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, data, hashlib.sha256).digest()

    def name(self, name: str) -> str:
        """Return the pseudonym of a phone or an id; one of a phone is a phone of nobody.

        It begins with + if the phone does, and is else the same with and without it.
        """
        if not name:
            # The key of a phone without digits.
            return name
        if not _PHONE.fullmatch(name):
            return f"masked-{self._hash('id', name).hex()[:16]}"
        number = int.from_bytes(self._hash("phone", name.removeprefix("+"))[:8])
        return f"{'+' * name.startswith('+')}0{number % _DIGITS:015}"

    def key(self, key: bytes, prefix: str) -> str:
        """Return a key with its name masked; of one that does not begin with the prefix, all."""
        text = keys.key_text(key)
        begin = next((each for each in (prefix, keys.SEEN_PREFIX) if text.startswith(each)), "")
        return begin + self.name(text.removeprefix(begin))

    def call(self, call: str) -> str:
        """Return the pseudonym of the id of a tool call."""
        return call and f"masked_{self._hash('call', call).hex()[:20]}"

    def text(self, text: str) -> str:
        """Return blocks, one for each character."""
        return _BLOCK * len(text)

    def word(self, word: str) -> str:
        """Return a word of a program, such as a status, as it is, and blocks for anything else."""
        return word if _WORD.fullmatch(word) else self.text(word)

    def clause(self, clause: str) -> str:
        """Return a clause on a session with what it quotes of it as blocks."""
        return self.sentence(_QUOTED.sub(lambda found: f"'{self.text(found[0][1:-1])}'", clause))

    def sentence(self, text: str) -> str:
        """Return a text with pseudonyms for the names in keys, and for what looks like a phone."""
        return _IN_TEXT.sub(self._phone, self._in_key.sub(self._name_in_key, text))

    def log_line(self, line: str) -> str:
        """Return a line of a server's log without what it quotes; blocks for any other line.

        What a script has logged may be anything, too.
        """
        if "<lua>" in line or not _LOG_LINE.fullmatch(line):
            return self.text(line)
        return self.sentence(_IN_LOG.sub(lambda found: self.text(found[0]), line))

    def _name_in_key(self, found: re.Match[str]) -> str:
        name = found[2].rstrip(".:")
        is_masked = not name or _PSEUDONYM.fullmatch(name) or _MASKED_ID.fullmatch(name)
        return found[0] if is_masked else f"{found[1]}{self.name(name)}{found[2][len(name) :]}"

    def _phone(self, found: re.Match[str]) -> str:
        number = keys.normalised(found[0])
        return found[0] if _PSEUDONYM.fullmatch(number) else self.name(number)
