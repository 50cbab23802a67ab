"""The guard: what looks like production is not changed by --yes."""

import socket
import threading
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from pawsctl.safety.guarded import GUARDED
from tests import servers
from tests.cli_runner import Pawsctl
from tests.processes import wait_until
from tests.servers import Server, store_session
from tests.terminal import screen

# A message without content: there is something to repair.
SESSION = b'{"status":"active","messages":[{"role":"user"}],"updatedAt":1}'
# For each guarded command, a line that would destroy something.
LINES = {
    "session touch": "session touch +1 +2",
    "session repair": "session repair +2 --yes",
    "session edit": "session edit +2",
    "session delete": "session delete +1",
    "backup restore": "backup restore --latest --replace --yes",
    "session copy": "session copy --all --to {url}/1",
    "session erase": "session erase +2 --yes",
    "session flush": "session flush --yes",
    "session seed": "session seed 3",
    "session import": "session import a.jsonl --replace",
    "redis maxmemory": "redis maxmemory 64mb --yes",
    "backup purge": "backup purge --yes",
    "redis reset": "redis reset --yes",
    "redis down": "redis down --volumes --yes",
}
ON_THE_STACK = {"redis reset", "redis down"}


def stored(server: Server) -> dict[object, object]:
    """Return each key's value, and whether its TTL is at most the 100 seconds that it had."""
    client = server.client
    return {key: (client.get(key), client.ttl(key) <= 100) for key in client.scan_iter()}


def test_every_guarded_command_has_a_line_here() -> None:
    """A new one is tried too."""
    assert LINES.keys() == GUARDED.keys()


def test_yes_does_not_suffice_where_the_settings_say_production(
    pawsctl: Pawsctl, server: Server
) -> None:
    """--confirm with another host does not either; with the right one it suffices."""
    for phone in ("+1", "+2", "+3"):
        store_session(server, phone, SESSION, ttl=100)
    assert pawsctl("session", "delete", "+3").status == ExitStatus.OK
    assert pawsctl("session", "export", "a.jsonl").status == ExitStatus.OK
    pawsctl.environment |= {"NODE_ENV": "production", "EDITOR": "true"}
    lines = [
        line.format(url=server.url).split()
        for name, line in LINES.items()
        if name not in ON_THE_STACK
    ]
    before = stored(server)
    for line in lines:
        refused = pawsctl(*line, "--json")
        assert refused.status == ExitStatus.NOT_CONFIRMED, line
        said = refused.error
        assert "NODE_ENV is production (NODE_ENV in the environment)" in said["message"]
        assert said["hint"] == "If you mean it, say so with --confirm 127.0.0.1."
        assert ("--yes does not suffice" in said["message"]) == ("--yes" in line)
        wrong = pawsctl(*line, "--confirm", "db.example.com")
        assert wrong.status == ExitStatus.NOT_CONFIRMED
        assert "--confirm names db.example.com, and the target is 127.0.0.1" in wrong.err
    assert stored(server) == before
    assert server.client.config_get("maxmemory") == {"maxmemory": "0"}
    for line in lines:
        done = pawsctl(*line, "--confirm", "127.0.0.1")
        assert done.status == ExitStatus.OK, (line, done.err)
    recorded = pawsctl("audit", "list", "--json").json
    assert {each["command"] for each in recorded} == LINES.keys() - ON_THE_STACK
    assert {each["status"] for each in recorded} == {0}
    server.client.config_set("maxmemory", 0)


@pytest.mark.slow
def test_attached_replicas_are_evidence(pawsctl: Pawsctl, server: Server, tmp_path: Path) -> None:
    """Also on this machine, as through a tunnel; one that was attached by nobody known."""
    store_session(server, "+1", SESSION)
    with servers.running(tmp_path, "--replicaof", f"127.0.0.1 {server.port}") as replica:
        wait_until(lambda: replica.client.role()[3] == b"connected", "a replica")
        refused = pawsctl("session", "delete", "+1")
        assert refused.status == ExitStatus.NOT_CONFIRMED
        assert f"1 replica is attached to 127.0.0.1:{server.port}" in refused.err
        assert server.client.exists("wh:session:+1")
        assert pawsctl("session", "touch", "+1").status == ExitStatus.OK
        confirmed = pawsctl("session", "delete", "+1", "--confirm", f"127.0.0.1:{server.port}")
        assert confirmed.status == ExitStatus.OK


def test_what_could_not_be_looked_at_is_told_and_is_no_evidence_here(
    pawsctl: Pawsctl, server: Server
) -> None:
    """A user who may run neither INFO nor ROLE can still delete."""
    store_session(server, "+1", SESSION)
    server.client.execute_command("ACL SETUSER lim on >pw ~* +@all -info -role")
    try:
        url = server.url.replace("://", "://lim:pw@")
        result = pawsctl("session", "delete", "+1", "--url", url)
    finally:
        server.client.acl_deluser("lim")
    assert result.status == ExitStatus.OK
    assert "Not looked at: whether" in result.err


