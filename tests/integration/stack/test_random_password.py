"""REDIS_PASSWORD=random: a password that pawsctl creates, stores, and uses by itself."""

import json
import stat
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest
import redis

from pawsctl.errors import ExitStatus
from pawsctl.stack import login_users
from pawsctl.stack.project import layout
from tests import strangers
from tests.stack_fixtures import Docker, Stack
from tests.topology_fixtures import TOPOLOGIES, Topology


@pytest.fixture
def secured(stack: Stack) -> Stack:
    """A stack with a random password."""
    stack.environment["REDIS_PASSWORD"] = "random"
    return stack


def kept(stack: Stack) -> Path:
    """Return the file that stores the password."""
    return stack.folder / "state" / "pawsctl" / stack.project / "password"


def password_of(stack: Stack) -> str:
    """Return the password in the output of `redis status -o env`."""
    done = stack("redis", "status", "-o", "env")
    assert done.status == ExitStatus.OK, done.err
    name, _, url = done.text.rstrip("\n").partition("=")
    assert name == "REDIS_URL"
    assert url.startswith("redis://:")
    assert url.endswith(f"@127.0.0.1:{stack.port}")
    return url.removeprefix("redis://:").partition("@")[0]


def test_one_is_made_and_every_command_uses_it(secured: Stack) -> None:
    """Without it there is no access; only its owner may read its file."""
    assert secured("redis", "up").status == ExitStatus.OK
    password = password_of(secured)
    assert len(password) >= 32
    with secured.client() as anybody, pytest.raises(redis.AuthenticationError):
        anybody.ping()
    with secured.client(password) as client:
        assert client.ping()
    for command in ("session list", "health", "session seed 3", "redis memory", "test-session"):
        assert secured(*command.split()).status == ExitStatus.OK, command
    assert secured("redis", "status", "--json").json["keys"]["total"] == 3
    assert stat.S_IMODE(kept(secured).stat().st_mode) == 0o600
    assert stat.S_IMODE(kept(secured).parent.stat().st_mode) == 0o700


def test_it_is_the_same_after_down_reset_and_volumes(secured: Stack) -> None:
    """A bot that has it keeps working."""
    secured("redis", "up")
    password = password_of(secured)
    for command in (
        "stop",
        "start",
        "restart",
        "down",
        "up",
        "reset --yes",
        "down --volumes --yes",
    ):
        done = secured("redis", *command.split())
        assert done.status == ExitStatus.OK, (command, done.err)
    secured("redis", "up")
    assert password_of(secured) == password
    # The same holds after another password was set meanwhile.
    assert secured("redis", "up", env={"REDIS_PASSWORD": "another"}).status == ExitStatus.OK
    assert secured("redis", "up").status == ExitStatus.OK
    assert password_of(secured) == password


def test_only_who_asks_for_it_sees_it(secured: Stack) -> None:
    """`config --show-url` and `redis status -o env` do; no other output, process or file."""
    outputs = [secured("redis", "up", "-v")]
    password = password_of(secured)
    url = f"redis://:{password}@127.0.0.1:{secured.port}"
    assert secured("config", "--show-url").text == f"{url}\n"
    assert secured("config", "--show-url", "--json").json == {"url": url}
    for command in ("redis status -v", "redis status --json", "config", "config --json"):
        outputs.append(secured(*command.split()))
    for command in ("doctor", "redis logs", "session list -v", "redis reset --yes -v"):
        outputs.append(secured(*command.split()))
    assert not [each for each in outputs if password in each.text + each.err]
    for process in psutil.process_iter(["cmdline", "environ"]):
        assert password not in str(process.info)
    refused = secured("session", "list", "-o", "env")
    assert (refused.status, refused.out) == (ExitStatus.USAGE, b"")


def test_no_inspection_shows_it(docker_stack: Stack, engine_view: Docker) -> None:
    """The container mounts a file, which its health check reads."""
    docker_stack.environment["REDIS_PASSWORD"] = "random"
    docker_stack("redis", "dev")
    password = password_of(docker_stack)
    for name in (docker_stack.container, f"{docker_stack.project}-redis-commander"):
        container = engine_view.api.containers.get(name)
        assert password not in json.dumps([container.attrs, container.top()])
        assert password.encode() not in container.logs()


def test_of_two_first_ups_at_once_both_have_the_same(secured: Stack) -> None:
    """One creates it, and the other uses that."""
    both = [secured.start("redis", "up"), secured.start("redis", "up")]
    errors = [each.communicate(timeout=120)[1] for each in both]
    assert [each.returncode for each in both] == [0, 0], errors
    with secured.client(password_of(secured)) as client:
        assert client.ping()
    assert [each.name for each in kept(secured).parent.glob("*password*")] == ["password"]


