"""--mask, PAWSCTL_MASK: no output of any command shows a phone, or a word of what people wrote."""

import json
import re
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl, Result
from tests.docs import commands
from tests.following import following
from tests.servers import Server, store_session
from tests.serving import DEVELOPMENT, serving

PHONE, PLAIN, STUCK, BROKEN = "+5491155501234", "5491155501235", "+5491155501236", "+5491155501237"
OTHER, NOBODY = "wh:session:+5491155501238", "+5491155501299"
# What must be nowhere: a part of every phone, and words of all that is stored.
SECRETS = (
    *("55501", "firulais", "lucrecia", "pepita", "quimera", "zanahoria", "madrina", "tobiano"),
    *("inventada", "estafador"),
)
STORED = {
    PHONE: {
        "status": "active",
        "messages": [
            {"role": "user", "content": "Hola, soy Lucrecia, turno para Firulais"},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Hola Lucrecia"},
                    {
                        "type": "tool_use",
                        "id": "toolu_1",
                        "name": "register_user",
                        "input": {"name": "Lucrecia", "telefono": 5491155501234, "Quimera": "x"},
                    },
                    {"type": "inventada", "name": "Tobiano", "Pepita": ["Zanahoria"]},
                ],
            },
            {
                "role": "user",
                "content": '__TOOL_RESULTS__[{"type":"tool_result","tool_use_id":"toolu_1",'
                '"content":"{\\"ok\\":true,\\"user\\":\\"Lucrecia +5491155501234\\"}"}]',
            },
            {"role": "assistant", "content": [{"type": "text", "text": "Listo, Firulais anotado"}]},
        ],
        "updatedAt": 1704067200000,
        "alias": "Pepita",
    },
    PLAIN: {
        "status": "El estafador",
        "messages": [{"role": "Madrina", "content": "Zanahoria"}],
        "updatedAt": 1704067200000,
    },
    STUCK: {
        "status": "active",
        "messages": [
            {"role": "user", "content": "Firulais come"},
            {
                "role": "assistant",
                "content": [
                    {"type": "tool_use", "id": "t2", "name": "tobiano", "input": {"a": "Pepita"}}
                ],
            },
            {"role": "user", "content": "¿Y Zanahoria?"},
        ],
        "updatedAt": 1704067200000,
    },
}

# Command → the lines that are tried, in this order; {url} is that of the server.
TRIED = {
    "session list": (
        "session list",
        "session list --json",
        "session list -o csv --columns phone,key,status,last_message,problem,waiting",
        "session list --grep Firulais --sort phone",
        "session list --grep Inventada --match *55501*",
        "session list --match 55501",
        "session list --status Pepita",
        f"session list --idle {PHONE}",
    ),
    "session get": (
        f"session get {PHONE} {PLAIN} {STUCK} {BROKEN} wh:session:lucrecia {OTHER}",
        f"session get --full {PHONE}",
        f"session get --json {PHONE} {BROKEN}",
        f"session get --raw {PHONE}",
        f"session get --raw {BROKEN}",
        f"session get --raw {OTHER}",
        f"session get {NOBODY} 5491155501234",
        "session get Firulais",
        f"session get --wrong {PHONE}",
    ),
    "session ttl": (
        "session ttl",
        f"session ttl {PHONE} {NOBODY}",
        f"session ttl --json {PHONE}",
        f"session ttl --check {PHONE}",
    ),
    "session stats": ("session stats", "session stats --json"),
    "session lint": ("session lint --junit lint.xml", "session lint --json"),
    "session export": ("session export - ", "session export a.jsonl", f"session export {PHONE}/a"),
    "session verify": ("session verify a.jsonl", "session verify plain.jsonl"),
    "session import": (
        "session import plain.jsonl",
        "session import plain.jsonl --replace --json",
        "session import broken.jsonl",
    ),
    "session copy": (
        "session copy --all --to {url}/1 --dry-run",
        f"session copy {PHONE} {NOBODY} --to {{url}}/1",
        f"session copy {PHONE} --no-mask --to {{url}}/1",
    ),
    "session touch": (
        f"session touch {PHONE} {NOBODY}",
        f"session touch --json {PHONE}",
        f"session touch x{PHONE}",
    ),
    "session edit": (f"session edit {PHONE}",),
    "session repair": (
        f"session repair --dry-run {STUCK} {PLAIN} {BROKEN}",
        "session repair --all --json --dry-run",
        f"session repair {STUCK}",
        f"session repair --yes {STUCK} {BROKEN}",
        f"session repair --yes {NOBODY}",
    ),
    "session seed": ("session seed 2",),
    "session delete": (f"session delete {PLAIN} {NOBODY}", f"session delete --json {STUCK}"),
    "session erase": (f"session erase --yes {STUCK}", f"session erase {PHONE}"),
    "session flush": (
        "session flush --dry-run --match *55501*",
        "session flush --yes --grep Firulais",
        "session flush --yes --match *55501* --no-backup",
    ),
    "backup list": ("backup list", "backup list --json"),
    "backup show": ("backup show --latest", "backup show --latest --json"),
    "backup restore": ("backup restore --latest",),
    "backup purge": ("backup purge --yes",),
    "audit list": ("audit list", "audit list --json"),
    "test-session": ("test-session",),
    "health": ("health", "health --json"),
    "doctor": ("doctor --bundle bundle.tar.gz --json", "doctor"),
    "redis cli": (f"redis cli -- GET wh:session:{PHONE}",),
    "redis logs": ("redis logs", f"redis logs {PHONE}"),
    "config": ("config", f"config {PHONE}"),
}
# They print nothing of what Redis holds, only what pawsctl knows of servers and settings.
OF_NO_SESSION = {
    *("redis up", "redis dev", "redis down", "redis start", "redis stop", "redis restart"),
    *("redis reset", "redis failover", "redis status", "redis memory", "redis maxmemory"),
    *("profile list", "profile show", "profile check"),
}
# They run until they are ended, and have a test below.
ENDLESS = {"session watch", "serve"}


