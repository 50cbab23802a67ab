# ruff: noqa: RUF001 - characters that look like others are what this is about
"""Sessions with what makes lists hard to print: wide, joined, hidden, broken and odd content.

A list measures the first 200 rows for its widths, so plain sessions stand between the odd ones that
are measured and the odd ones that are not.
"""

import json
from collections.abc import Iterator
from typing import Any

from tests.servers import Server

PLAIN = "+2000"
"""The beginning of the phones of the plain sessions."""

# Seconds; lists show `5h 31m` of it for a minute.
TTL = 19_915

_TEXTS = (
    "",
    "plain ASCII, as most are",
    "Ñandú, café, Ünïcödé – Latin-1 and a dash",
    "cafe\u0301 with a combining accent",
    "👩‍👩‍👧‍👦 a family of joined emoji, 👍🏽 a tone, 🇺🇾 a flag, ❤️‍🔥 and ✈️",
    "a joiner between letters: a\u200db, at the ends: \u200dx\u200d, doubled: 👩\u200d\u200d👧",
    "joined until it is cut " + "👨‍👩‍👧‍👦" * 12,
    "日本語のとても長い文章は端末で二倍の幅を取るので途中で切られることがあります。" * 4,
    "ｆｕｌｌ　ｗｉｄｔｈ ﾊﾝｶｸ 한국어",
    "bidi \u202eorbmon\u202c \u2066isolate\u2069 \u200fRLM \u061cALM עברית العربية",
    "zero\u200bwidth bom\ufeff soft\xadhyphen word\u2060joiner tag\U000e0041 \U0001d173",
    "a lone high \ud83d and a low \udc4d surrogate",
    "controls \x1b[31mred\x1b[0m \x07 \x00 \x7f \x9b31m \x85 \u2028 \u2029",
    "line\nbreak\r\nand\ttab   blanks\u00a0no-break\u3000wide",
    '=HYPERLINK("https://evil.example","csv")',
    "  +1-800 after blanks",
    "-1+1",
    "@SUM(A1)",
    "\uff1d full-width \uff0b signs",
    "\u2212 mathematical minus",
    "\u200b=hidden before a formula",
    'quotes " and "" and , and ; and \' in a cell',
    "[red]markup[/red] :warning: %s {0} \\x1b \\u202e",
    "unassigned \u0378 private \ue000 nonchar \uffff \U0010ffff Thai ก็ Hindi क्षि",
    "a" * 300,
    "é" * 300,
    "👍" * 150,
    "x" * 30 + "\u200d" * 30,
)
_MOMENTS = (
    1_704_067_740_000,
    1_704_067_740_999.9,
    0,
    -1,
    -1_000,
    -62_135_596_800_000,
    -62_135_596_800_001,
    -30_610_224_000_000,
    -59_000_000_000_000,
    253_402_300_799_999,
    253_402_300_800_000,
    1_582_934_400_000,
    1e300,
    1_704_067_740,
    4_102_444_800_000,
    1.5,
    None,
    "2024-01-01",
    True,
)


def store(server: Server) -> None:
    """Store the corpus in an empty server."""
    pipeline = server.client.pipeline(transaction=False)
    for key, value, ttl in _all():
        pipeline.set(b"wh:session:" + key, value, ex=ttl)
    pipeline.hset("wh:session:+1 a hash", "a", "b")
    pipeline.rpush("wh:session:+3\u202ea list", "a")
    pipeline.execute()


def _all() -> Iterator[tuple[bytes, bytes, int | None]]:
    for beginning in ("+1", "+3"):
        for number, text in enumerate(_TEXTS):
            yield f"{beginning}0{number:02}".encode(), _session([("user", text)]), TTL
            blocks = [{"type": "text", "text": text}]
            status = text if beginning == "+3" or number < 20 else "active"
            said = _session([("user", "?"), ("assistant", blocks)], status=status)
            yield f"{beginning}1{number:02}".encode(), said, TTL
            key = text.encode("utf-8", "surrogateescape" if text.isascii() else "replace")
            yield beginning.encode() + b"2" + key[:60], _session([]), TTL
        for number, moment in enumerate(_MOMENTS):
            waiting = _session([("user", "when?")], moment=moment)
            yield f"{beginning}3{number:02}".encode(), waiting, TTL
        for number, (value, ttl) in enumerate(_odd()):
            yield f"{beginning}4{number:02}".encode(), value, ttl
        yield beginning.encode() + b"5\xff\xc3\x28", _session([("user", "no UTF-8 key")]), TTL
    for number in range(200):
        yield f"{PLAIN}{number:04}".encode(), _session([("user", "hello")]), TTL


def _odd() -> Iterator[tuple[bytes, int | None]]:
    yield _session([("user", "never expires")]), None
    yield _session([("user", "lives too long")]), 86_490
    yield b"", TTL
    yield b"[]", TTL
    yield b'"\xff"', TTL
    yield _session([("user", "Latin-1 \xe9")]).replace(b"\\u00e9", b"\xe9"), TTL
    yield b"[" * 5_000, TTL
    yield _session([("user", "many")] * 40), TTL
    call = {"type": "tool_use", "id": "t1", "name": "list\u202e_pets", "input": {}}
    yield _session([("user", "a"), ("assistant", [call])]), TTL
    result = [{"type": "tool_result", "tool_use_id": "t1", "content": "[]"}]
    answer = "__TOOL_RESULTS__" + json.dumps(result)
    yield _session([("user", "a"), ("assistant", [call]), ("user", answer)]), TTL
    yield _session([("tool", "old"), ("system\x1b", "strange role")]), TTL
    yield b'{"status":1,"messages":{},"updatedAt":1704067740000}', TTL


def _session(
    messages: list[tuple[str, Any]], *, status: str = "active", moment: Any = 1_704_067_740_000
) -> bytes:
    said = [{"role": role, "content": content} for role, content in messages]
    shape = {"status": status, "messages": said, "updatedAt": moment}
    return json.dumps(shape).encode()
