"""Settings for a server's data, read from the command of its container."""

from __future__ import annotations

from typing import Any

import pytest

from pawsctl.stack.engine.docker.takeover import command_line

_ENTRY = ["docker-entrypoint.sh"]


def _config(
    command: list[str], entrypoint: list[str] | None = None, env: list[str] | None = None
) -> dict[str, Any]:
    return {"Entrypoint": entrypoint, "Cmd": command, "Env": env, "WorkingDir": "/data"}


@pytest.mark.parametrize(
    "config",
    [
        _config(["redis-server"], _ENTRY),
        _config(["--appendonly", "yes"], _ENTRY),
        _config(["redis-server", "--save", "60", "1"], ["/usr/local/bin/docker-entrypoint.sh"]),
        _config(["/usr/local/bin/valkey-server", "--appendonly", "yes"]),
        _config(["exec redis-server --appendonly yes"], ["/bin/sh", "-c"]),
        _config(["redis-server", "/run/secrets/redis.conf", "--dir", "/data"], _ENTRY),
        _config(["redis-server", "--include", "/run/secrets/cluster.conf"], _ENTRY),
        _config(["redis-server", "/data/redis.conf"], ["sh", "/run/secrets/start.sh"]),
    ],
)
def test_a_command_of_options_tells_all(config: dict[str, Any]) -> None:
    """No file that was not read can change a setting."""
    assert command_line.tells_all(config)


@pytest.mark.parametrize(
    "config",
    [
        _config(["redis-server", "/etc/redis.conf", "--appendonly", "yes"], _ENTRY),
        _config(["/etc/redis.conf"], _ENTRY),
        _config(["redis-server", "-"], _ENTRY),
        _config(["redis-server", "--include", "/etc/more.conf"], _ENTRY),
        _config(["cd /tmp && redis-server --appendonly yes"], ["sh", "-c"]),
        _config(["redis-server $OPTIONS"], ["sh", "-c"]),
        _config(
            ["/opt/bitnami/scripts/redis/run.sh"], ["/opt/bitnami/scripts/redis/entrypoint.sh"]
        ),
        _config([], ["/entrypoint.sh"]),
        _config([], ["/entrypoint.sh"], ["REDIS_ARGS=--save ''"]),
    ],
)
def test_a_file_or_script_may_change_settings(config: dict[str, Any]) -> None:
    """Only the server itself knows its settings then."""
    assert not command_line.tells_all(config)


def test_options_that_an_image_adds_from_its_environment_count() -> None:
    """The image of Valkey adds them to the command."""
    config = _config(["valkey-server"], _ENTRY, ["VALKEY_EXTRA_FLAGS=--appendonly yes --dir sub"])

    assert command_line.tells_all(config)
    assert command_line.settings(config)["appendonly"] == "yes"
    assert command_line.settings(config)["dir"] == "/data/sub"


@pytest.mark.parametrize(
    ("words", "port"),
    [
        (["redis-server", "--port", "6380"], 6380),
        (["redis-server", "/data/redis.conf", "--port", "1", "--port", "6381"], 6381),
        (["sh", "-c", "exec redis-server --port 6382 --dir /data"], 6382),
        (["redis-server", "--port", "$PORT"], None),
        (["redis-server", "--port", "$PORT", "--port", "6383"], 6383),
        (["redis-server", "--port", "6384", "--port", "$PORT"], None),
        (["redis-server", "--port"], None),
        (["redis-server"], None),
    ],
)
def test_the_last_port_of_a_command_is_the_one_it_listens_on(
    words: list[str], port: int | None
) -> None:
    """As Redis reads its options; None if no option names one."""
    assert command_line.port({"Cmd": words}) == port


@pytest.mark.parametrize(
    ("command", "appendonly"),
    [
        ([], "no"),
        (["redis-server"], "no"),
        (["redis-server", "/etc/redis.conf"], "no"),
        (["redis-server", "/run/secrets/redis.conf"], "yes"),
        (["redis-server", "/run/secrets/redis.conf", "--appendonly", "no"], "no"),
        (["redis-server", "--appendonly"], ""),
    ],
)
def test_our_own_file_switches_the_append_only_file_on(command: list[str], appendonly: str) -> None:
    """Options have the last word; some engines show a container without any command."""
    assert command_line.settings(_config(command))["appendonly"] == appendonly
