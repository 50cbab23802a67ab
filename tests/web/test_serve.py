"""`pawsctl serve` as a process: its start, its end, its log, and a Redis that comes and goes."""

import json
import resource
import signal
import socket
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests import servers
from tests.cli_runner import Pawsctl
from tests.ports import free_port
from tests.servers import Server, store_session
from tests.serving import BOT, DEADLINE_SECONDS, DEVELOPMENT, serving, until


def test_a_taken_port_is_told_with_its_process(pawsctl: Pawsctl) -> None:
    """It exits with 7, and a host that is not of this machine with 2."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        found = pawsctl("serve", "--port", str(port), "--json")
    assert found.status == 7
    assert f"Port {port} on 127.0.0.1 is in use by " in found.error["message"]
    assert "(process " in found.error["message"]
    assert pawsctl("serve", "--port", "0", "--host", "192.0.2.1").status == 2
    assert pawsctl("serve", "--port", "0", "--host", "no.such.invalid").status == 2


@pytest.mark.parametrize(
    "name", ["", "http://bot.example/", "*.example", "a b", "a:b", "bot.example/"]
)
def test_a_name_that_no_request_can_have_is_refused(bare_pawsctl: Pawsctl, name: str) -> None:
    """It would open nothing, in silence."""
    done = bare_pawsctl("serve", "--port", "0", "--allow-host", name)
    assert done.status == 2
    assert done.err.startswith(f"error: --allow-host '{name}' is no host name.\n")


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_address_of_ipv6_is_served_as_this_machine(
    pawsctl: Pawsctl, server: Server, host: str
) -> None:
    """With brackets as in a URL, or without; sessions need no token there."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    store_session(server, "+2", b'{"status":"active","messages":[],"updatedAt":1}')
    with serving(pawsctl, "--host", host, env=DEVELOPMENT) as served:
        connection = HTTPConnection("::1", served.port, timeout=DEADLINE_SECONDS)
        connection.request("POST", "/api/health", '{"phone":"+2"}')
        answer = connection.getresponse()
        assert answer.status == 200
        assert json.loads(answer.read())["session"]["messageCount"] == 0
        connection.close()


def test_a_client_that_goes_is_no_bug(pawsctl: Pawsctl) -> None:
    """Its request is logged without a status."""
    with serving(pawsctl, env=DEVELOPMENT) as served:
        with socket.create_connection(("127.0.0.1", served.port)) as client:
            client.sendall(
                b"POST /api/health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n\r\n{"
            )
        served.logged("POST /api/health - ")
        assert "bug:" not in served.log


def test_the_token_opens_sessions_beyond_loopback(pawsctl: Pawsctl, server: Server) -> None:
    """A server for other machines tells sessions only to who has the token; health to all."""
    store_session(server, "+2", b'{"status":"active","messages":[],"updatedAt":1}')
    token = "correct horse"
    pawsctl.environment |= {**DEVELOPMENT, "PAWSCTL_SERVE_TOKEN": token}
    with serving(
        pawsctl, "--json", "--host", "0.0.0.0", "--allow-host", "Bot.example:80"
    ) as served:
        body = '{"phone":"+2"}'
        for wrong in ({}, {"Authorization": "Bearer x"}, {"Authorization": token}):
            refused = served.ask("POST", body=body, headers=wrong)
            assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
        right = {"Authorization": f"bearer {token}", "Host": "bot.example"}
        assert served.ask("POST", body=body, headers=right).json["session"]["messageCount"] == 0
        assert served.ask().status == 200
        assert token not in served.log


def test_doctor_says_that_the_bot_was_not_looked_at(pawsctl: Pawsctl) -> None:
    """A server in the bot's place tells nothing of the bot, well or not."""
    with serving(pawsctl) as served:
        told = pawsctl("doctor", "--json", env={"APP_URL": served.url})
    (bot,) = (each for each in told.json["findings"] if each["name"] == "bot")
    assert bot["state"] == "skipped"
    assert "'pawsctl serve' answers" in bot["detail"]


def test_nothing_of_a_customer_is_logged(pawsctl: Pawsctl, server: Server) -> None:
    """A line a request has its path, without query, body or anything that may be a phone."""
    store_session(server, "+5989912", b'{"status":"active","messages":[],"updatedAt":1}')
    with serving(pawsctl, env=DEVELOPMENT) as served:
        served.ask("POST", body='{"phone":"+5989912"}')
        for path in ("/sessions/+5989912", "/api/health?phone=5989912", "/%35989912", "/\\u0661"):
            served.ask(path=path)
        served.ask("M5989912")
        served.logged("OTHER /api/health 405")
        assert "5989912" not in served.log
        assert "POST /api/health 200" in served.log
        assert "GET /sessions/+####### 404" in served.log


