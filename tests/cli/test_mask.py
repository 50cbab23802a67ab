"""--mask, PAWSCTL_MASK: no output of any command shows a phone, or a word of what people wrote."""

import gzip
import json
import re
import subprocess
import sys
import tarfile
from functools import partial
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests.bot import bot
from tests.cli_runner import Pawsctl, Result
from tests.docs import commands
from tests.following import following
from tests.planted import (
    BROKEN,
    NOBODY,
    OTHER,
    PHONE,
    PLAIN,
    SPELLINGS,
    STORED,
    STUCK,
    found_in,
    plant,
)
from tests.servers import Server, store_session
from tests.serving import DEVELOPMENT, serving
from tests.shells import in_time
from tests.stack_fixtures import Stack
from tests.terminal import screen

# Lines that are run one after the other, each with its exit status.
TRIED = (
    ("redis up", 0),
    ("redis up --json", 0),
    ("redis start", 0),
    ("redis start --json", 0),
    ("redis start --timeout 5491155501234", 2),
    ("redis restart", 0),
    ("redis restart --json", 0),
    ("redis dev", 6),
    ("redis dev --json", 6),
    ("redis status", 0),
    ("redis status --json", 0),
    ("redis status -o env", 0),
    ("redis logs", 0),
    ("redis logs --json", 0),
    ("redis logs -o csv --timestamps", 0),
    (f"redis logs {PHONE}", 2),
    ("redis memory", 0),
    ("redis memory --json", 0),
    ("redis maxmemory 99mb --yes --json", 0),
    (f"redis maxmemory {PLAIN}", 3),
    (f"redis cli -- GET wh:session:{PHONE}", 2),
    ("redis cli --lucrecia", 2),
    ("redis failover --topology cluster --json", 1),
    ("redis failover firulais", 2),
    ("session list", 0),
    ("session list --json", 0),
    ("session list -o csv --columns phone,key,status,last_message,problem,waiting", 0),
    ("session list --grep Firulais --sort phone", 0),
    ("session list --grep Inventada --match *55501*", 0),
    ("session list --match 55501", 0),
    ("session list --status Pepita", 0),
    ("session list --sort firulais", 2),
    (f"session list --idle {PHONE}", 2),
    (f"session get {PHONE} {PLAIN} {STUCK} {BROKEN} wh:session:lucrecia {OTHER}", 0),
    (f"session get --full {PHONE}", 0),
    (f"session get --json {PHONE} {BROKEN}", 0),
    (f"session get --raw {PHONE}", 0),
    (f"session get --raw {BROKEN}", 0),
    (f"session get --raw {OTHER}", 1),
    (f"session get {NOBODY} 5491155501234", 4),
    ("session get whatsapp:+54-9-11-5550-1234 %2B5491155501234", 4),
    ("session get Firulais", 2),
    (f"session get --wrong {PHONE}", 2),
    ("session ttl", 0),
    (f"session ttl {PHONE} {NOBODY}", 4),
    (f"session ttl --json {PHONE}", 0),
    ("session ttl --check", 1),
    ("session stats", 0),
    ("session stats --json", 0),
    ("session lint --junit lint.xml", 1),
    ("session lint --json", 1),
    ("session export -", 0),
    ("session export a.jsonl --json", 0),
    (f"session export {PHONE}.jsonl", 0),
    (f"session export {PHONE}/a", 1),
    ("session verify a.jsonl", 0),
    ("session verify plain.jsonl --json", 0),
    (f"session verify {PLAIN}", 2),
    ("session import plain.jsonl", 0),
    ("session import plain.jsonl --replace --json", 0),
    ("session import broken.jsonl", 1),
    ("session copy --all --to {url}/1 --dry-run", 0),
    (f"session copy {PHONE} {NOBODY} --to {{url}}/1 --json", 4),
    (f"session copy {PHONE} --no-mask --to {{url}}/1", 2),
    ("session copy --all --to firulais", 2),
    (f"session touch {PHONE} {NOBODY}", 4),
    (f"session touch --json {PHONE}", 0),
    (f"session touch x{PHONE}", 2),
    (f"session edit {PHONE}", 2),
    (f"session edit {PHONE} --json", 2),
    (f"session repair --dry-run {STUCK} {PLAIN} {BROKEN}", 0),
    ("session repair --all --json --dry-run", 0),
    (f"session repair {STUCK}", 3),
    (f"session repair --yes {STUCK} {BROKEN}", 1),
    (f"session repair --yes {NOBODY}", 4),
    (f"session watch {PLAIN} --interval firulais --json", 2),
    ("session seed 2 --json", 0),
    ("session seed Lucrecia", 2),
    (f"session delete {PLAIN} {NOBODY}", 4),
    (f"session delete --json {STUCK}", 0),
    (f"session erase --yes --json {STUCK} --receipt receipt.json", 0),
    (f"session erase {PHONE}", 3),
    ("session flush --dry-run --match *55501*", 0),
    ("session flush --yes --grep Firulais --json", 0),
    ("session flush --yes --match *55501* --no-backup", 0),
    ("backup list", 0),
    ("backup list --json", 0),
    ("backup show --latest", 0),
    ("backup show --latest --json", 0),
    ("backup show Lucrecia", 2),
    ("backup restore --latest", 0),
    ("backup restore --latest --json", 0),
    ("audit list", 0),
    (f"audit list --json --phone {PHONE}", 0),
    ("test-session", 0),
    ("test-session --json --junit flow.xml", 0),
    ("health", 0),
    ("health --json", 0),
    (f"--url redis://{PLAIN}:1 health", 5),
    ("doctor --bundle bundle.tar.gz --json", 1),
    ("doctor", 1),
    ("doctor --profile Lucrecia", 1),
    ("config", 0),
    ("config --json", 0),
    (f"config {PHONE}", 2),
    ("profile list", 0),
    ("profile list --json", 0),
    ("profile list --profile Lucrecia", 0),
    ("profile show far", 0),
    ("profile show far --json", 0),
    ("profile show Lucrecia", 2),
    ("profile check far", 1),
    ("profile check far --json", 1),
    ("--profile far session list", 5),
    ("serve --port 5491155501234 --json", 2),
    (f"{PHONE} session list", 2),
    ("session lucrecia", 2),
    ("backup purge --yes --json", 0),
    ("backup purge --yes", 0),
    ("redis stop", 0),
    ("redis stop --json", 0),
    ("redis status --json", 1),
    ("redis reset --yes --json", 1),
    ("redis reset --yes --no-backup", 0),
    ("redis down --dry-run --json", 0),
    ("redis down --volumes --yes", 0),
)
# Commands that run until they are ended: their output has a test of its own.
ENDLESS = {"session watch", "serve"}


