"""--profile, PAWSCTL_PROFILE and pawsctl.toml: one environment by its name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.servers import Server, store_session
from tests.terminal import screen

SESSION = b'{"status":"active","messages":[],"updatedAt":1}'
ELSEWHERE = "redis://127.0.0.1:1"


def write(folder: Path, text: str) -> Path:
    """Write a pawsctl.toml and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pawsctl.toml"
    path.write_text(text)
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The user's own configuration directory."""
    return tmp_path / ".config" / "pawsctl"


@pytest.fixture
def secured(pawsctl: Pawsctl, server: Server) -> Iterator[Pawsctl]:
    """pawsctl with a REDIS_URL that leads nowhere, and a server with a user and a session."""
    server.client.execute_command("ACL SETUSER app on >s3cret ~* +@all")
    store_session(server, "+1", SESSION)
    pawsctl.environment |= {"REDIS_URL": ELSEWHERE, "REDISCLI_AUTH": "wrong"}
    yield pawsctl
    server.client.acl_deluser("app")


def url_of(server: Server) -> str:
    """Return the URL of the user, without the password."""
    return server.url.replace("://", "://app@")


def test_a_profile_replaces_url_and_passwords(secured: Pawsctl, server: Server, own: Path) -> None:
    """Its password is that of its file or command alone; config names where it stands."""
    path = write(
        own,
        f'[profiles.prod]\nurl = "{url_of(server)}"\npassword_command = ["echo", "s3cret"]\n'
        f'[profiles.file]\nurl = "{url_of(server)}"\npassword_file = "secret.txt"\n'
        f'[profiles.none]\nurl = "{url_of(server)}"\n',
    )
    (own / "secret.txt").write_text("s3cret\n")
    for name in ("prod", "file"):
        assert secured("--profile", name, "session", "get", "+1").status == ExitStatus.OK
        named = secured("session", "get", "+1", env={"PAWSCTL_PROFILE": name})
        assert named.status == ExitStatus.OK
    refused = secured("session", "list", "--profile", "none")
    assert refused.status == ExitStatus.UNREACHABLE
    assert "password_file or password_command" in refused.err
    rows = {
        row["name"]: (row["value"], row["origin"])
        for row in secured("config", "--profile", "prod", "--json").json
    }
    assert rows["REDIS_URL"][1] == f"profile prod in {path}:2"
    assert rows["REDISCLI_AUTH"] == (
        "",
        "not used with profile prod (REDISCLI_AUTH in the environment)",
    )
    assert rows["PAWSCTL_PROFILE"] == ("prod", "option --profile")


def test_a_profile_and_a_url_exclude_each_other(
    secured: Pawsctl, server: Server, own: Path
) -> None:
    """Also if the environment names the profile; an unknown or empty name is wrong usage too."""
    write(own, f'[profiles.prod]\nurl = "{server.url}"\n')
    both = secured("--url", ELSEWHERE, "session", "list", env={"PAWSCTL_PROFILE": "prod"})
    assert (both.status, "name two places" in both.err) == (ExitStatus.USAGE, True)
    unknown = secured("--profile", "stage", "session", "list")
    assert unknown.status == ExitStatus.USAGE
    assert "There is no profile 'stage' (option --profile)" in unknown.err
    assert "They are prod." in unknown.err
    assert secured("--profile", "", "session", "list").status == ExitStatus.USAGE


