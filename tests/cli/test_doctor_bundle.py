"""`pawsctl doctor --bundle`: complete enough to help, and free of private data."""

import base64
import json
import stat
import tarfile
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from pawsctl.errors import ExitStatus
from pawsctl.workflows.support_bundle.blanking import Blanker
from tests.bot import bot
from tests.cli_runner import Pawsctl, Result
from tests.stack_fixtures import Docker, Stack

PASSWORD = 'p@ss w/rd+"%&é'
SECRETS = (PASSWORD, "commander-s3cret", "c1i-auth", "app-url-pw", "t0ken-value", "s3ntinel-pw")
PHONES = ("59899123456", "4915112345678")
TEXTS = (
    "Mi gata Luna no come desde ayer",
    "Fieber, 40 Grad: was tun?",
    "la receta: 5 mg/kg & agua",
    "猫がご飯を食べません",
)


def contents(path: Path) -> dict[str, bytes]:
    """Return the files of a bundle."""
    with tarfile.open(path) as archive:
        return {
            each.name.partition("/")[2]: archive.extractfile(each).read()  # type: ignore[union-attr]
            for each in archive.getmembers()
        }


def ways(text: str) -> set[bytes]:
    """Return the spellings of a text: plain, escaped, percent-encoded, in base64 at any offset."""
    raw = text.encode()
    written = {text, quote(text), quote(text, safe=""), quote_plus(text), json.dumps(text)[1:-1]}
    found = {each.encode() for each in written} | {raw.hex().encode()}
    for before in range(3):
        kept = raw[-before % 3 :]
        kept = kept[: len(kept) - len(kept) % 3]
        if len(kept) >= 6:
            found |= {base64.b64encode(kept), base64.urlsafe_b64encode(kept)}
    return found


def scan(path: Path, *private: str) -> None:
    """Search every byte of a bundle, its names and its packed form, for private data."""
    found = contents(path)
    for text in private:
        for form in ways(text):
            for name, content in found.items():
                assert form not in content, (text, form, name)
                assert form not in name.encode()


def fill(stack: Stack, password: str | None) -> None:
    """Store good and broken sessions with phones and texts."""
    with stack.client(password) as client:
        for phone, text in zip(PHONES * 2, TEXTS, strict=True):
            messages = [
                {"role": "user", "content": text},
                {"role": "assistant", "content": [{"type": "text", "text": f"{text}!"}]},
            ]
            value = json.dumps({"status": "active", "messages": messages, "updatedAt": 1})
            client.set(f"wh:session:+{phone}", value, ex=999)
            client.set(f"wh:session:x{text}", f'{{"broken": "{text}", ', ex=999)


def bundled(stack: Pawsctl, *options: str, env: dict[str, str] | None = None) -> Result:
    """Run `doctor --bundle out.tar.gz`."""
    return stack("doctor", "--bundle", "out.tar.gz", *options, env=env)


def plant(log: Path) -> None:
    """Write lines to a log like those of a server that crashes, and of one that complains."""
    private = [*SECRETS, *TEXTS, *(f"+{each}" for each in PHONES)]
    with log.open("a", encoding="utf-8") as file:
        for text in private:
            encoded = base64.b64encode(f"x:{text}".encode()).decode()
            file.write(f"argv[2]: '{text}'\n")
            for each in (text, quote(text, safe=""), encoded, json.dumps(text)):
                file.write(f"1:M 28 Nov 2026 09:20:50.946 # Refused {each} of a client\n")


def test_every_byte_is_free_of_what_is_private(embedded_stack: Stack) -> None:
    """In settings, logs, findings and the bot's answer, in every spelling."""
    env = {
        "REDIS_PASSWORD": PASSWORD.replace('"', "'"),
        "REDIS_COMMANDER_PASSWORD": SECRETS[1],
        "REDISCLI_AUTH": PASSWORD.replace('"', "'"),
    }
    embedded_stack.environment |= env
    assert embedded_stack("redis", "up").status == ExitStatus.OK
    fill(embedded_stack, env["REDIS_PASSWORD"])
    (log,) = embedded_stack.folder.rglob("server.log")
    plant(log)
    said = {"status": "unhealthy", "error": f"+{PHONES[0]} {TEXTS[0]} {SECRETS[3]}"}
    with bot(503, said) as url:
        app = url.replace("//", f"//bot:{SECRETS[3]}@") + f"?token={SECRETS[4]}"
        done = bundled(embedded_stack, env={"APP_URL": app})
    assert "Traceback" not in done.err, done.err
    path = embedded_stack.folder / "out.tar.gz"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    planted = [env["REDIS_PASSWORD"], *SECRETS[1:2], *SECRETS[3:5], *PHONES, *TEXTS]
    scan(path, *planted)
    found = contents(path)
    assert set(found) >= {"doctor.json", "versions.json", "settings.json", "compose.yaml"}
    assert json.loads(found["doctor.json"])[0]["name"] == "disk"
    assert "pawsctl" in json.loads(found["versions.json"])
    told = b"".join(found.values())
    assert b"used_memory:" in told
    assert b"Ready to accept connections" in told
    assert b"# Refused *** of a client" in told
    assert b"characters that are no line of a server's" in told
    for text in planted:
        assert text not in done.text