def _clean(text: bytes | str, about: object) -> None:
    """Fail if a text has anything of the data."""
    found = found_in(text)
    assert not found, (about, found, text)


@pytest.fixture
def filled(pawsctl: Pawsctl, server: Server) -> Pawsctl:
    """pawsctl with PAWSCTL_MASK, and a server with sessions."""
    plant(server.client)
    pawsctl.environment |= {"PAWSCTL_MASK": "1", "EDITOR": "true"}
    return pawsctl


@pytest.fixture
def filled_stack(embedded_stack: Stack) -> Stack:
    """The same on this project's own Redis, beside a log and files that were not masked."""
    stack = embedded_stack
    assert stack("redis", "up").status == ExitStatus.OK
    with stack.client() as client:
        plant(client)
        for each in SPELLINGS:
            client.eval("redis.log(redis.LOG_WARNING, ARGV[1])", 0, each)
    (log,) = stack.folder.rglob("server.log")
    with log.open("a", encoding="utf-8") as file:
        for each in SPELLINGS:
            # Redis writes what a script logs as it writes its own lines.
            begin = "1:M 28 Nov 2026 09:20:50.946 # "
            file.write(f"{each}\n{begin}Refused {each} of a client\n{begin}Bad '{each}'\n")
    assert stack("session", "export", "plain.jsonl").status == ExitStatus.OK
    lines = (stack.folder / "plain.jsonl").read_text()
    (stack.folder / "broken.jsonl").write_text(lines.replace("Firulais", "Tobiano"))
    (stack.folder / "pawsctl.toml").write_text('[profiles.far]\nurl = "redis://5491155501234:1"\n')
    stack.environment |= {"PAWSCTL_MASK": "1", "EDITOR": "true"}
    return stack


def test_every_command_is_run_here() -> None:
    """A new command must say what it shows of sessions, in text and, if it has it, in JSON."""
    lines = [re.sub(r"^--\S+ \S+ ", "", line) for line, _ in TRIED]
    for name, command in commands.every_command().items():
        tried = ["--json" in line for line in lines if f"{line} ".startswith(f"{name} ")]
        forms = {False} if "--json" in command.untaken else {False, True}
        assert forms <= set(tried) or name in ENDLESS, name


