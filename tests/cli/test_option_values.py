"""Values of options that people type, and the ones that are named instead."""

from typing import Any

import pytest
import typer

from pawsctl.cli.app import app
from pawsctl.cli.context import Invocation
from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.docs import commands
from tests.servers import Server, store_session

ROOT: Any = typer.main.get_command(app)


@pytest.mark.parametrize(
    "line",
    [
        "session list --idle",
        "session flush --expiring-within",
        "session watch --interval",
        "redis logs --since",
        "test-session --max-latency",
        "test-session --retry-for",
        "health --wait",
        "serve --metrics-every",
    ],
)
def test_a_bare_number_is_no_length_of_time_anywhere(line: str) -> None:
    """It could mean milliseconds, seconds or minutes."""
    for number in ("5", "0.5"):
        with pytest.raises(typer.BadParameter, match=f"^{number} has no unit: write it like"):
            ROOT([*line.split(), number], "pawsctl", obj=Invocation(), standalone_mode=False)


@pytest.mark.parametrize("text", ["0s", "0ms", "25h"])
def test_figures_are_neither_made_all_the_time_nor_kept_for_ever(text: str) -> None:
    """A pass reads every session."""
    with pytest.raises(typer.BadParameter, match=f"^{text} is not above 0s and at most 1d"):
        ROOT(["serve", "--metrics-every", text], "p", obj=Invocation(), standalone_mode=False)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("size", "bytes"),
        ("SIZE", "bytes"),
        ("updated", "updated_at"),
        ("Phone", "phone"),
    ],
)
def test_the_word_above_a_column_leads_to_its_name(
    bare_pawsctl: Pawsctl, word: str, name: str
) -> None:
    """The line that is to be typed is in the hint."""
    for option in ("--sort", "--columns"):
        done = bare_pawsctl("session", "list", option, word)
        assert done.status == ExitStatus.USAGE
        assert f"is called '{name}'" in done.err
        assert f"Write {option} {name} instead" in done.err


def test_a_column_that_sorts_nothing_is_not_offered_for_it(bare_pawsctl: Pawsctl) -> None:
    """Its name would be refused, too."""
    for word in ("last message", "last_message"):
        done = bare_pawsctl("session", "list", "--sort", word)
        assert f"can't be sorted by '{word}'" in done.err
        assert "Write --sort" not in done.err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("session list --limit abc", "'abc' is not a whole number."),
        ("session list --db abc", "'abc' is not a whole number."),
        ("audit list --limit 99999999999999999999", " is not from 1 to 1000000000."),
        ("session list --limit 0", "0 is not from 1 to 1000000000."),
        ("redis logs --tail -2", "'-2' is not a number of up to 9 digits, or all."),
        ("redis logs --tail 99999999999999999999", "is not a number of up to 9 digits, or all."),
        ("redis up --timeout abc", "'abc' is not a number."),
        ("session list foo", "No further argument is taken: 'foo'."),
        ("redis up --timeout nan", "nan is not from 0.1 to 86400."),
    ],
)
def test_wrong_usage_is_told_in_plain_words(bare_pawsctl: Pawsctl, line: str, words: str) -> None:
    """Without the names of types, and without formulas."""
    done = bare_pawsctl(*line.split())
    assert (done.status, done.out) == (ExitStatus.USAGE, b"")
    assert words in done.err


@pytest.mark.parametrize(
    ("line", "near"),
    [
        ("session list --limt 5", ". Did you mean --limit?"),
        ("session list --never-expire", ". Did you mean --never-expires?"),
        ("session touch --all +1", ""),
        ("redis restart --hard", ""),
        ("redis up --build", ""),
    ],
)
def test_a_mistyped_option_is_answered_with_the_one_meant(
    bare_pawsctl: Pawsctl, line: str, near: str
) -> None:
    """No other is named that is hardly like it, since it would lead astray."""
    done = bare_pawsctl(*line.split())
    option = next(each for each in line.split() if each.startswith("--"))
    assert done.err.splitlines()[0] == f"error: No such option: {option}{near}"


