"""`redis dev`: Redis Commander with its login, connected to this Redis."""

from pawsctl.stack.project import commander_probe
from tests.planted import SPELLINGS, found_in
from tests.stack_fixtures import Stack


def test_dev_returns_when_commander_is_connected(docker_stack: Stack) -> None:
    """The result has its address and the well-known login; it is recorded, and can be masked."""
    done = docker_stack("redis", "dev", "--json")

    assert done.status == 0, done.err
    assert done.json["commander"] == {
        "url": f"http://127.0.0.1:{docker_stack.commander_port}",
        "user": "admin",
        "password": "admin123",
    }
    assert commander_probe.Probe(docker_stack.commander_port, "admin", "admin123")() == ""
    (recorded,) = docker_stack("audit", "list", "--json").json
    assert (recorded["command"], recorded["counts"]) == ("redis dev", {"created": 2})
    with docker_stack.client() as client:
        for each in SPELLINGS:
            client.eval("redis.log(redis.LOG_WARNING, ARGV[1])", 0, each)
    for line in ("redis dev", "redis logs", "redis logs --json"):
        masked = docker_stack("-v", *line.split(), env={"PAWSCTL_MASK": "1"})
        assert not found_in(masked.text + masked.err), line
    assert "Ready to accept connections" in masked.text


def test_commander_refuses_another_password(docker_stack: Stack) -> None:
    """The login is really checked."""
    docker_stack("redis", "dev")

    said = commander_probe.Probe(docker_stack.commander_port, "admin", "wrong")()

    assert said == "it refuses the login"


def test_commander_takes_the_settings_logins(docker_stack: Stack) -> None:
    """Its own user and password, and Redis's; a password that was set is not shown."""
    done = docker_stack(
        "redis",
        "dev",
        env={
            "REDIS_PASSWORD": "for redis",
            "REDIS_COMMANDER_USER": "paula",
            "REDIS_COMMANDER_PASSWORD": "for $commander",
        },
    )

    assert done.status == 0, done.err
    assert "paula" in done.text
    assert "for $commander" not in done.text + done.err
    assert commander_probe.Probe(docker_stack.commander_port, "paula", "for $commander")() == ""


def test_asking_often_does_not_fill_its_log(docker_stack: Stack) -> None:
    """Otherwise the lines that say why it can't reach Redis would drown in logins."""
    docker_stack("redis", "dev")
    before = docker_stack("redis", "logs", "redis-commander").text.count("Login success")
    probe = commander_probe.Probe(docker_stack.commander_port, "admin", "admin123")

    said = [probe() for _ in range(5)]

    logins = docker_stack("redis", "logs", "redis-commander").text.count("Login success")
    assert said == [""] * 5
    assert logins == before + 1


def test_up_tells_a_commander_that_exists_the_new_password(docker_stack: Stack) -> None:
    """Else it would be locked out of Redis."""
    docker_stack("redis", "dev")

    done = docker_stack("redis", "up", "--json", env={"REDIS_PASSWORD": "new"})

    assert [each["changed"] for each in done.json["services"]] == [["password"], ["login"]]
    assert commander_probe.Probe(docker_stack.commander_port, "admin", "admin123")() == ""


def test_logs_of_both_services_are_told_apart(docker_stack: Stack) -> None:
    """Each line begins with its service's name; one service can be selected."""
    docker_stack("redis", "dev")

    both = docker_stack("redis", "logs").text.splitlines()
    one = docker_stack("redis", "logs", "redis-commander").text.splitlines()

    assert {line.split()[0] for line in both} == {"redis", "redis-commander"}
    assert {line.split()[0] for line in one} == {"redis-commander"}


def test_dev_needs_docker(embedded_stack: Stack) -> None:
    """The embedded engine has no containers."""
    done = embedded_stack("redis", "dev")

    assert done.status == 6
    assert "needs Docker" in done.err