@pytest.mark.slow
def test_no_command_shows_a_phone_or_a_word(filled_stack: Stack) -> None:
    """On stdout, on stderr with all details, and in the files that it writes."""
    stack = filled_stack
    before = set(stack.folder.rglob("*"))
    ci = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(stack.folder / "summary.md")}
    said = {"status": "unhealthy", "error": f"Firulais {PHONE}", "services": {"Tobiano": {}}}
    done: dict[str, Result] = {}
    with bot(503, said) as app_url:
        for line, status in TRIED:
            words = line.format(url=f"redis://127.0.0.1:{stack.port}").split()
            # With all details, but for these: they would resolve no settings without the -v.
            detailed = [] if line.startswith("profile") else ["-v"]
            env = {"APP_URL": app_url} | (ci if "--junit" in words else {})
            result = done[line] = stack(*detailed, *words, env=env)
            _clean(result.text + result.err, line)
            assert result.status == status, (line, result.err)
    # In the state directory, only the audit log and the archives: the other files are Redis's own.
    state = stack.folder / "state" / "pawsctl"
    for path in {*stack.folder.rglob("*"), state / "audit.jsonl"} - before:
        if path.is_file() and (state not in path.parents or path.suffix == ".jsonl"):
            _clean(_content(path), path)
    # The commands found and changed the sessions all the same.
    assert "█" in done["session list"].text
    assert "Ready to accept connections" in done["redis logs"].text
    assert done[f"session copy {PHONE} {NOBODY} --to {{url}}/1 --json"].json["copied"] == 1
    assert len(done["session list --grep Firulais --sort phone"].text.splitlines()) == 3
    assert "repaired" in done[f"session repair --yes {STUCK} {BROKEN}"].text
    assert done[f"session delete --json {STUCK}"].json["deleted"]


def _content(path: Path) -> bytes:
    """Return what is in a file, unpacked."""
    data = path.read_bytes()
    if not path.name.endswith(".gz"):
        return data
    with tarfile.open(path) as archive:
        names = "\n".join(archive.getnames()).encode()
    return gzip.decompress(data) + names


def test_a_server_that_does_not_start_shows_neither(filled_stack: Stack) -> None:
    """The end of its log is shown; so is what a file that was found has in a wrong place."""
    stack = filled_stack
    assert stack("redis", "stop").status == ExitStatus.OK
    (log,) = stack.folder.rglob("*.incr.aof")
    log.write_bytes(log.read_bytes() + f"*1\r\nFirulais {PHONE}\r\n".encode())
    for words in (("up",), ("start", "--json")):
        failed = stack("-v", "redis", *words)
        assert failed.status == ExitStatus.FAILED, failed.err
        assert "AOF" in failed.err or "append only" in failed.err
        _clean(failed.err, words)
    for name, text in (
        (".env", f"Lucrecia {PHONE}\n"),
        (".env", f"SESSION_TTL='Firulais'\nREDIS_URL=redis://127.0.0.1/{PLAIN}\n"),
        (".env", f"REDIS_PORT='{PHONE}'\n"),
        ("pawsctl.toml", '[profiles.far]\nurl = "redis://h"\nFirulais = "+5491155501234"\n'),
        ("pawsctl.toml", f'[profiles."{PHONE}"]\nurl = 7\n'),
        ("pawsctl.toml", "Señorita 5491155501234 = \n"),
    ):
        (stack.folder / name).write_text(text)
        for line in ("config --json", "session list", "profile list", "redis up", "doctor"):
            result = stack("-v", *line.split())
            _clean(result.text + result.err, (text, line))
        (stack.folder / name).unlink()