def test_a_container_is_described_without_its_environment(
    docker_stack: Stack, engine_view: Docker
) -> None:
    """It shows state, mounts, and the end of the log, without the random password."""
    docker_stack.environment |= {"REDIS_PASSWORD": "random"}
    assert docker_stack("redis", "up").status == ExitStatus.OK
    password = docker_stack("config", "--show-url").text.partition("redis://:")[2].partition("@")[0]
    fill(docker_stack, password)
    container = engine_view.container()
    script = f"echo '1:M 28 Nov 2026 09:20:50.946 # {TEXTS[0]} {password}' >/proc/1/fd/1"
    container.exec_run(["sh", "-c", script])
    assert bundled(docker_stack).status == ExitStatus.OK
    path = docker_stack.folder / "out.tar.gz"
    scan(path, password, *PHONES, *TEXTS)
    found = contents(path)
    about = json.loads(found[f"stack/{docker_stack.container}.json"])
    assert about["State"]["Status"] == "running"
    assert not any("=" in each for each in about["Env"])
    assert b"Ready to accept connections" in found[f"stack/{docker_stack.container}.log"]


def test_where_redis_does_not_answer_it_is_written_all_the_same(bare_pawsctl: Pawsctl) -> None:
    """A bundle is needed then; the bot's answer may be anything."""
    env = {
        "REDIS_URL": f"redis+sentinel://:{SECRETS[2]}@h.invalid/s?sentinel_password={SECRETS[5]}"
    }
    with bot(503, {"status": "unhealthy", "error": TEXTS[0]}) as url:
        done = bundled(bare_pawsctl, env=env | {"APP_URL": url})
    assert done.status == ExitStatus.FAILED
    scan(bare_pawsctl.folder / "out.tar.gz", SECRETS[2], SECRETS[5], TEXTS[0])
    (bare_pawsctl.folder / ".env").write_text(f"REDIS_PASSWORD={SECRETS[0]}\nnonsense here\n")
    done = bundled(bare_pawsctl, "--force")
    assert done.status == ExitStatus.FAILED
    scan(bare_pawsctl.folder / "out.tar.gz", SECRETS[0])
    assert set(contents(bare_pawsctl.folder / "out.tar.gz")) == {"doctor.json", "versions.json"}


def test_no_file_is_replaced_without_being_told_to(pawsctl: Pawsctl) -> None:
    """The error comes before any check; a replaced file becomes private, too."""
    path = pawsctl.folder / "out.tar.gz"
    path.write_text("mine")
    path.chmod(0o644)
    done = bundled(pawsctl, "--json")
    assert (done.status, done.out) == (ExitStatus.USAGE, b"")
    assert "exists already" in done.error["message"]
    assert path.read_text() == "mine"
    assert bundled(pawsctl, "--force", "--json").status == ExitStatus.OK
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "doctor.json" in contents(path)
    for name in ("/nowhere/a.tar.gz", "a.zip", "."):
        done = pawsctl("doctor", "--bundle", name, "--json")
        assert (done.status, done.out) == (ExitStatus.USAGE, b""), name
    assert sorted(each.name for each in pawsctl.folder.iterdir()) == ["out.tar.gz"]


@pytest.mark.parametrize("secret", [*SECRETS, *PHONES, *TEXTS])
def test_a_secret_is_blanked_in_each_way_that_it_is_written(secret: str) -> None:
    """Text around it does not matter."""
    blanker = Blanker([secret], within="")
    for form in ways(secret):
        text = f"a{form.decode()}b"
        assert form.decode() not in blanker.text(text), form
    for before in ("", "x", "xy"):
        encoded = base64.b64encode(f"{before}{secret}z".encode()).decode()
        for form in ways(secret):
            assert form.decode() not in blanker.text(encoded)


def test_what_is_private_by_its_look_is_blanked_without_being_known() -> None:
    """Phones, addresses and keys are blanked; versions, sizes and times are not."""
    blanker = Blanker([], within="")
    for text in (
        "+598 99 123-456",
        "59899123456",
        "ann@example.com",
        "wh:session:+1",
        "whatsapp:+1",
    ):
        assert "***" in blanker.text(f"of {text} there")
    kept = "1:M 28 Nov 2026 09:20:50.946 # 127.0.0.1:6379 used 123456 of 7.2.4, 0x7f12345678901"
    assert blanker.text(kept) == kept
