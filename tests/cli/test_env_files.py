"""Which `.env` files are trusted, what they may name, and that they are named."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from pawsctl.errors import ExitStatus
from tests import strangers
from tests.cli_runner import Pawsctl, Result
from tests.servers import Server


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder where everybody may write, like a machine's temporary directory."""
    # Not below pytest's own folders, which other users can't enter.
    path = Path(mkdtemp(prefix="pawsctl-test-"))
    path.chmod(0o1777)
    yield path
    shutil.rmtree(path)


def config(pawsctl: Pawsctl, folder: Path, *options: str, **env: str) -> Result:
    """Run `pawsctl config` in a folder."""
    pawsctl.folder = folder
    return pawsctl("config", "--json", *options, env=env)


def port_of(result: Result) -> str:
    """Return the REDIS_PORT that pawsctl has found."""
    assert result.status == ExitStatus.OK, result.err
    return str(next(each["value"] for each in result.json if each["name"] == "REDIS_PORT"))


def test_a_file_of_another_user_is_refused_and_named(bare_pawsctl: Pawsctl, shared: Path) -> None:
    """Skipping it could lead to another Redis by default. --env-file allows it."""
    file = strangers.write(shared / ".env", "REDIS_PORT=1\n")
    refused = config(bare_pawsctl, shared)
    assert (refused.status, refused.out) == (ExitStatus.USAGE, b"")
    assert str(file) in refused.error["message"]
    assert "belongs to another user (54321)" in refused.error["message"]
    assert "--env-file" in refused.error["hint"]
    assert port_of(config(bare_pawsctl, shared, "--env-file", str(file))) == "1"


def test_a_file_of_our_own_in_a_sticky_folder_is_read(bare_pawsctl: Pawsctl, shared: Path) -> None:
    """Others may add files to the folder, but not replace ours."""
    (shared / ".env").write_text("REDIS_PORT=2\n")
    assert port_of(config(bare_pawsctl, shared)) == "2"
    shared.chmod(0o777)
    refused = config(bare_pawsctl, shared)
    assert refused.status == ExitStatus.USAGE
    assert f"everybody may write to {shared}" in refused.error["message"]


def test_the_search_ends_where_one_stands(bare_pawsctl: Pawsctl, shared: Path) -> None:
    """Outside a repository and the home directory, no folder above is searched."""
    strangers.write(shared / ".env", "REDIS_PORT=1\n")
    below = shared / "a" / "b"
    below.mkdir(parents=True)
    (shared / "a" / ".env").write_text("REDIS_PORT=2\n")
    assert port_of(config(bare_pawsctl, below)) == "6379"
    # In a home or a repository, the search goes up to its top and no further.
    assert port_of(config(bare_pawsctl, below, HOME=str(shared / "a"))) == "2"
    (shared / "a" / ".git").write_text("gitdir: elsewhere\n")
    assert port_of(config(bare_pawsctl, below)) == "2"
    (below / ".git").mkdir()
    assert port_of(config(bare_pawsctl, below, HOME=str(shared / "a"))) == "6379"


def test_a_folder_above_that_others_may_write_is_no_safe_one(
    bare_pawsctl: Pawsctl, shared: Path
) -> None:
    """Others could replace what is below it: by mode, by owner, by a group's members."""
    below = shared / "a" / "b"
    below.mkdir(parents=True)
    (below / ".env").write_text("REDIS_PORT=3\n")
    assert port_of(config(bare_pawsctl, below)) == "3"
    for mode, uid, gid in ((0o777, 0, 0), (0o755, strangers.UID, 0), (0o775, 0, strangers.UID)):
        os.chown(shared / "a", uid, gid)
        (shared / "a").chmod(mode)
        refused = config(bare_pawsctl, below)
        assert refused.status == ExitStatus.USAGE
        assert str(shared / "a") in refused.error["message"]
    os.chown(shared / "a", 0, 0)
    (shared / "a").chmod(0o775)
    assert port_of(config(bare_pawsctl, below)) == "3"
    (below / ".env").chmod(0o666)
    assert config(bare_pawsctl, below).status == ExitStatus.USAGE