def test_what_runs_on_shows_neither(filled: Pawsctl, server: Server) -> None:
    """`session watch`, of all and of one, and `serve` with its log."""
    with (
        following(filled, "session", "watch", "--interval", "100ms") as every,
        following(filled, "session", "watch", PHONE, "--json", "--interval", "100ms") as one,
    ):
        messages = [one.event() for _ in range(4)]
        every.said()
        value = json.loads(json.dumps(STORED[PHONE]))
        value["messages"].append({"role": "user", "content": "Gracias, Lucrecia"})
        store_session(server, PHONE, json.dumps(value).encode())
        store_session(server, NOBODY, json.dumps(value).encode())
        messages += [one.event()]
        seen = [every.line(), every.line()]
    assert [each["role"] for each in messages] == ["user", "assistant", "user", "assistant", "user"]
    assert messages[4]["text"] == "█" * len("Gracias, Lucrecia")
    for shown in (*map(str, messages), *seen):
        _clean(shown, "watch")
    with serving(filled, "-v", env=DEVELOPMENT) as served:
        answer = served.ask("POST", body=json.dumps({"phone": f"whatsapp:{PHONE}"}))
        served.ask("GET", path=f"/firulais/{PHONE}")
        served.logged("another path")
        for path in ("/", "/metrics", "/openapi.json", "/api/health", "/readyz", "/livez", "/x"):
            _clean(served.ask(path=path).body, path)
        _clean(answer.body.decode() + served.log, "serve")
        assert answer.json["session"]["messages"][1]["type"] == "text,tool_use,█████████"


def test_pseudonyms_of_two_outputs_can_be_compared(filled: Pawsctl) -> None:
    """The key is made once, for its owner alone; another key gives other pseudonyms."""
    first = filled("session", "ttl", PHONE, "--json").json
    key = filled.folder / "state" / "pawsctl" / "hash.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"\+0\d{15}", first["phone"])
    assert first["key"] == f"wh:session:{first['phone']}"
    again = {each["phone"] for each in filled("session", "list", "--json").json}
    assert first["phone"] in again
    assert len(again) == 6
    key.unlink()
    assert filled("session", "ttl", PHONE, "--json").json["phone"] != first["phone"]
    near = filled("session", "get", PHONE.removeprefix("+"))
    assert near.status == ExitStatus.NO_SESSION
    assert "There is one for +0" in near.err


def test_lint_finds_masked_what_it_finds_unmasked(filled: Pawsctl) -> None:
    """Sizes, TTLs and faults are those of the real sessions."""
    open_, masked = (
        sorted(
            (each["rule"], each["message"].partition("'")[0])
            for each in filled("session", "lint", "--json", env={"PAWSCTL_MASK": said}).json[
                "findings"
            ]
        )
        for said in ("0", "1")
    )
    assert open_ == masked
    shown = [
        sorted(
            (each["bytes"] or 0, each["messages"] or 0)
            for each in filled("session", "list", "--json", env={"PAWSCTL_MASK": said}).json
        )
        for said in ("", "1")
    ]
    assert shown[0] == shown[1]


UNMASKED = {"PAWSCTL_MASK": ""}
PRODUCTION = {**UNMASKED, "NODE_ENV": "production"}


def _mask_in_redis(filled: Pawsctl, server: Server) -> None:
    """Replace the sessions by masked ones, and leave an archive of these, masked.jsonl."""
    filled("session", "export", "masked.jsonl")
    server.client.flushall()
    filled("session", "import", "masked.jsonl", env=UNMASKED)


def test_a_masked_archive_says_so_and_stays_out_of_production(
    filled: Pawsctl, server: Server
) -> None:
    """An import warns of it, and is refused where the guard sees production."""
    assert filled("session", "export", "masked.jsonl").status == ExitStatus.OK
    header = json.loads((filled.folder / "masked.jsonl").read_text().splitlines()[0])
    assert header["masked"] is True
    server.client.flushall()
    plain = {"PAWSCTL_MASK": ""}
    refused = filled("session", "import", "masked.jsonl", env={**plain, "NODE_ENV": "production"})
    assert refused.status == ExitStatus.NOT_CONFIRMED
    assert "is masked" in refused.err
    assert server.client.dbsize() == 0
    taken = filled("session", "import", "masked.jsonl", env=plain)
    assert taken.status == ExitStatus.OK
    assert "warning: masked.jsonl is masked" in taken.err
    listed = filled("session", "list", "--json", env=plain).json
    assert len(listed) == 5
    assert "masked" in filled("session", "verify", "masked.jsonl", env=plain).err