def test_redis_may_go_and_come_back(tmp_path: Path) -> None:
    """Stopped, started, and hung: the answer is 503 within its time, then 200 by itself."""
    port = free_port()
    pawsctl = Pawsctl(tmp_path, f"redis://127.0.0.1:{port}")
    up, down = (200, "up", 200), (503, "down", 503)
    with serving(pawsctl, "--timeout", "0.5", env=DEVELOPMENT) as served:

        def told() -> tuple[int, str, int]:
            answer = served.ask()
            ready = served.ask(path="/readyz").status
            assert served.ask(path="/livez").status == 200
            return answer.status, answer.json["services"]["redis"]["status"], ready

        assert told() == down
        with servers.running(tmp_path, port=port) as server:
            until(lambda: told() == up)
            server.process.send_signal(signal.SIGSTOP)
            assert told() == down
            posted = served.ask("POST", body='{"phone":"+2"}')
            assert posted.status == 503 and "down" in posted.json["error"]
            server.process.send_signal(signal.SIGCONT)
            until(lambda: told() == up)
            server.client.client_pause(600_000)
            assert told() == down
        assert told() == down
        with servers.running(tmp_path, port=port):
            until(lambda: told() == up)
        served.logged("\\dZ Redis is down: Redis .*[^.]\\.\n")
        served.logged("Redis answers again")


def test_connections_beyond_the_limit_keep_no_other_one_out(pawsctl: Pawsctl) -> None:
    """The first thousand are served; one more is refused with 503, until others have gone."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, hard), hard))
    try:
        # A child of this process has its limits.
        with serving(pawsctl, is_fresh=True) as served, ExitStack() as stack:

            def opened() -> HTTPConnection:
                client = stack.enter_context(closing(HTTPConnection("127.0.0.1", served.port)))
                client.connect()
                return client

            def asked(client: HTTPConnection) -> int:
                client.request("GET", "/livez")
                answer = client.getresponse()
                answer.read()
                return answer.status

            first = opened()
            assert asked(first) == 200
            others = [opened() for _ in range(999)]
            # All have been let in once the last one is answered.
            assert asked(others[-1]) == 200
            assert served.ask(path="/livez").status == 503
            assert asked(first) == 200
            for each in others:
                each.close()
            until(lambda: served.ask(path="/livez").status == 200)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_what_is_open_is_finished_at_the_end(pawsctl: Pawsctl) -> None:
    """After SIGTERM nobody is let in, and a request that is being sent gets its answer."""
    with (
        serving(pawsctl, env=DEVELOPMENT) as served,
        socket.create_connection(("127.0.0.1", served.port)) as client,
        socket.create_connection(("127.0.0.1", served.port)),
    ):
        client.sendall(
            b"POST /api/health HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
            b"Content-Length: 14\r\n\r\n"
        )
        assert client.recv(1_000).startswith(b"HTTP/1.1 100")
        served.process.terminate()
        until(lambda: _is_refused(served.port))
        client.sendall(b'{"phone":"+2"}')
        answered = b""
        while chunk := client.recv(1_000):
            answered += chunk
        assert answered.endswith(b'{"phone":"+2","session":null}')
        assert served.process.wait(DEADLINE_SECONDS) == 0


def _is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_request_with_the_host_before_its_path_is_answered(pawsctl: Pawsctl) -> None:
    """Proxies send that form; the host in it counts, and no other one opens anything."""
    with serving(pawsctl) as served:
        own = f"127.0.0.1:{served.port}"
        for target, host, status in (
            (f"http://{own}/readyz", own, 200),
            (f"HTTP://{own}/livez?x=/y", "elsewhere.example", 200),
            ("https://localhost/readyz", own, 200),
            (f"http://{own}", own, 404),
            ("http://elsewhere.example/readyz", own, 403),
            ("http:///readyz", own, 403),
            (f"ftp://{own}/readyz", own, 404),
        ):
            assert served.ask(path=target, headers={"Host": host}).status == status, target
        served.logged("GET /livez 200")
        assert "http://elsewhere" not in served.log


def test_all_addresses_of_ipv6_are_those_of_ipv4_too(pawsctl: Pawsctl) -> None:
    """As of other servers; the port is the same."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serving(pawsctl, "--host", "::") as served:
        assert f"http://[::1]:{served.port} and http://127.0.0.1:{served.port}, for" in served.log
        assert served.ask(path="/livez").status == 200
        with closing(HTTPConnection("::1", served.port, timeout=DEADLINE_SECONDS)) as connection:
            connection.request("GET", "/livez")
            assert connection.getresponse().status == 200


def test_a_redis_that_takes_no_writes_is_not_ready(pawsctl: Pawsctl, server: Server) -> None:
    """It answers, as the bot's own endpoint tells; a server that only reads does not ask."""
    server.client.config_set("maxmemory", 1)
    try:
        with serving(pawsctl, env=BOT) as served:
            full = served.ask(path="/readyz")
            assert (full.status, full.json["status"]) == (503, "not ready")
            assert "its memory is full" in full.json["reason"]
            assert served.ask().json["services"]["redis"]["status"] == "up"
            server.client.config_set("maxmemory", 0)
            assert served.ask(path="/readyz").json == {"status": "ready"}
            served.logged("Redis is not ready: .*its memory is full")
            served.logged("Redis is ready again")
            assert "is down" not in served.log
        server.client.config_set("maxmemory", 1)
        with serving(pawsctl, "--read-only") as served:
            assert served.ask(path="/readyz").status == 200
    finally:
        server.client.config_set("maxmemory", 0)