def test_a_wrong_value_is_answered_with_those_that_there_are(bare_pawsctl: Pawsctl) -> None:
    """Fields, rules, formats, choices."""
    for line, some in (
        ("session list --sort nonsense", ("phone", "bytes", "waiting")),
        ("session list --columns nonsense", ("phone", "bytes", "last_message")),
        ("session lint --rule nonsense", ("no-ttl", "headless-result")),
        ("session lint --ignore nonsense", ("no-ttl", "headless-result")),
        ("session list -o nonsense", ("jsonl", "csv")),
        ("redis status -o nonsense", ("jsonl", "env")),
        ("redis up --topology nonsense", ("sentinel", "cluster")),
    ):
        done = bare_pawsctl(*line.split())
        assert done.status == ExitStatus.USAGE
        assert all(each in done.err for each in some), line


@pytest.mark.parametrize("options", [[], ["--sort", "phone"]])
def test_a_limit_that_leaves_sessions_out_says_so(
    server: Server, pawsctl: Pawsctl, options: list[str]
) -> None:
    """It does so on stderr, to people; one that leaves none out says nothing."""
    for number in range(50):
        store_session(server, f"+{number}", b'{"status":"active","messages":[],"updatedAt":1}')
    cut = pawsctl("session", "list", "--limit", "3", *options)
    assert cut.err == "Listed 3 of 50 sessions (--limit 3).\n"
    assert pawsctl("session", "list", "--limit", "50", *options).err == ""
    filtered = pawsctl("session", "list", "--limit", "1", "--match", "+1?", *options)
    assert "1 of 10" in filtered.err
    assert pawsctl("session", "list", "--limit", "3", "--json", *options).err == ""


def test_many_sessions_beyond_a_limit_are_not_counted(server: Server, pawsctl: Pawsctl) -> None:
    """An unsorted list ends soon after its limit."""
    with server.client.pipeline() as pipe:
        for number in range(3000):
            pipe.set(f"wh:session:+{number}", "{}", ex=600)
        pipe.execute()
    assert "3 of more than 5" in pawsctl("session", "list", "--limit", "3").err


def test_a_database_that_holds_no_session_is_named(server: Server, pawsctl: Pawsctl) -> None:
    """-n is the database, as in redis-cli; who means a limit sees what has happened."""
    store_session(server, "+1", b'{"status":"active","messages":[],"updatedAt":1}')
    assert "database 5" in pawsctl("session", "list", "-n", "5").err
    for command in ("get", "ttl", "touch", "delete"):
        done = pawsctl("session", command, "+1", "-n", "5")
        assert done.status == ExitStatus.NO_SESSION
        assert "Database 5 was looked at. Database 0 holds 1 session (-n 0)." in done.err
    for command in ("stats", "flush --yes", "lint", "export -"):
        done = pawsctl("session", *command.split(), "-n", "5")
        assert f"{server.url}/5" in done.text + done.err, command


def test_dash_n_is_the_database_and_for_logs_the_tail() -> None:
    """No other option has that letter; --limit has none."""
    for name, command in commands.every_command().items():
        letters = [option.opts for option in command.params if "-n" in option.opts]
        assert letters == [["--tail", "-n"] if name == "redis logs" else ["--db", "-n"]], name
    assert not [
        name
        for name, command in commands.every_command().items()
        for option in command.params
        if "--limit" in option.opts and len(option.opts) > 1
    ]


@pytest.mark.parametrize("written", ["localhost:{port}", "127.0.0.1:{port}", ":{port}"])
def test_an_address_without_a_scheme_is_a_url(
    server: Server, pawsctl: Pawsctl, written: str
) -> None:
    """As people give it to other programs."""
    assert pawsctl("--url", written.format(port=server.port), "health").status == 0