def test_an_archive_of_masked_sessions_stays_out_of_production(
    filled: Pawsctl, server: Server
) -> None:
    """Its header does not say that they are masked: their names and blocks do."""
    _mask_in_redis(filled, server)
    exported = filled("session", "export", "plain.jsonl.gz", "--json", env=UNMASKED)
    assert exported.json["masked"] is True
    told = "holds masked sessions: their phones and texts are nobody's"
    assert f"warning: The archive {told}." in exported.err
    server.client.flushall()
    archive = (filled.folder / "plain.jsonl.gz").read_bytes()
    for name, begin in (("plain.jsonl.gz", "plain.jsonl.gz"), ("-", "The archive on stdin")):
        words = ("session", "import", name)
        refused = filled(*words, "--json", env=PRODUCTION, stdin=archive)
        assert refused.status == ExitStatus.NOT_CONFIRMED
        assert refused.error["message"].startswith(f"{begin} {told}, and this may be production: ")
        assert "say so with --confirm 127.0.0.1." in refused.error["hint"]
        assert server.client.dbsize() == 0
        dry = filled(*words, "--dry-run", env=PRODUCTION, stdin=archive)
        assert f"warning: {begin} {told}." in dry.err
    # The whole of an archive that says so is of no use there, and nobody can insist.
    no = filled("session", "import", "masked.jsonl", "--confirm", "127.0.0.1", env=PRODUCTION)
    assert no.status == ExitStatus.NOT_CONFIRMED
    wrong = filled(*words, "--confirm", "elsewhere", env=PRODUCTION, stdin=archive)
    assert wrong.status == ExitStatus.NOT_CONFIRMED
    meant = filled(*words, "--confirm", "127.0.0.1", env=PRODUCTION, stdin=archive)
    assert meant.status == ExitStatus.OK
    server.client.flushall()
    taken = filled("session", "import", "plain.jsonl.gz", env=UNMASKED)
    assert (taken.status, f"warning: plain.jsonl.gz {told}." in taken.err) == (ExitStatus.OK, True)
    server.client.flushall()
    verified = filled("session", "verify", "plain.jsonl.gz", env=UNMASKED)
    assert f"warning: The archive {told}." in verified.err


def test_a_backup_of_masked_sessions_goes_back_to_its_own_redis(
    filled: Pawsctl, server: Server
) -> None:
    """And not to production elsewhere, unless somebody insists."""
    _mask_in_redis(filled, server)
    kept = server.client.dbsize()
    flushed = filled("session", "flush", "--yes", env=UNMASKED)
    assert flushed.status == ExitStatus.OK, flushed.err
    other = ("backup", "restore", "--latest", "--url", f"{server.url}/1")
    refused = filled(*other, env=PRODUCTION)
    assert refused.status == ExitStatus.NOT_CONFIRMED
    assert "The backup holds masked sessions" in refused.err
    assert server.client.info("keyspace") == {}
    meant = filled(*other, "--confirm", "127.0.0.1", env=PRODUCTION)
    assert (meant.status, "warning: The backup holds masked" in meant.err) == (ExitStatus.OK, True)
    back = filled("backup", "restore", "--latest", env=PRODUCTION)
    assert (back.status, "masked" in back.err) == (ExitStatus.OK, False)
    assert server.client.dbsize() == kept
    server.client.flushall()


def test_masked_sessions_in_which_nothing_was_said_stay_out_of_production(
    pawsctl: Pawsctl, server: Server
) -> None:
    """They have no blocks, and are recognised by their phones."""
    value = b'{"status":"active","messages":[],"updatedAt":1}'
    server.client.set(f"wh:session:{PHONE}", value, ex=600)
    pawsctl.environment |= {"PAWSCTL_MASK": "1"}
    _mask_in_redis(pawsctl, server)
    (key,) = server.client.keys("*")
    assert (PHONE in str(key), server.client.get(key)) == (False, value)
    told = "holds masked sessions: their phones and texts are nobody's"
    exported = pawsctl("session", "export", "plain.jsonl", "--json", env=UNMASKED)
    assert (exported.json["masked"], told in exported.err) == (True, True)
    assert told in pawsctl("session", "verify", "plain.jsonl", env=UNMASKED).err
    there = f"{server.url}/1"
    assert pawsctl("session", "flush", "--yes", env=UNMASKED).status == ExitStatus.OK
    for words in (
        ("session", "import", "plain.jsonl", "--url", there),
        ("backup", "restore", "--latest", "--url", there),
    ):
        refused = pawsctl(*words, env=PRODUCTION)
        assert (refused.status, told in refused.err) == (ExitStatus.NOT_CONFIRMED, True), words
    assert pawsctl("backup", "restore", "--latest", env=UNMASKED).status == ExitStatus.OK
    copy = ("session", "copy", "--all", "--to", there, "--confirm", "127.0.0.1")
    refused = pawsctl(*copy, env=PRODUCTION)
    assert refused.status == ExitStatus.NOT_CONFIRMED
    assert "Masked conversations don't belong into production" in refused.err
    server.client.flushall()


