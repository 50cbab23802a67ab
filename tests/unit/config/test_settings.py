"""The value and the origin of every setting."""

from pathlib import Path

import pytest

from pawsctl.config import load_settings, shown_settings
from pawsctl.config.settings import Settings
from pawsctl.errors import UsageError


def load(tmp_path: Path, env_file: str = "", url: str = "", **environ: str) -> Settings:
    """Load settings from a `.env` with that text and from those variables."""
    if env_file:
        (tmp_path / ".env").write_text(env_file, "utf-8")
    return load_settings.load(environ=environ, directory=tmp_path, url=url)


def test_an_option_wins_over_the_environment_over_the_file_over_the_default(
    tmp_path: Path,
) -> None:
    """Each setting names its origin."""
    file = "REDIS_URL=redis://file\nREDIS_PORT=1\nREDIS_IMAGE=file\n"
    found = load(
        tmp_path, file, url="redis://option", REDIS_URL="redis://environment", REDIS_PORT="2"
    )
    assert (found["REDIS_URL"].value, found["REDIS_URL"].origin) == (
        "redis://option",
        "option --url",
    )
    assert (found["REDIS_PORT"].value, found["REDIS_PORT"].origin) == (
        "2",
        "REDIS_PORT in the environment",
    )
    assert found["REDIS_IMAGE"].origin == f"REDIS_IMAGE in {tmp_path / '.env'}:3"
    assert found["PAWSCTL_PROJECT"].is_default


def test_the_nearest_env_file_upwards_is_read(tmp_path: Path) -> None:
    """No other file is read."""
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / ".env").write_text("REDIS_PORT=1\nREDIS_IMAGE=x\n")
    (tmp_path / "a" / ".env").write_text("REDIS_PORT=2\n")
    found = load_settings.load(environ={"HOME": str(tmp_path)}, directory=below)
    assert found.text("REDIS_PORT") == "2"
    assert found["REDIS_IMAGE"].is_default


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("REDIS_PASSWORD=a$b${HOME}", "a$b${HOME}"),
        ("REDIS_PASSWORD='a b#c'", "a b#c"),
        ("export REDIS_PASSWORD=x # comment", "x"),
        ("\ufeffREDIS_PASSWORD=x", "x"),
        ("REDIS_PASSWORD=x\r\nREDIS_PORT=1\r", "x"),
    ],
)
def test_values_are_read_as_they_are_written(tmp_path: Path, line: str, value: str) -> None:
    """Nothing is expanded; Windows' line ends and byte order mark are accepted."""
    assert load(tmp_path, line + "\n").text("REDIS_PASSWORD") == value


def test_an_empty_value_counts_as_unset(tmp_path: Path) -> None:
    """`${NAME:-default}` in a compose file does the same."""
    found = load(tmp_path, "REDIS_IMAGE=file\nREDIS_PORT=\n", REDIS_IMAGE="")
    assert found.text("REDIS_IMAGE") == "file"
    assert found["REDIS_PORT"].is_default


@pytest.mark.parametrize(
    ("text", "number"), [("REDIS_URL redis://x\n", 1), ("\n\n# c\nA=1\n\n'x\n", 6)]
)
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, text: str, number: int) -> None:
    """The number is the one that an editor shows."""
    with pytest.raises(UsageError, match=rf"\.env, line {number},"):
        load(tmp_path, text)


def test_a_file_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    """No part of it is used."""
    (tmp_path / ".env").write_bytes(b"REDIS_PASSWORD=\xff\n")
    with pytest.raises(UsageError, match="not UTF-8"):
        load(tmp_path)


def test_without_a_url_it_follows_port_and_password(tmp_path: Path) -> None:
    """The default is the Redis of `redis up`."""
    found = load(tmp_path, REDIS_PORT="6400", REDIS_PASSWORD="x").redis_target()
    assert (found.url, found.password) == ("redis://127.0.0.1:6400", "x")


def test_a_development_password_never_travels(tmp_path: Path) -> None:
    """REDIS_PASSWORD completes a loopback URL only; the other variables complete any."""
    remote = "redis://redis.example:6379"
    assert load(tmp_path, url=remote, REDIS_PASSWORD="x").redis_target().password is None
    assert load(tmp_path, url=remote, REDISCLI_AUTH="x").redis_target().password == "x"
    local = "redis://127.0.0.1:6379"
    assert load(tmp_path, url=local, REDIS_PASSWORD="x").redis_target().password == "x"
    own = "redis://:own@127.0.0.1:6379"
    assert load(tmp_path, url=own, REDIS_PASSWORD="x").redis_target().password == "own"