@pytest.mark.parametrize("kind", ["theirs", "to theirs", "over theirs", "nowhere", "pipe"])
def test_a_link_is_followed_to_what_it_means(
    bare_pawsctl: Pawsctl, shared: Path, kind: str
) -> None:
    """Each link on the way is checked, and so is a target that is no file."""
    own = shared / "own"
    own.mkdir()
    (own / "real").write_text("REDIS_PORT=4\n")
    env = own / ".env"
    match kind:
        case "theirs":
            own.chmod(0o1777)
            strangers.run("ln", "-s", str(own / "real"), str(env))
        case "to theirs":
            env.symlink_to(strangers.write(shared / "real", "REDIS_PORT=5\n"))
        case "over theirs":
            strangers.run("ln", "-s", str(own / "real"), str(shared / "hop"))
            env.symlink_to(shared / "hop")
        case "nowhere":
            env.symlink_to(own / "missing")
        case _:
            os.mkfifo(env)
    refused = config(bare_pawsctl, own)
    assert (refused.status, refused.out) == (ExitStatus.USAGE, b"")
    assert str(env) in refused.error["message"]
    env.unlink()
    env.symlink_to("real")
    assert port_of(config(bare_pawsctl, own)) == "4"


def test_a_folder_of_that_name_is_none(bare_pawsctl: Pawsctl) -> None:
    """Some people keep their Python environment in `.env/`."""
    (bare_pawsctl.folder / ".env").mkdir()
    assert port_of(config(bare_pawsctl, bare_pawsctl.folder)) == "6379"


@pytest.fixture
def repository(bare_pawsctl: Pawsctl, server: Server) -> Path:
    """A repository whose `.env` names a server with a password, and the working directory."""
    folder = bare_pawsctl.folder / "repository"
    (folder / ".git").mkdir(parents=True)
    bare_pawsctl.folder = folder
    (folder / ".env").write_text(f"REDIS_URL={server.url}\nREDIS_PASSWORD_FILE=secret\n")
    return folder


def test_a_found_file_sends_no_file_from_elsewhere(
    bare_pawsctl: Pawsctl, repository: Path, server: Server
) -> None:
    """Not by its name, by `..` or by a link; no connection is even made."""
    private = repository.parent / "private"
    private.write_text("mine")
    before = server.client.info("stats")["total_connections_received"]
    (repository / "secret").symlink_to(private)
    for name in (str(private), "../private", "secret", "/etc/hostname", "/run/secrets/../../etc/x"):
        (repository / ".env").write_text(f"REDIS_URL={server.url}\nREDIS_PASSWORD_FILE={name}\n")
        refused = bare_pawsctl("health", "--json")
        assert (refused.status, refused.out) == (ExitStatus.USAGE, b"")
        assert str(repository / ".env") in refused.error["message"]
    assert server.client.info("stats")["total_connections_received"] == before
    # An explicitly named password file or `.env` is trusted.
    named = bare_pawsctl("health", env={"REDIS_PASSWORD_FILE": str(private)})
    assert named.status == ExitStatus.OK, named.err
    assert bare_pawsctl("health", "--env-file", ".env").status == ExitStatus.USAGE


def test_a_password_file_below_it_is_read(bare_pawsctl: Pawsctl, repository: Path) -> None:
    """This works from any folder of the repository."""
    (repository / "secret").write_text("mine\n")
    (repository / "deep").mkdir()
    bare_pawsctl.folder = repository / "deep"
    done = bare_pawsctl("health")
    assert done.status == ExitStatus.OK, done.err
    assert "asks for no password" in done.err


@pytest.mark.parametrize("content", [b"a\nb\n", b"x" * 4097, b"\xff", b"a\0b"])
def test_what_is_no_line_is_no_password(
    bare_pawsctl: Pawsctl, repository: Path, content: bytes
) -> None:
    """Keys, certificates and user databases are refused."""
    (repository / "secret").write_bytes(content)
    refused = bare_pawsctl("health", "--json")
    assert refused.status == ExitStatus.USAGE
    assert "REDIS_PASSWORD_FILE" in refused.error["message"]


def test_the_file_is_named_by_v_by_errors_and_by_questions(
    bare_pawsctl: Pawsctl, repository: Path, server: Server
) -> None:
    """Prompts, errors and -v show where the URL came from."""
    (repository / ".env").write_text(f"REDIS_URL={server.url}\n")
    file = str(repository / ".env")
    assert f"REDIS_URL in {file}:1" in bare_pawsctl("health", "-v").err
    assert f"REDIS_URL in {file}:1" in bare_pawsctl("session", "flush").err
    assert f"REDIS_URL in {file}:1" in bare_pawsctl("redis", "maxmemory", "1gb").err
    assert file in bare_pawsctl("redis", "reset", env={"REDIS_URL": ""}).err
    for url in ("redis://127.0.0.1:1", "rediss://127.0.0.1:1", f"rediss{server.url[5:]}"):
        (repository / ".env").write_text(f"REDIS_URL={url}\n")
        failed = bare_pawsctl("session", "list", "--json", "--timeout", "1")
        assert failed.status == ExitStatus.UNREACHABLE
        assert failed.error["hint"].count(f"REDIS_URL in {file}:1") == 1
    (repository / ".env").write_text("REDIS_URL=redis://10.0.0.1\nREDIS_PORT=1\n")
    far = bare_pawsctl("session", "delete", "+1", "--connect-timeout", "0.2")
    assert f"REDIS_URL in {file}:1" in far.err


