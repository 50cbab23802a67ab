"""REDIS_PASSWORD is used, and appears nowhere."""

import json
import stat

import psutil
import pytest
import redis

from tests.stack_fixtures import Docker, Stack

SECRET = "s3cret 'o' $PATH ${HOME} #1 é%"


@pytest.fixture(scope="module")
def secret_env() -> dict[str, str]:
    """A password with characters that are special in shells, compose files and redis.conf."""
    return {"REDIS_PASSWORD": SECRET}


def test_the_password_is_asked_for(stack: Stack, secret_env: dict[str, str]) -> None:
    """On either engine, only clients with the password get in."""
    assert stack("redis", "up", env=secret_env).status == 0

    with stack.client(SECRET) as client:
        assert client.ping()
    with stack.client() as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_status_and_cli_log_in(stack: Stack, secret_env: dict[str, str]) -> None:
    """They take the password from the settings."""
    stack("redis", "up", env=secret_env)

    status = stack("redis", "status", "--json", env=secret_env)
    ping = stack.cli("ping", env=secret_env)

    assert status.json["memory"] is not None
    assert (ping.text, ping.err) == ("PONG\n", "")


def test_the_password_is_in_no_process_list(stack: Stack, secret_env: dict[str, str]) -> None:
    """Other users can list processes."""
    stack("redis", "up", env=secret_env)

    for process in psutil.process_iter(["cmdline"]):
        assert SECRET not in " ".join(process.info["cmdline"] or [])


def test_the_password_is_in_no_output(stack: Stack, secret_env: dict[str, str]) -> None:
    """Not in results, messages or logs, even the most verbose."""
    done = [
        stack("redis", *arguments, env=secret_env)
        for arguments in (["up", "-v"], ["status", "-v"], ["logs"], ["up", "--json"])
    ]

    for each in done:
        assert SECRET not in each.text + each.err
        assert "s3cret" not in each.text + each.err


def test_the_password_is_not_in_docker_inspect(
    docker_stack: Stack, engine_view: Docker, secret_env: dict[str, str]
) -> None:
    """Not in the command, environment, labels or health check output."""
    docker_stack("redis", "dev", env=secret_env)

    commander = engine_view.api.containers.get(f"{docker_stack.project}-redis-commander")
    for container in (engine_view.container(), commander):
        assert "s3cret" not in json.dumps(container.attrs)
        assert "s3cret" not in json.dumps(container.top())
        assert b"s3cret" not in container.logs()


def test_the_rendered_files_are_kept_from_other_users(
    docker_stack: Stack, secret_env: dict[str, str]
) -> None:
    """The container's user must read the files, so their directory keeps others out."""
    docker_stack("redis", "up", env=secret_env)

    (file,) = docker_stack.folder.rglob("redis_password")
    assert stat.S_IMODE(file.stat().st_mode) == 0o444
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.parents[2].stat().st_mode) == 0o700


def test_no_password_is_left_after_down(stack: Stack, secret_env: dict[str, str]) -> None:
    """The next `up` renders its files anew."""
    stack("redis", "up", env=secret_env)
    stack("redis", "down", env=secret_env)

    assert not list((stack.folder / "state").rglob("redis_password"))
    assert stack("redis", "up", env=secret_env).status == 0


def test_the_health_check_logs_in(
    docker_stack: Stack, engine_view: Docker, secret_env: dict[str, str]
) -> None:
    """The health check's command succeeds with the password and fails without it."""
    docker_stack("redis", "up", env=secret_env)
    container = engine_view.container()
    _, script = container.attrs["Config"]["Healthcheck"]["Test"]

    # By status, as Docker judges: it may lose what a command prints that ends at once.
    assert container.exec_run(["sh", "-c", script]).exit_code == 0
    assert container.exec_run(["sh", "-c", "redis-cli -e ping"]).exit_code != 0


@pytest.mark.parametrize("password", ['with"quote', "with\\backslash", "with\nnewline"])
def test_a_password_that_files_would_read_differently_is_refused(
    bare_stack: Stack, password: str
) -> None:
    """Before anything is done, and without showing it."""
    done = bare_stack("redis", "up", env={"REDIS_PASSWORD": password})

    assert done.status == 2
    assert "with" not in done.err.split("REDIS_PASSWORD holds")[0]
    assert password not in done.err