def test_a_password_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A login without a password is not tried."""
    with pytest.raises(UsageError, match="REDIS_PASSWORD_FILE"):
        load(tmp_path, REDIS_PASSWORD_FILE=str(tmp_path / "missing")).redis_target()


def test_the_stack_takes_port_and_password_from_a_loopback_url(tmp_path: Path) -> None:
    """REDIS_PORT and REDIS_PASSWORD take precedence."""
    stack = load(tmp_path, REDIS_URL="redis://:x@localhost:6400").stack()
    assert (stack.redis_port, stack.redis_password) == (6400, "x")


@pytest.mark.parametrize("url", ["rediss://localhost:7", "redis://bot:x@localhost:7"])
def test_the_stack_has_no_tls_and_no_users(tmp_path: Path, url: str) -> None:
    """A URL with them belongs to another Redis, even if on this machine."""
    found = load(tmp_path, REDIS_URL=url).stack()
    assert (found.redis_port, found.redis_password) == (6379, None)
    found = load(tmp_path, REDIS_URL="redis://default:x@localhost:7").stack()
    assert (found.redis_port, found.redis_password) == (7, "x")


def test_the_stack_never_follows_a_url_elsewhere(tmp_path: Path) -> None:
    """Neither its port nor its password is used."""
    stack = load(tmp_path, REDIS_URL="redis://:x@redis.example:6400").stack()
    assert (stack.redis_port, stack.redis_password) == (6379, None)


@pytest.mark.parametrize(("name", "value"), [("REDIS_PORT", "6401"), ("REDIS_PASSWORD", "y")])
def test_settings_that_contradict_each_other_are_wrong(
    tmp_path: Path, name: str, value: str
) -> None:
    """The message names both and shows no password."""
    environ = {"REDIS_URL": "redis://:secret@localhost:6400", name: value}
    with pytest.raises(UsageError, match=f"{name} .* and REDIS_URL .* disagree") as caught:
        load(tmp_path, **environ).stack()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("password", ['a"b', "a\\b", "a\nb", "a\x7fb"])
def test_a_password_that_files_would_read_differently_is_refused(
    tmp_path: Path, password: str
) -> None:
    """redis.conf and compose read these passwords differently."""
    with pytest.raises(UsageError, match="REDIS_PASSWORD"):
        load(tmp_path, REDIS_PASSWORD=password).stack()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_PORT", "0"),
        ("REDIS_PORT", "65536"),
        ("REDIS_PORT", "x"),
        ("REDIS_COMMANDER_PORT", "-1"),
        ("REDIS_MAXMEMORY", "lots"),
        ("PAWSCTL_ENGINE", "podman"),
        ("PAWSCTL_PROJECT", "Paws!"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(tmp_path: Path, name: str, value: str) -> None:
    """The error names the setting and its origin."""
    with pytest.raises(UsageError, match=f"{name} .*in the environment"):
        load(tmp_path, **{name: value}).stack()


def test_what_is_shown_holds_no_password(tmp_path: Path) -> None:
    """Neither as a setting of its own nor inside a URL."""
    found = load(
        tmp_path,
        REDIS_URL="redis://u:secret@localhost",
        REDIS_PASSWORD="secret",
        REDISCLI_AUTH="secret",
        REDIS_COMMANDER_PASSWORD="secret",
    )
    shown = shown_settings.shown(found)
    assert not any("secret" in each.value for each in shown)
    assert any(each.value == "redis://u@localhost:6379" for each in shown)


def test_two_servers_on_one_port_are_a_contradiction(tmp_path: Path) -> None:
    """The error comes before either is started."""
    with pytest.raises(UsageError, match="both listen on port 8081"):
        load(tmp_path, REDIS_PORT="8081").stack()


@pytest.mark.parametrize("value", ["256", "1GB", "100k", "0"])
def test_a_memory_limit_is_a_size_of_redis_conf(tmp_path: Path, value: str) -> None:
    """It is kept as written."""
    assert load(tmp_path, REDIS_MAXMEMORY=value).stack().redis_maxmemory == value


@pytest.mark.parametrize("value", ["9999999999gb", "9223372036854775808", "1tb", "-1", "1.5gb"])
def test_a_memory_limit_that_redis_would_misread_is_refused(tmp_path: Path, value: str) -> None:
    """Redis keeps 64 bits and wraps around beyond."""
    with pytest.raises(UsageError, match="REDIS_MAXMEMORY"):
        load(tmp_path, REDIS_MAXMEMORY=value).stack()


def test_a_setting_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    """Its value is not shown, since it may be a password."""
    with pytest.raises(UsageError, match=r"REDIS_PASSWORD .* is not UTF-8"):
        load(tmp_path, REDIS_PASSWORD="\udcff")


def test_where_a_url_came_from_is_told_as_it_is(tmp_path: Path) -> None:
    """This holds even if the folder's name contains a word of our messages."""
    folder = tmp_path / "default"
    folder.mkdir()
    found = load(folder, "REDIS_PORT=7\n").redis_target()
    assert found.origin == f"REDIS_PORT in {folder / '.env'}:1"
    assert load(tmp_path).redis_target().origin == "the default"


@pytest.mark.parametrize("name", ["REDIS_PASSWORD", "REDISCLI_AUTH"])
def test_a_user_without_a_password_stays_hidden(name: str, tmp_path: Path) -> None:
    """It may be a password, also if another password completes the URL."""
    environment = {"REDIS_URL": "redis://s3cret@127.0.0.1:6379", name: "own"}
    target = load(tmp_path, **environment).redis_target()
    assert (target.username, target.password) == ("s3cret", "own")
    assert "s3cret" not in target.url