def _hang_up(program: socket.socket) -> None:
    program.accept()[0].close()


def test_a_port_where_no_redis_answers_is_told(bare_pawsctl: Pawsctl) -> None:
    """Another program may listen there, and hang up without a word."""
    with socket.create_server(("127.0.0.1", 0)) as program:
        threading.Thread(target=_hang_up, args=(program,)).start()
        port = program.getsockname()[1]
        bare_pawsctl.environment |= {"REDIS_PORT": str(port), "PAWSCTL_ENGINE": "embedded"}
        result = bare_pawsctl("redis", "reset", "--yes", env={"SESSION_PREFIX": "sess:"})
    assert f"Not looked at: whether Redis has replicas: none answers on port {port}." in result.err
    assert result.status == ExitStatus.CONFLICT
    # Other keys are not exported before they are deleted.
    assert "Sessions are keys under sess: (SESSION_PREFIX in the environment)" in result.err


@pytest.mark.parametrize(("typed", "status"), [("127.0.0.1", 0), ("y", 3), ("localhost", 3)])
def test_on_a_terminal_the_name_is_typed(
    pawsctl: Pawsctl, server: Server, typed: str, status: int
) -> None:
    """A y is not enough, and the evidence is shown before."""
    store_session(server, "+1", SESSION)
    pawsctl.environment["NODE_ENV"] = "production"
    shown = screen(pawsctl, "session", "delete", "+1", columns=120, typed=f"{typed}\n".encode())
    assert shown.status == status
    lines = "\n".join(shown.lines)
    assert "warning: This may be production: NODE_ENV is production" in lines
    assert f"Type 127.0.0.1 to go on: {typed}" in lines
    assert bool(server.client.exists("wh:session:+1")) == (status != 0)


def test_the_bots_own_file_is_evidence(pawsctl: Pawsctl, server: Server, tmp_path: Path) -> None:
    """`.env.local` counts before `.env`, with blanks around the word; one of no trust does too."""
    store_session(server, "+1", SESSION)
    (tmp_path / ".env").write_text("NODE_ENV=development\n")
    local = tmp_path / ".env.local"
    local.write_text('A=1\nNODE_ENV=" Production"\n')
    for line in ("session flush --yes", f"session copy --all --to {server.url}/1"):
        refused = pawsctl(*line.split())
        assert refused.status == ExitStatus.NOT_CONFIRMED, line
        assert f"NODE_ENV is production (NODE_ENV in {local}:2)" in refused.err
    local.chmod(0o666)
    refused = pawsctl("session", "flush", "--yes")
    assert refused.status == ExitStatus.NOT_CONFIRMED
    assert "whether NODE_ENV is production can't be told" in refused.err
    local.unlink()
    refused = pawsctl("session", "flush", "--yes", env={"NODE_ENV": " production"})
    assert refused.status == ExitStatus.NOT_CONFIRMED
    assert pawsctl("session", "flush", "--yes").status == ExitStatus.OK


def test_the_place_of_a_production_profile_is_evidence_under_any_url(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """Another spelling, database or profile of the same place is the same place; copies too."""
    store_session(server, "+1", SESSION)
    own = tmp_path / ".config" / "pawsctl" / "pawsctl.toml"
    own.parent.mkdir(parents=True)
    own.write_text(
        f'[profiles.prod]\nurl = "redis://localhost:{server.port}/3"\nproduction = true\n'
        f'[profiles.dev]\nurl = "{server.url}"\n[profiles.other]\nurl = "redis://localhost:1"\n'
        "production = true\n"
    )
    said = f"it is at the place of profile prod in {own}:3, which says production"
    for line in (
        f"--url {server.url} session flush --yes",
        f"--url redis://LOCALHOST:{server.port} session delete +1",
        "--profile dev session flush --yes",
        f"session copy --all --to {server.url}/1",
        f"session copy --all --mask --to {server.url}/1",
    ):
        refused = pawsctl(*line.split())
        assert (refused.status, said in refused.err) == (ExitStatus.NOT_CONFIRMED, True), line
        assert "profile other" not in refused.err
    own.write_text("[profiles.prod]\nurl = 1\n")
    refused = pawsctl("session", "flush", "--yes")
    assert refused.status == ExitStatus.NOT_CONFIRMED
    assert f"production profile can't be told ({own}:2" in refused.err
    assert server.client.exists("wh:session:+1")
    done = pawsctl("session", "flush", "--yes", "--confirm", "127.0.0.1")
    assert done.status == ExitStatus.OK
