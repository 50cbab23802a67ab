"""Masks for private data: pseudonyms for phones and ids, blocks for what people wrote. Pure.

Equal names have equal pseudonyms wherever the same key is used, so outputs can be compared.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable

from pawsctl import server_log
from pawsctl.sessions.contract import keys, pseudonyms
from pawsctl.sessions.contract.model import Record

_PHONE = re.compile(r"\+?[0-9+]*[0-9][0-9+]*")
# Of nobody, both of them.
_PSEUDONYM = re.compile(f"{pseudonyms.PHONE}|{keys.NOBODYS_PHONE}")
_MASKED_ID = re.compile(pseudonyms.ID)
_DIGITS = 10**15
# A text that looks like a phone: digits after a +, which may be encoded, or many after a mark, as
# in a URL, a path or the key of a picture. No time zone, and no password of a URL.
_MARKED = (
    r"(?:(?<![\w+])\+|%2[Bb]|\\u002[Bb])[0-9](?:[0-9 ().-]*[0-9])?(?!\w|(?<=\+[0-9]{2}):[0-9])"
    r"|(?<=[:/@-])[0-9]{10,15}(?![\w@]|\.[0-9])"
)
# Others in a sentence: many digits that are no number of bytes, or a few groups of them, no date.
_IN_SENTENCE = re.compile(
    rf"{_MARKED}|(?<![\w.:/+-])[0-9]{{7,15}}(?![\w:]|[.-]\w| bytes)"
    r"|(?<![\w.:/+-])(?:[0-9]{1,3}|\([0-9]{1,5}\))(?:[ -]\(?[0-9]{2,5}\)?){2,}(?![\w.:-])"
)
# And where sizes and counts stand: only as many digits as those hardly have.
_IN_DATA = re.compile(rf"{_MARKED}|(?<![\w.:/+-])[0-9]{{11,15}}(?![\w:]|[.-]\w| bytes)")
_FEWEST_IN_GROUPS = 9
_ENCODED_PLUS = re.compile(r"%2[Bb]|\\u002[Bb]")
# The statuses that the bot writes; any other may be a person's word.
_STATUSES = {"", "active"}
_QUOTED = re.compile(r"'.*'", re.DOTALL)
_IN_LOG = re.compile(r"'[^']*'|\"[^\"]*\"")


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
        return pseudonyms.BLOCK * len(text)

    def status(self, status: str) -> str:
        """Return the status that the bot writes as it is, and blocks for any other."""
        return status if status in _STATUSES else self.text(status)

    def clause(self, clause: str) -> str:
        """Return a clause on a session with what it quotes of it as blocks."""
        return self.sentence(_QUOTED.sub(lambda found: f"'{self.text(found[0][1:-1])}'", clause))

    def sentence(self, text: str) -> str:
        """Return a text with pseudonyms for the names in keys, and for what looks like a phone."""
        return _IN_SENTENCE.sub(self._phone, self._in_key.sub(self._name_in_key, text))

    def data(self, text: str) -> str:
        """Return the same for a text in which bare numbers are sizes and counts."""
        return _IN_DATA.sub(self._phone, self._in_key.sub(self._name_in_key, text))

    def log_line(self, line: str) -> str:
        """Return a line of a server's log without what it quotes, and blocks for any other line.

        A message with a word that is no server's is blocks, too: what a script has logged.
        """
        found = server_log.split(line)
        if found is None:
            return self.text(line)
        begin, message = found
        shown = self.sentence(_IN_LOG.sub(lambda quoted: self.text(quoted[0]), message))
        is_own = server_log.is_own(self._in_key.sub("", shown))
        return begin + (shown if is_own else self.text(message))

    def _name_in_key(self, found: re.Match[str]) -> str:
        name = found[2].rstrip(".:")
        is_masked = not name or _PSEUDONYM.fullmatch(name) or _MASKED_ID.fullmatch(name)
        return found[0] if is_masked else f"{found[1]}{self.name(name)}{found[2][len(name) :]}"

    def _phone(self, found: re.Match[str]) -> str:
        number = keys.normalised(_ENCODED_PLUS.sub("+", found[0]))
        is_date = not found[0].isdigit() and number.isdigit() and len(number) < _FEWEST_IN_GROUPS
        return found[0] if is_date or _PSEUDONYM.fullmatch(number) else self.name(number)
