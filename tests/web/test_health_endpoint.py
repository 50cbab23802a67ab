"""`/api/health` of `pawsctl serve` against what the bot's own route was recorded to answer."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli_runner import Pawsctl
from tests.servers import Server, store_session
from tests.serving import BOT, DEVELOPMENT, Answer, Served, serving

RECORDED = json.loads(Path(__file__).with_name("answers.json").read_text())
# Recorded without a body of their own: what is stored, and what the bot's code makes of it.
NEIGHBOURS: list[tuple[str, str, Any]] = [
    ("+5", "null is the epoch", "1970-01-01T00:00:00.000Z"),
    ("+20", "a negative time", "1969-12-31T23:59:59.999Z"),
    ("+22", "true is 1 ms", "1970-01-01T00:00:00.001Z"),
]


def _environment(conditions: dict[str, Any], url: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the environment and options for the conditions of a recording."""
    found: dict[str, str | None] = {**BOT, "REDIS_URL": url, "NODE_ENV": "production"}
    for name, value in conditions.items():
        if name.isupper():
            found[name] = value
    for name in conditions.get("unset", ()):
        del found[name]
    return {name: each for name, each in found.items() if each is not None}, ("--url", url)


def _fill(server: Server) -> None:
    for key, value in RECORDED["redis"].items():
        server.client.set(key, value)
    server.client.rpush("wh:session:+15", "a list")


@pytest.fixture
def development(pawsctl: Pawsctl, server: Server) -> Iterator[Served]:
    """A server that is asked about the recorded sessions."""
    _fill(server)
    with serving(pawsctl, env=DEVELOPMENT) as served:
        yield served


def _same(answer: Answer, recorded: dict[str, Any]) -> None:
    """Check an answer: what the bot means by its own; a sentence of ours where its code fails."""
    expected = json.loads(recorded["body"])
    name, found = recorded["name"], answer.json
    if recorded["kind"] == "crash":
        is_body = not recorded["request"]["body"] or 'phone":"' not in recorded["request"]["body"]
        assert answer.status == (400 if is_body else 500), name
        assert list(found) == ["error"] and found["error"].endswith("."), name
        return
    if "timestamp" in expected:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found.pop("timestamp"))
        del expected["timestamp"]
    assert (answer.status, found) == (recorded["status"], expected), name
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["server"] == "pawsctl"


def _ask(served: Served, request: dict[str, Any]) -> Answer:
    body, headers = request.get("body"), request.get("headers", {})
    return served.ask(request["method"], body=body, headers=headers)


def _conditions() -> list[str]:
    return sorted({json.dumps(each["conditions"], sort_keys=True) for each in RECORDED["answers"]})


@pytest.mark.parametrize("conditions", _conditions())
def test_it_answers_what_the_bot_was_recorded_to_answer(
    server: Server, bare_pawsctl: Pawsctl, conditions: str
) -> None:
    """Status and JSON are the same; where the bot's code fails, a sentence says why."""
    _fill(server)
    environment, options = _environment(json.loads(conditions), server.url)
    bare_pawsctl.environment |= environment
    if "REDIS_URL" not in environment:
        bare_pawsctl.environment.pop("REDIS_URL", None)
    with serving(bare_pawsctl, *options) as served:
        for recorded in RECORDED["answers"]:
            if json.dumps(recorded["conditions"], sort_keys=True) == conditions:
                _same(_ask(served, recorded["request"]), recorded)


def _post(served: Served, phone: object) -> Answer:
    return served.ask("POST", body=json.dumps({"phone": phone}))


def test_odd_sessions_are_summed_up_as_javascript_would(
    development: Served, server: Server
) -> None:
    """Times, missing fields and strange blocks come out as the bot's code would have them."""
    for phone, why, time in NEIGHBOURS:
        assert _post(development, phone).json["session"]["updatedAt"] == time, why
    odd = _post(development, "+3").json["session"]["messages"]
    assert [each["type"] for each in odd] == ["text", "tool", "tool", "", "text"]
    # An absent status is left out, as by JSON.stringify.
    assert _post(development, "+17").json["session"] == {
        "messageCount": 0,
        "updatedAt": "1970-01-01T00:00:00.000Z",
        "messages": [],
    }
    assert _post(development, "+18").json["session"]["messages"] == [
        {"role": "assistant", "type": "tool_use,text,thinking"}
    ]
    # A list in Redis is no session; times that no date has, and messages that are none, are errors.
    assert _post(development, "+15").json["session"] is None
    assert [_post(development, phone).status for phone in ("+10", "+16")] == [500, 500]
    store_session(
        server,
        "+30",
        b'{"status":["\\ud83d",1e400,12345678901234567890],"updatedAt":["2001-01-01"],"messages":[[],'
        b'{"role":5,"content":7},{"role":"assistant","content":["a",{"type":null},{"type":[1,[2]]},'
        b'{"type":{}},{"type":1e21},{"type":0.00001}]}]}',
    )
    assert _post(development, "+30").status == 200
    assert _post(development, "+30").json["session"] == {
        "status": ["\ud83d", None, 12345678901234567000],
        "messageCount": 3,
        "updatedAt": "2001-01-01T00:00:00.000Z",
        "messages": [
            {"type": "tool"},
            {"role": 5, "type": "text"},
            {"role": "assistant", "type": ",,1,2,[object Object],1e+21,0.00001"},
        ],
    }