def test_a_file_of_the_project_is_found_and_refused_if_others_may_write_it(
    secured: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """As a .env is; no command of it runs, and without a profile it is not looked at."""
    path = write(tmp_path, f'[profiles.dev]\nurl = "{server.url}"\n')
    assert secured("--profile", "dev", "session", "list").status == ExitStatus.OK
    path.chmod(0o666)
    refused = secured("--profile", "dev", "session", "list")
    assert refused.status == ExitStatus.USAGE
    assert f"{path} is not read: everybody may write" in refused.err
    assert secured("config").status == ExitStatus.OK
    path.chmod(0o600)
    path.write_text(f'[profiles.dev]\nurl = "{server.url}"\npassword_command = "touch pwned"\n')
    refused = secured("--profile", "dev", "session", "list")
    assert (refused.status, f"{path}:3: password_command counts only" in refused.err) == (2, True)
    assert not (tmp_path / "pwned").exists()


def test_the_users_own_file_must_be_the_users_too(
    secured: Pawsctl, server: Server, own: Path
) -> None:
    """It may name a command."""
    path = write(own, f'[profiles.prod]\nurl = "{server.url}"\n')
    path.chmod(0o666)
    refused = secured("--profile", "prod", "session", "list")
    assert (refused.status, f"{path} is not read" in refused.err) == (ExitStatus.USAGE, True)


def test_read_only_and_production_of_a_profile_hold(
    secured: Pawsctl, server: Server, own: Path
) -> None:
    """Nothing loosens them; what changes something names the profile and its place."""
    path = write(
        own,
        f'[profiles.look]\nurl = "{server.url}"\nread_only = true\n'
        f'[profiles.prod]\nurl = "{server.url}"\nproduction = true\n',
    )
    refused = secured(
        "--profile", "look", "session", "delete", "+1", env={"PAWSCTL_READ_ONLY": "0"}
    )
    assert refused.status == ExitStatus.NOT_CONFIRMED
    assert f"Read-only by profile look in {path}:3" in refused.err
    stack = secured("redis", "up", env={"PAWSCTL_PROFILE": "look"})
    assert stack.status == ExitStatus.NOT_CONFIRMED
    guarded = secured("--profile", "prod", "session", "flush", "--yes")
    assert guarded.status == ExitStatus.NOT_CONFIRMED
    assert f"profile prod in {path}:6 says production" in guarded.err
    assert f"profile prod at {server.url}" in guarded.err
    confirmed = secured("--profile", "prod", "session", "delete", "+1", "--confirm", "127.0.0.1")
    assert confirmed.status == ExitStatus.OK
    assert f"profile prod at {server.url}" in confirmed.err


def test_a_production_profile_has_its_colour_on_a_terminal(
    secured: Pawsctl, server: Server, own: Path
) -> None:
    """A red ground, wherever something is changed."""
    write(own, f'[profiles.prod]\nurl = "{server.url}"\nproduction = true\n')
    shown = screen(
        secured,
        *("--profile", "prod", "session", "touch", "+1"),
        columns=100,
    )
    assert shown.status == ExitStatus.OK
    assert shown.lines[0] == f"profile prod at {server.url}"
    assert shown.grounds[0][len("profile ")] == "red"


def test_a_prefix_of_a_profile_counts(secured: Pawsctl, server: Server, tmp_path: Path) -> None:
    """One from a file that was found is named in the question; --yes does not suffice for it."""
    server.client.set("sess:1", SESSION, ex=60)
    write(tmp_path, f'[profiles.dev]\nurl = "{server.url}"\nprefix = "sess:"\n')
    secured.environment |= {"PAWSCTL_PROFILE": "dev", "SESSION_PREFIX": "other:"}
    refused = secured("session", "flush", "--yes")
    assert refused.status == ExitStatus.NOT_CONFIRMED
    assert f"profile dev in {tmp_path / 'pawsctl.toml'}:3" in refused.err
    assert secured("session", "flush", "--confirm", "127.0.0.1").status == ExitStatus.OK
    assert server.client.keys() == [b"wh:session:+1"]


def test_profiles_are_listed_shown_and_checked(
    secured: Pawsctl, server: Server, own: Path, tmp_path: Path
) -> None:
    """Those of both files; list and show run no command, and check says which step fails."""
    mine = write(
        own,
        f'[profiles.prod]\nurl = "{url_of(server)}"\nproduction = true\n'
        "password_command = \"sh -c 'touch ran; echo s3cret'\"\n",
    )
    found = write(tmp_path, f'[profiles.gone]\nurl = "{ELSEWHERE}"\n')
    rows = secured("profile", "list", "--json", env={"PAWSCTL_PROFILE": "gone"}).json
    assert [(row["name"], row["production"], row["in_use"], row["file"]) for row in rows] == [
        ("prod", True, False, str(mine)),
        ("gone", False, True, str(found)),
    ]
    shown = secured("profile", "show", "prod", "--json").json
    assert {each["key"] for each in shown["values"]} == {"url", "production", "password_command"}
    assert not (own / "ran").exists()
    good = secured("profile", "check", "prod", "--json")
    assert (good.status, good.json[0]["ok"]) == (ExitStatus.OK, True)
    assert (own / "ran").exists()
    both = secured("profile", "check", "--json")
    assert both.status == ExitStatus.FAILED
    for line in ('prefix = "*"', 'ttl = "never"'):
        found.write_text(f'[profiles.odd]\nurl = "{server.url}"\n{line}\n')
        odd = secured("profile", "check", "odd", "--json").json[0]["steps"]
        assert [step["ok"] for step in odd] == [False, False, False]
        assert f"profile odd in {found}:3" in odd[0]["detail"]
    found.write_text(f'[profiles.odd]\nurl = "{server.url}"\n{line}\nformat = "raw"\n')
    assert secured("profile", "check", "odd").status == ExitStatus.OK
    found.write_text(f'[profiles.gone]\nurl = "{ELSEWHERE}"\n')
    gone = secured("--profile", "gone", "session", "list")
    assert gone.status == ExitStatus.UNREACHABLE
    assert "Look at the profile ('pawsctl profile show gone')" in gone.err
    steps = {step["name"]: step["ok"] for step in both.json[1]["steps"]}
    assert steps == {"settings": True, "password": True, "answers": False}
    assert "s3cret" not in good.text + good.err + both.text + both.err
    lost = secured("profile", "list", "--json", env={"PAWSCTL_PROFILE": "nowhere"})
    assert (lost.status, len(lost.json)) == (ExitStatus.OK, 2)
    assert "There is no profile 'nowhere'" in lost.err


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("false", "it ended with status 1"),
        ("no-such-program", "No such file"),
        ("true", "did not print one line"),
        ("printf s3cret\\\\ntwo", "did not print one line"),
    ],
)
def test_a_password_command_that_gives_none_is_told(
    secured: Pawsctl, server: Server, own: Path, command: str, reason: str
) -> None:
    """Its output is not."""
    path = write(own, f"[profiles.prod]\nurl = \"{server.url}\"\npassword_command = '{command}'\n")
    result = secured("--profile", "prod", "session", "list")
    assert result.status == ExitStatus.USAGE
    assert f"The password_command of profile prod in {path}:3 gave no password" in result.err
    assert reason in result.err
    assert "s3cret" not in result.err
