"""Passwords in settings are never shown, and no input causes a traceback."""

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.servers import Server


@pytest.mark.parametrize(
    "url",
    [
        *("http://bot:s3cret@127.0.0.1:1", "https://s3cret@127.0.0.1:1/x", "bot:s3cret@h"),
        *(
            "http://bot:s3/cret@127.0.0.1:1",
            "http://127.0.0.1:1/?token=s3cret",
            "http://u:s3cret@[",
        ),
        *("http://u:s3cret@h\tx/", "http://u:s3cret@" + "h" * 70, "http://u:s3cret@h:99999"),
    ],
)
def test_the_bots_url_is_shown_without_its_password(pawsctl: Pawsctl, url: str) -> None:
    """config and doctor hide it, whether the URL is valid or not."""
    for command in ("config", "config --json", "doctor", "doctor --json"):
        done = pawsctl(*command.split(), env={"APP_URL": url})
        assert "APP_URL" in done.text or "bot" in done.text
        assert "s3" not in done.text + done.err
        assert "Traceback" not in done.err


@pytest.mark.parametrize("name", ["REDIS_PORT", "REDIS_COMMANDER_PORT", "REDIS_MAXMEMORY"])
def test_a_url_in_the_wrong_setting_is_not_repeated(bare_pawsctl: Pawsctl, name: str) -> None:
    """The message names only the setting."""
    for url in ("redis://:s3cret@h:6379", "https://h/x?token=s3cret", "u:s3cret@h"):
        done = bare_pawsctl("redis", "status", env={name: url})
        assert done.status == ExitStatus.USAGE
        assert name in done.err
        assert "s3cret" not in done.err
        assert "s3cret" not in bare_pawsctl("config", env={name: url}).text


def test_nor_is_one_in_the_place_of_a_file_or_an_image(bare_pawsctl: Pawsctl) -> None:
    """This holds with and without a scheme."""
    for url in ("redis://:s3cret@h:6379", "u:s3cret@h"):
        for name in ("REDIS_PASSWORD_FILE", "REDIS_IMAGE", "REDIS_COMMANDER_USER"):
            for command in ("config", "health", "doctor"):
                done = bare_pawsctl(command, env={name: url})
                assert "s3cret" not in done.text + done.err, (name, command)


def test_the_digest_of_an_image_is_no_password(bare_pawsctl: Pawsctl) -> None:
    """It is shown, though it follows an @."""
    image = "h:5000/redis@sha256:0123"
    assert image in bare_pawsctl("config", env={"REDIS_IMAGE": image}).text


@pytest.mark.parametrize("command", ["get", "ttl", "touch", "delete"])
@pytest.mark.parametrize("stdin", [b"+1\n\xff\n", "+1\n".encode("utf-16"), b"\x80"])
def test_phones_that_are_not_utf8_are_refused(
    pawsctl: Pawsctl, server: Server, command: str, stdin: bytes
) -> None:
    """PowerShell writes such files; the error names the line, before anything is done."""
    server.client.set("wh:session:+1", "{}", ex=60)
    done = pawsctl("session", command, "-", "--json", stdin=stdin)
    assert (done.status, done.out) == (ExitStatus.USAGE, b"")
    assert "is not UTF-8" in done.error["message"]
    assert server.client.ttl("wh:session:+1") <= 60


def test_a_nul_in_phones_or_settings_is_no_traceback(pawsctl: Pawsctl, server: Server) -> None:
    """Phones keep only their digits, as in the bot; a `.env` with a NUL is refused by line."""
    server.client.set("wh:session:+1", "{}", ex=60)
    assert pawsctl("session", "ttl", "-", "--json", stdin=b"+\x001\n").json[0]["phone"] == "+1"
    (pawsctl.folder / ".env").write_bytes(b"A=1\nREDIS_IMAGE=a\x00b\n")
    done = pawsctl("config")
    assert done.status == ExitStatus.USAGE
    assert "line 2" in done.err


@pytest.mark.parametrize(
    "url",
    [
        *(
            "rediss://h?ssl_ca_certs=%00",
            "rediss://h?ssl_certfile=%00&ssl_keyfile=x",
            "unix:///%00",
        ),
        *("redis://a..b", "redis://" + "a" * 300, "redis://u%00:p@h", "redis://\u200b.\u200b"),
    ],
)
def test_what_the_system_would_not_take_is_wrong_usage(bare_pawsctl: Pawsctl, url: str) -> None:
    """The message is ours, not a library's."""
    done = bare_pawsctl("health", "--url", url)
    assert done.status == ExitStatus.USAGE, done.err
    assert "Traceback" not in done.err


def test_config_shows_the_url_that_is_used(bare_pawsctl: Pawsctl) -> None:
    """Also where it follows from the port, the database or the default; without its password."""

    def shown(*options: str, **env: str) -> list[str]:
        (row,) = bare_pawsctl("config", "REDIS_URL", "--json", *options, env=env).json
        return [row["value"], row["origin"]]

    assert shown() == ["redis://127.0.0.1:6379", "default"]
    assert shown("-n", "3") == ["redis://127.0.0.1:6379/3", "default"]
    assert shown(REDIS_PORT="7001") == ["redis://127.0.0.1:7001", "REDIS_PORT in the environment"]
    (bare_pawsctl.folder / ".env").write_text("\nREDIS_PORT=7002\nREDIS_PASSWORD=s3cret\n")
    assert shown() == ["redis://127.0.0.1:7002", f"REDIS_PORT in {bare_pawsctl.folder}/.env:2"]
    assert shown("--url", "h:1") == ["redis://h:1", "option --url"]
    assert shown(REDIS_PORT="x") == ["", "default"]


@pytest.mark.parametrize("columns", [0, 40, 60, 80, 100, 200])
def test_config_cuts_nothing(bare_pawsctl: Pawsctl, columns: int) -> None:
    """Values and origins are whole on any terminal, and in few of its lines."""
    folder = bare_pawsctl.folder / ("long" * 20)
    folder.mkdir()
    (folder / ".env").write_text("REDIS_IMAGE=registry.example.com/team/redis:7.2-alpine\n")
    env = {"COLUMNS": str(columns)} if columns else {}
    lines = bare_pawsctl("config", "--env-file", str(folder / ".env"), env=env).text.splitlines()
    text = " ".join(" ".join(lines).split())
    assert "REDIS_IMAGE registry.example.com/team/redis:7.2-alpine" in text
    assert f"REDIS_IMAGE in {folder}/.env:1" in text
    assert "…" not in text
    assert all(len(line) <= columns or len(line.split()) <= 4 for line in lines if columns), (
        "only a path may be longer"
    )


def test_config_of_some_settings_shows_these(bare_pawsctl: Pawsctl) -> None:
    """In the order of the command line; another name is wrong usage, with all that there are."""
    rows = bare_pawsctl("config", "redis_port", "NODE_ENV", "--json").json
    assert [row["name"] for row in rows] == ["REDIS_PORT", "NODE_ENV"]
    done = bare_pawsctl("config", "REDIS_PROT")
    assert done.status == ExitStatus.USAGE
    assert "REDIS_PORT, REDIS_PASSWORD" in done.err