def test_a_raw_value_is_masked_as_a_whole(pawsctl: Pawsctl, server: Server) -> None:
    """Its id too, whatever it is made of."""
    server.client.set("sess:lucrecia", '{"cookie":"Firulais"}', ex=60)
    server.client.set("sess:5550199", b"\xff\x00Pepita", ex=60)
    pawsctl.environment |= {
        "SESSION_PREFIX": "sess:",
        "SESSION_FORMAT": "raw",
        "PAWSCTL_MASK": "true",
    }
    lines = ("list", "list --json", "get lucrecia 5550199", "get --json lucrecia", "ttl lucrecia")
    more = ("get --raw 5550199", "export -", "get firulais", "lint", "stats", "touch lucrecia")
    for line in (*lines, *more, "delete lucrecia", "flush --dry-run"):
        result = pawsctl("-v", "session", *line.split())
        _clean(result.text + result.err, line)
    assert pawsctl("session", "get", "--raw", "5550199").text == "█" * 8


@pytest.mark.parametrize("said", ["option", "file", "profile"])
def test_no_source_takes_a_mask_back(filled: Pawsctl, tmp_path: Path, said: str) -> None:
    """A 0 in the environment undoes neither the option, a .env nor a profile."""
    words: list[str] = []
    if said == "option":
        words = ["--mask"]
    elif said == "file":
        (tmp_path / ".env").write_text("PAWSCTL_MASK=yes\n")
    else:
        url = filled.environment["REDIS_URL"]
        (tmp_path / "pawsctl.toml").write_text(f'[profiles.look]\nurl = "{url}"\nmask = true\n')
        words = ["--profile", "look"]
    result = filled(*words, "session", "get", PHONE, env={"PAWSCTL_MASK": "0"})
    assert result.status == ExitStatus.OK, result.err
    _clean(result.text, said)
    refused = filled(*words, "session", "get", NOBODY, env={"PAWSCTL_MASK": "0"})
    assert refused.status == ExitStatus.NO_SESSION
    _clean(refused.err, said)


# A command that ends with a bug.
_BUG = """
import runpy, sys
from pawsctl.sessions.query import find

def conversations(*_):
    raise KeyError(said) from ValueError(said)

said = sys.argv[1]
find.conversations = conversations
sys.argv = ["pawsctl", "session", "get", "+1"]
runpy.run_module("pawsctl", run_name="__main__", alter_sys=True)
"""


def test_the_traceback_of_a_bug_has_places_and_no_words(filled: Pawsctl) -> None:
    """The words of an exception may be anybody's."""
    ended = subprocess.run(
        [sys.executable, "-c", _BUG, f"Firulais {PHONE}"],
        cwd=filled.folder,
        env=filled.environment,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    _clean(ended.stdout + ended.stderr, "a bug")
    assert ended.stderr.endswith(b"in conversations\nKeyError\n")


def test_the_tab_key_shows_no_phone(filled: Pawsctl) -> None:
    """A pseudonym would lead to no session; a status may be a person's word."""
    for line, shown in (
        ("session get +549", True),
        ("session ttl wh:session:+54", False),
        ("session watch 54", True),
        ("session list --status ", False),
        ("audit list --phone +", False),
        ("backup show ", False),
        ("--profile ", False),
    ):
        words = ["pawsctl", *line.split(" ")]
        asked = {"_PAWSCTL_COMPLETE": "complete_bash", "COMP_CWORD": str(len(words) - 1)}
        asked["COMP_WORDS"] = " ".join(words)
        masked = filled(env=asked)
        _clean(masked.text + masked.err, line)
        if shown:
            bare = partial(filled, env={**asked, "PAWSCTL_MASK": ""})
            assert in_time(lambda: bool(found_in(bare().text)), wanted=True), line  # noqa: B023 - in this round


def test_a_terminal_shows_neither(filled: Pawsctl) -> None:
    """Coloured, and with questions."""
    for line in (f"session get {PHONE}", "session list", "session flush", f"session erase {PHONE}"):
        shown = screen(filled, "-v", *line.split(), columns=100, typed=b"n\n")
        _clean("\n".join(shown.lines), line)
        assert len(shown.lines) > 3
