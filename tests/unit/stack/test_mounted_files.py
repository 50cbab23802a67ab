"""The files that services mount, rendered if the settings differ from the defaults."""

import json
import stat
from pathlib import Path

import msgspec
import pytest

from pawsctl.config import load_settings, setting_specs
from pawsctl.config.settings import StackSettings
from pawsctl.stack.project import mounted_files


@pytest.fixture
def defaults(tmp_path: Path) -> StackSettings:
    """The settings if nothing is set."""
    return load_settings.load(environ={}, directory=tmp_path).stack()


def test_the_defaults_need_no_rendering(defaults: StackSettings, tmp_path: Path) -> None:
    """docker compose and pawsctl then mount the same files."""
    found = mounted_files.rendered(defaults, tmp_path)

    assert found == mounted_files.compose_file().parent / "defaults"
    assert list(tmp_path.iterdir()) == []


def test_the_default_files_say_what_the_default_settings_say() -> None:
    """No password for Redis, the well-known login for Redis Commander."""
    folder = mounted_files.compose_file().parent / "defaults"
    commander = json.loads((folder / "commander.json").read_text())

    assert (folder / "redis.conf").read_bytes() == b""
    assert (folder / "redis_password").read_bytes() == b""
    assert commander["server"]["httpAuth"] == {
        "username": "admin",
        "password": setting_specs.KNOWN_COMMANDER_PASSWORD,
    }


def test_a_password_stands_in_all_three_files(defaults: StackSettings, tmp_path: Path) -> None:
    """They are for the server, its health check, and Redis Commander."""
    found = mounted_files.rendered(
        msgspec.structs.replace(defaults, redis_password="a b'$"), tmp_path
    )

    requires = 'requirepass "a b\'$"\nmasterauth "a b\'$"\n'
    assert (found / "redis.conf").read_text() == requires
    assert (found / "redis_password").read_text() == "a b'$"
    commander = json.loads((found / "commander.json").read_text())
    assert commander["connections"][0]["password"] == "a b'$"
    assert {stat.S_IMODE(each.stat().st_mode) for each in found.iterdir()} == {0o444}
    assert stat.S_IMODE(found.stat().st_mode) == 0o700


def test_the_same_settings_give_the_same_place(defaults: StackSettings, tmp_path: Path) -> None:
    """So a container that mounts it is not replaced."""
    once = mounted_files.rendered(msgspec.structs.replace(defaults, redis_password="one"), tmp_path)
    twice = mounted_files.rendered(
        msgspec.structs.replace(defaults, redis_password="one"), tmp_path
    )

    assert once == twice


def test_other_settings_give_another_place_and_leave_the_first(
    defaults: StackSettings, tmp_path: Path
) -> None:
    """A container keeps its files until it is replaced."""
    first = mounted_files.rendered(
        msgspec.structs.replace(defaults, redis_password="one"), tmp_path
    )
    second = mounted_files.rendered(
        msgspec.structs.replace(defaults, redis_password="two"), tmp_path
    )

    assert first != second
    assert (first / "redis_password").read_text() == "one"
    mounted_files.forget_all_but(second, tmp_path)
    assert list((tmp_path / "files").iterdir()) == [second]


def test_the_place_tells_nothing_of_the_password(defaults: StackSettings, tmp_path: Path) -> None:
    """The path shows in `docker inspect`: the same password twice gives different names."""
    for user in ("a", "b"):
        (tmp_path / user).mkdir()

    one = mounted_files.rendered(
        msgspec.structs.replace(defaults, redis_password="same"), tmp_path / "a"
    )
    other = mounted_files.rendered(
        msgspec.structs.replace(defaults, redis_password="same"), tmp_path / "b"
    )

    assert one.name != other.name