def _clean(text: str, about: object) -> None:
    """Fail if a text has anything of the data."""
    found = [each for each in SECRETS if each in text.casefold()]
    assert not found, (about, found, text)


@pytest.fixture
def filled(pawsctl: Pawsctl, server: Server) -> Pawsctl:
    """pawsctl with PAWSCTL_MASK, a server with sessions, and archives that were not masked."""
    for phone, value in STORED.items():
        store_session(server, phone, json.dumps(value, ensure_ascii=False).encode())
    store_session(server, BROKEN, b'{"status":"Zanahoria", Firulais')
    server.client.set("wh:session:lucrecia", '{"status":"active","messages":[],"updatedAt":1}')
    server.client.rpush(OTHER, "Firulais")
    assert pawsctl("session", "export", "plain.jsonl").status == ExitStatus.OK
    lines = (pawsctl.folder / "plain.jsonl").read_text()
    (pawsctl.folder / "broken.jsonl").write_text(lines.replace("Firulais", "Tobiano"))
    pawsctl.environment |= {"PAWSCTL_MASK": "1", "EDITOR": "true"}
    return pawsctl


def test_every_command_is_tried_here() -> None:
    """A new command must say what it shows of sessions."""
    assert TRIED.keys() | OF_NO_SESSION | ENDLESS == commands.every_command().keys()


def test_no_command_shows_a_phone_or_a_word(filled: Pawsctl, server: Server) -> None:
    """On stdout, on stderr with all details, and in the files that it writes."""
    before = {each.name for each in filled.folder.iterdir()}
    log = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(filled.folder / "summary.md")}
    done: dict[str, Result] = {}
    for lines in TRIED.values():
        for line in lines:
            words = line.format(url=server.url).split()
            result = done[line] = filled("-v", *words, env=log if "lint" in words else {})
            _clean(result.text + result.err, line)
            assert "Traceback" not in result.err
    for path in filled.folder.rglob("*"):
        is_ours = "state" not in path.relative_to(filled.folder).parts and path.name not in before
        if is_ours and path.is_file() and path.suffix != ".gz":
            _clean(path.read_text(), path)
    # It has found and changed what was named, all the same.
    assert "█" in done["session list"].text
    assert "1 session" in done[f"session copy {PHONE} {NOBODY} --to {{url}}/1"].text
    assert len(done["session list --grep Firulais --sort phone"].text.splitlines()) == 3
    assert "repaired" in done[f"session repair --yes {STUCK} {BROKEN}"].text
    assert done[f"session edit {PHONE}"].status == ExitStatus.USAGE
    assert done[f"redis cli -- GET wh:session:{PHONE}"].status == ExitStatus.USAGE
    assert done[f"session delete --json {STUCK}"].json["deleted"]
    assert not server.client.exists(f"wh:session:{STUCK}")


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
    with serving(filled, env=DEVELOPMENT) as served:
        answer = served.ask("POST", body=json.dumps({"phone": f"whatsapp:{PHONE}"}))
        served.ask("GET", path=f"/firulais/{PHONE}")
        served.logged("another path")
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
    # The phones look like those of which tests must leave nothing.
    server.client.flushall()
    assert "masked" in filled("session", "verify", "masked.jsonl", env=plain).err


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


def test_the_tab_key_shows_no_phone(filled: Pawsctl) -> None:
    """A pseudonym would lead to no session."""
    asked = {"_PAWSCTL_COMPLETE": "complete_bash", "COMP_CWORD": "3"}
    asked["COMP_WORDS"] = "pawsctl session get +549"
    assert filled(env=asked).text.strip() == ""
    assert "5491155501234" in filled(env={**asked, "PAWSCTL_MASK": ""}).text