def test_what_only_looks_makes_none(bare_stack: Stack) -> None:
    """Nor do session commands, nor an `up` that is refused."""
    env = {"REDIS_PASSWORD": "random"}
    for command in ("redis status", "redis down", "session list", "config --show-url", "doctor"):
        done = bare_stack(*command.split(), env=env)
        assert "Traceback" not in done.err, command
    assert bare_stack("redis", "up", env=env | {"REDIS_MAXMEMORY": "x"}).status == 2
    assert not kept(bare_stack).exists()


@pytest.mark.parametrize("content", [b"", b"short", b"a" * 400, b"\xff" * 40, b"a" * 20 + b"\nb\n"])
def test_a_file_that_holds_none_is_refused(bare_stack: Stack, content: bytes) -> None:
    """The error names the file, and what to do; Redis is not started."""
    kept(bare_stack).parent.mkdir(parents=True)
    kept(bare_stack).write_bytes(content)
    for command in ("redis up", "session list", "redis status"):
        done = bare_stack(*command.split(), env={"REDIS_PASSWORD": "random"})
        assert done.status == ExitStatus.USAGE, (command, done.err)
        assert str(kept(bare_stack)) in done.err


def test_a_url_with_another_password_disagrees(embedded_stack: Stack) -> None:
    """A URL with the same password does not."""
    env = {"REDIS_PASSWORD": "random", "REDIS_PORT": ""}
    other = f"redis://:other@127.0.0.1:{embedded_stack.port}"
    refused = embedded_stack("redis", "up", env=env | {"REDIS_URL": other})
    assert refused.status == ExitStatus.USAGE
    assert not kept(embedded_stack).exists()
    bare = {"REDIS_URL": f"redis://127.0.0.1:{embedded_stack.port}"}
    assert embedded_stack("redis", "up", env=env | bare).status == ExitStatus.OK
    whole = embedded_stack("config", "--show-url", env=env | bare).text.strip()
    again = embedded_stack("redis", "up", "--json", env=env | {"REDIS_URL": whole})
    assert again.json["services"][0]["action"] == "running"
    # It is never sent to another machine.
    far = {"REDIS_PASSWORD": "random", "REDIS_URL": "redis://redis.example.com"}
    assert embedded_stack("config", "--show-url", env=far).text == f"{far['REDIS_URL']}:6379\n"


def test_redis_cli_is_logged_in(secured: Stack) -> None:
    """The password is in no argument."""
    secured("redis", "up")
    assert secured.cli("ping").text == "PONG\n"


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_a_topology_has_it_too(tmp_path: Path, name: layout.Topology) -> None:
    """It is the same as for the single Redis; the URL gives a client access."""
    topology = Topology(tmp_path, name, "embedded")
    topology.environment["REDIS_PASSWORD"] = "random"
    try:
        topology.up()
        line = topology.run("status", "-o", "env").text.strip()
        assert kept(topology).read_text().strip() in line
        url = line.removeprefix("REDIS_URL=")
        done = topology("health", env={"REDIS_URL": url, "REDIS_PASSWORD": ""})
        assert done.status == ExitStatus.OK, done.err
        topology.run("down", "--volumes", "--yes")
        topology.up()
        assert topology.run("status", "-o", "env").text.strip() == line
    finally:
        topology.run("down", "--volumes", "--yes")


def test_its_file_is_nobody_elses_to_read(embedded_stack: Stack) -> None:
    """This holds though all users may enter the folders above."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        embedded_stack.environment |= {"REDIS_PASSWORD": "random", "XDG_STATE_HOME": folder}
        embedded_stack("redis", "up")
        strangers.run("ls", folder)
        for name in ("password", "redis_password"):
            (path,) = Path(folder).rglob(name)
            with pytest.raises(subprocess.CalledProcessError):
                strangers.run("cat", str(path))
        embedded_stack("redis", "down", "--volumes", "--yes")


def test_without_one_other_users_are_told_of(embedded_stack: Stack) -> None:
    """`up` and `doctor` warn if other users can log in to this machine."""
    warned = embedded_stack("redis", "up").err
    found = embedded_stack("doctor", "--json").json["findings"]
    (own,) = [each for each in found if each["name"] == "password"]
    if names := login_users.others():
        assert f"has no password: other users of this machine ({names[0]}" in warned
        assert "REDIS_PASSWORD=random" in warned
        assert own["state"] == "warning"
        assert "REDIS_PASSWORD=random" in own["hint"]
    else:
        assert "has no password" not in warned
        assert own["state"] == "ok"
    assert "has no password" not in embedded_stack("redis", "up", env={"REDIS_PASSWORD": "x"}).err
    again = embedded_stack("redis", "up").err
    assert ("has no password" in again) is bool(login_users.others())
    other = embedded_stack("redis", "up", env={"REDIS_MAXMEMORY": "99mb"}).err
    assert "has no password" not in other
