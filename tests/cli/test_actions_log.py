"""Text written by users of the bot is never a workflow command in a GitHub Actions log."""

import json
import re
from pathlib import Path

import pytest

from pawsctl.cli.output import actions_log, ci_reports
from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.servers import Server
from tests.stack_fixtures import Stack

EVIL = (
    "::error file=x::boom",
    "  ::stop-commands::tok",
    "##[group]x",
    "a ##[error]b",
    "\u3000::debug::x",
)
LOG = {"GITHUB_ACTIONS": "true"}


def is_command(line: str) -> bool:
    """Return whether a line is a command to the runner; our own annotations are not counted."""
    own = line.startswith("::error title=pawsctl ")
    return "##[" in line or (line.lstrip().startswith("::") and not own)


@pytest.fixture
def evil(server: Server) -> Server:
    """Sessions in which every part looks like a workflow command."""
    for number, text in enumerate(EVIL):
        said = f"{text}\n{text}\n\n{text}"
        answer: object = [{"type": "text", "text": said}]
        messages = [{"role": "user", "content": said}, {"role": "assistant", "content": answer}]
        value = {"status": text, "messages": messages, "updatedAt": 1}
        server.client.set(f"wh:session:+{number}", json.dumps(value), ex=600)
        server.client.set(f"wh:session:{text}", "{" + text, ex=600)
    return server


@pytest.mark.parametrize(
    "command",
    [
        *("session list", "session list --json", "session list -o jsonl", "session list -o csv"),
        *("session get +0 +1 +2 +3 +4", "session get --full +2", "session get --json +0 +2"),
        *("session lint", "session lint --json", "session lint -o csv", "session stats"),
        *("session list --columns last_message", "session list -o csv --columns last_message"),
        *("session export -", "session ttl", "doctor", "session delete ::error::x"),
        *("session list --status ##[x]", "--json session list --sort ##[x]", "::error::boom"),
        *(
            "session flush --match ::x::",
            "session list --url redis://h?##[x]=1",
            "redis logs ##[x]",
        ),
        "session delete --json wh:session:##[x]",
    ],
)
def test_nothing_in_the_log_is_a_command(pawsctl: Pawsctl, evil: Server, command: str) -> None:
    """This covers data, messages and errors, in every format."""
    done = pawsctl(*command.split(), env=LOG)
    lines = re.split(r"[\r\n]+", done.out.decode() + "\n" + done.err)
    assert [line for line in lines if is_command(line)] == []
    assert "Traceback" not in done.err


def test_the_values_stay_what_they_were(pawsctl: Pawsctl, evil: Server, tmp_path: Path) -> None:
    """JSON and archives only spell them differently; --raw writes the stored bytes."""
    plain, there = (
        pawsctl("session", "get", "--json", "+0", "+2", env=env).json for env in ({}, LOG)
    )
    assert [each["session"] for each in there] == [each["session"] for each in plain]
    stored = evil.client.get("wh:session:+2")
    assert pawsctl("session", "get", "--raw", "+2", env=LOG).out == stored
    archive = pawsctl("session", "export", "-", env=LOG)
    (tmp_path / "archive.jsonl").write_bytes(archive.out)
    verified = pawsctl("session", "verify", str(tmp_path / "archive.jsonl"), env=LOG)
    assert verified.status == ExitStatus.OK, verified.err


def test_neither_is_what_redis_cli_prints(stack: Stack) -> None:
    """Only within a job; elsewhere its output is unchanged. The exit status is kept."""
    assert stack("redis", "up").status == ExitStatus.OK
    said = "\n".join(EVIL) + "\nx\r::error::y \xe4"
    stack.cli("--", "-x", "SET", "a", stdin=said.encode())
    assert stack.cli("GET", "a").out == said.encode() + b"\n"
    there = stack.cli("GET", "a", env=LOG)
    assert there.status == ExitStatus.OK
    assert not [line for line in re.split(r"[\r\n]+", there.text) if is_command(line)]
    assert there.text.replace(r"\x3a", ":").replace(r"\x23", "#") == said + "\n"
    wrong = [stack.cli("--", "-e", "NONSENSE", env=env) for env in ({}, LOG)]
    assert wrong[0] == wrong[1]


def test_elsewhere_text_is_shown_as_it_is(pawsctl: Pawsctl, evil: Server) -> None:
    """A terminal does not run workflow commands."""
    assert "##[group]x" in pawsctl("session", "get", "+2").text


@pytest.mark.parametrize(
    "text", ["[x](http://evil)", "![x](http://e/p.png)", "<img src=x>", "a|b", "\\| b"]
)
def test_the_summary_shows_text_as_text(text: str) -> None:
    """Data, also in error messages, makes no link, image, table cell or other Markdown."""
    case = ci_reports.Case("name", ok=False, detail=f"it said {text}, www.evil.example and @all")
    summary = ci_reports.step_summary(ci_reports.Report("lint", 0.0, [case]))
    (row,) = [line for line in summary.splitlines() if "❌" in line]
    cell = row.split("|")[4]
    assert row.count("|") == 5
    assert not re.search(
        r"[\[\]()!<>\\@*_`]", cell.replace("<code>", "").replace("</code>", "").replace("<wbr>", "")
    )
    assert "www." not in cell


@pytest.mark.parametrize("line", ["::x", " \t::x::", "##[x]", "a##[b", ":::", "x\n::y", "x\r::y"])
def test_every_command_is_made_plain(line: str) -> None:
    """One pass suffices: the result contains no new command."""
    for made in (actions_log.text(line), actions_log.csv(line.encode()).decode()):
        assert not any(is_command(each) for each in re.split(r"[\r\n]", made))
    assert actions_log.text("a::b ## [c") == "a::b ## [c"


def test_csv_runs_no_formula(pawsctl: Pawsctl, server: Server) -> None:
    """Phones and keys get a quote, too, except plus and digits; full-width signs count."""
    for phone in (
        "+1",
        "=1+1",
        "-2",
        "@x",
        "+1+cmd",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
        "\ufe66x",
        "\u22121",
        " =1",
    ):
        server.client.set(f"wh:session:{phone}", '{"status":"=x","messages":[]}', ex=60)
    out = pawsctl("session", "list", "-o", "csv", "--columns", "phone").text.splitlines()[1:]
    assert "+1" in out
    assert sorted(each for each in out if not each.startswith("'")) == ["+1"]