def test_a_value_of_any_size_is_answered(development: Served, server: Server) -> None:
    """A value too large or too deep to be summed up is told so, and holds nothing up."""
    server.client.set("wh:session:+41", b'"%s"' % (b"x" * (4 << 20)))
    assert _post(development, "+41").json == {"error": "The stored value has more than 4 MB."}
    server.client.set("wh:session:+42", b'{"status":%s}' % (b"[" * 5_000 + b"]" * 5_000))
    assert _post(development, "+42").status == 500
    deep = b'{"status":%s,"messages":[],"updatedAt":1}' % (b"[" * 5_000 + b"]" * 5_000)
    server.client.set("wh:session:+43", deep)
    assert _post(development, "+43").status == 200


def test_phones_are_what_javascript_takes_them_for(development: Served) -> None:
    """Truth, other types, odd text and bodies of any depth are as in the bot's route."""
    for false in (0, -0.0, False, "", None):
        assert _post(development, false).json == {"error": "Phone number required"}
    for other in (["+1234567890"], {"a": 1}, 1.5, 12345678901234567000):
        assert _post(development, other).json == {"phone": other, "session": None}
    for sent in (b'{"phone":1e400}', b'{"phone":[1e400]}'):
        assert development.ask("POST", body=sent).json["session"] is None
    # A key is no phone, as the bot keeps digits only; a lone surrogate comes back.
    assert _post(development, "wh:session:+2").json["session"]["messageCount"] == 0
    assert _post(development, "\ud83d+2").json["phone"] == "\ud83d+2"
    assert development.ask("POST", body=b'\xef\xbb\xbf{"phone":"\xff+2"}').json == {
        "phone": "\ufffd+2",
        "session": {
            "status": "active",
            "messageCount": 0,
            "updatedAt": "2024-01-01T00:00:00.000Z",
            "messages": [],
        },
    }
    deep = b"[" * 30_000 + b"]" * 30_000
    assert development.ask("POST", body=deep).status == 400
    assert development.ask("POST", body=b'{"phone":%s}' % deep).status == 200
    for wrong in (b'{"phone":NaN}', b'{"phone":"+2"} x', b"\xff", b"{'phone':1}"):
        assert development.ask("POST", body=wrong).status == 400


def test_methods_and_sizes_are_bounded(development: Served) -> None:
    """HEAD is like GET, OPTIONS says what is allowed, 64 KB is the most, others are 405."""
    head = development.ask("HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) == len(development.ask().body)
    options = development.ask("OPTIONS")
    assert (options.status, options.headers["allow"]) == (200, "GET, HEAD, OPTIONS, POST")
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "get", "FOO"):
        refused = development.ask(method)
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    full = b'{"phone":"+2"}'.ljust(64 << 10)
    assert development.ask("POST", body=full).status == 200
    for body in (full + b" ", full * 200):
        assert development.ask("POST", body=body).status == 413
    with socket.create_connection(("127.0.0.1", development.port)) as chunked:
        chunked.sendall(
            b"POST /api/health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"10001\r\n%s\r\n" % full.ljust(65_537)
        )
        assert chunked.recv(1_000).startswith(b"HTTP/1.1 413")


def test_a_page_on_another_site_reads_nothing(development: Served) -> None:
    """Only addresses and names of this server are answered; HTTP/1.0 needs no name."""
    for host in ("localhost", "LOCALHOST.:3000", "127.0.0.1:1", "[::1]:3000", "10.1.2.3"):
        assert development.ask(headers={"Host": host}).status == 200, host
    for host in (
        "evil.example",
        "localhost.evil.example:3000",
        "127.0.0.1.evil.example",
        "a:b",
        "",
    ):
        assert development.ask(headers={"Host": host}).status == 403, host
        assert development.ask("POST", headers={"Host": host}, body='{"phone":"+2"}').status == 403
    with socket.create_connection(("127.0.0.1", development.port)) as old:
        old.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
        assert old.recv(1_000).startswith(b"HTTP/1.1 200")
    # From beyond this machine, by a proxy or a name, sessions need the token.
    for headers in (
        {"Host": "10.1.2.3"},
        {"X-Forwarded-For": "10.1.2.3"},
        {"X-Real-IP": "10.1.2.3"},
        {"Via": "1.1 proxy"},
    ):
        assert development.ask("POST", body='{"phone":"+2"}', headers=headers).status == 403