def test_a_password_of_the_environment_goes_to_no_host_that_a_found_file_names(
    bare_pawsctl: Pawsctl, repository: Path, server: Server
) -> None:
    """A repository just cloned would get it; a file or URL given explicitly is trusted."""
    far, env = repository / ".env", {"REDISCLI_AUTH": "s3cret"}
    (repository.parent / "password").write_text("s3cret")
    far.write_text("REDIS_URL=redis://10.0.0.1:6379\n")
    for mine in (env, {"REDIS_PASSWORD_FILE": str(repository.parent / "password")}):
        refused = bare_pawsctl("health", "--json", env=mine)
        assert (refused.status, refused.out) == (ExitStatus.USAGE, b"")
        assert f"would be sent to 10.0.0.1, which {far} names" in refused.error["message"]
        assert "s3cret" not in refused.err
        for meant in (["--env-file", ".env"], ["--url", "redis://10.0.0.1"]):
            shown = bare_pawsctl("config", "--show-url", *meant, env=mine)
            assert shown.text == "redis://:s3cret@10.0.0.1:6379\n"
    # The file's own password goes to its host; to this machine any password may go.
    far.write_text("REDIS_URL=redis://10.0.0.1\nREDISCLI_AUTH=own\n")
    assert bare_pawsctl("config", "--show-url").text == "redis://:own@10.0.0.1:6379\n"
    far.write_text(f"REDIS_URL={server.url}\n")
    assert bare_pawsctl("health", env=env).status == ExitStatus.OK


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"REDIS_PORT=7\r\nREDIS_IMAGE=a\r\n", ""),
        (b"\xef\xbb\xbfREDIS_PORT=7\n", ""),
        (b"REDIS_PORT=7\n" + b"# x\n" * 60_000, ""),
        ("REDIS_PORT=7\n".encode("utf-16"), "not UTF-8"),
        (b"REDIS_PORT=7\nREDIS_IMAGE=\xff\n", "not UTF-8"),
        (b"REDIS_PORT=7\n" * 30_000, "more than 256 KB"),
        (None, "more than 256 KB"),
    ],
)
def test_a_file_is_text_of_a_size_that_settings_have(
    bare_pawsctl: Pawsctl, content: bytes | None, wrong: str
) -> None:
    """Any editor's encoding of text works; an endless file is not read to its end."""
    file = bare_pawsctl.folder / ".env"
    if content is None:
        with file.open("wb") as stream:
            stream.truncate(1 << 40)
    else:
        file.write_bytes(content)
    for options in ((), ("--env-file", ".env")):
        done = config(bare_pawsctl, bare_pawsctl.folder, *options)
        if wrong:
            assert (done.status, done.out) == (ExitStatus.USAGE, b"")
            assert wrong in done.error["message"]
        else:
            assert port_of(done) == "7"


def test_a_device_that_was_named_has_no_end_and_an_empty_name_no_file(
    bare_pawsctl: Pawsctl,
) -> None:
    """An unset variable in a script does not make it read another file."""
    (bare_pawsctl.folder / ".env").write_text("REDIS_PORT=8\n")
    for name in ("/dev/zero", "", "/", "missing"):
        done = config(bare_pawsctl, bare_pawsctl.folder, "--env-file", name)
        assert (done.status, done.out) == (ExitStatus.USAGE, b""), name
    assert config(bare_pawsctl, bare_pawsctl.folder, "--env-file", "/dev/null").status == 0


@pytest.mark.parametrize("url", ["", " "])
def test_an_empty_url_leads_to_no_other_redis(pawsctl: Pawsctl, server: Server, url: str) -> None:
    """An unset variable in a script must not make it flush the Redis of the environment's URL."""
    server.client.set("wh:session:+1", "{}")
    for command in ("session flush --yes", "session list", "health"):
        done = pawsctl(*command.split(), "--url", url, "--json")
        assert (done.status, done.out) == (ExitStatus.USAGE, b""), command
    assert server.client.exists("wh:session:+1")
