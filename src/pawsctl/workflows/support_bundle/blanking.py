"""Blank private parts of a text: passwords, phones and what people wrote. Pure."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from pawsctl import server_log
from pawsctl.sessions.contract.keys import SESSION_PREFIX

BLANK = "***"

# A secret shorter than this is blanked only as a whole word: it may be part of other words.
_SHORT = 8
# Text that looks like a phone or a mail address, though it is not a known one.
_PATTERNS = (
    re.compile(r"()\+\d[\d ().-]{5,}\d"),
    re.compile(r"()(?<![\w.:-])\d{9,15}(?![\w.:-])"),
    re.compile(r"()(?<![/\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+"),
)
_WORD = re.compile(r"[A-Za-z0-9]+")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{8,}")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_BLANKED = re.compile(rf"\S*{re.escape(BLANK)}\S*")


class Blanker:
    """Blanks known secrets in every encoding, and text that looks like a phone or an address."""

    def __init__(
        self,
        secrets: Iterable[str],
        texts: Iterable[str] = (),
        *,
        prefixes: Iterable[str] = (SESSION_PREFIX,),
        within: str,
    ) -> None:
        """Take `secrets`, and those of `texts` that occur in `within`, since they may be many.

        What follows one of the `prefixes` is the name of a session.
        """
        begin = "|".join(map(re.escape, (*prefixes, "whatsapp:")))
        self._patterns = (re.compile(rf"({begin})[^\s\"',\]}}]+"), *_PATTERNS)
        encoded = " ".join(_ENCODED.findall(within))
        written = {form for each in secrets if each.strip() for form in _forms(each)}
        for each in texts:
            # The plain words of a text are the same in every encoding except base64.
            word = max(_WORD.findall(each), key=len, default="")
            if word in within or any(form in encoded for form in _in_base64(each)):
                written.update(_forms(each))
        # The longest first: blanking a part of another would leave its rest.
        self._written = sorted(written, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return a text with known secrets and everything that looks private blanked."""
        for pattern in self._patterns:
            text = pattern.sub(rf"\1{BLANK}", text)
        return self.known(text)

    def known(self, text: str) -> str:
        """Return a text with known secrets blanked."""
        for form in self._written:
            if form not in text:
                continue
            if len(form) < _SHORT:
                text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", BLANK, text)
            else:
                text = text.replace(form, BLANK)
        return text

    def log(self, lines: Iterable[str]) -> list[str]:
        """Return the lines of a server's log, blanked; of any other line only its length.

        A server that crashes logs commands and memory, and a script or another program may log
        anything.
        """
        return [self._log_line(line) for line in lines]

    def _log_line(self, line: str) -> str:
        found = server_log.split(line)
        if found is None:
            return f"[{len(line)} characters that are no line of a server's]"
        begin, message = found
        shown = self.text(_QUOTED.sub(f"'{BLANK}'", message))
        if not server_log.is_own(_BLANKED.sub("", shown)):
            shown = f"[{len(message)} characters that are no words of a server's]"
        return begin + shown


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield from (quote(secret, safe=""), quote_plus(secret), quote(secret))
    yield from (quote(secret, safe="").lower(), quote(secret, safe="").replace("%", "%25"))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield repr(secret)[1:-1]
    yield secret.encode("utf-8", "surrogatepass").hex()
    yield from _in_base64(secret)


def _in_base64(text: str) -> Iterator[str]:
    raw = text.encode("utf-8", "surrogatepass")
    for before in range(3):
        # Only whole groups of three bytes are encoded the same in every context.
        kept = raw[-before % 3 :]
        kept = kept[: len(kept) - len(kept) % 3]
        if len(kept) >= 6:
            yield from {base64.b64encode(kept).decode(), base64.urlsafe_b64encode(kept).decode()}
