"""Text that a GitHub runner would take for a command, in each form of output."""

import json

import pytest

from pawsctl.cli.output import actions_log


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("::error::x", r"\x3a:error::x"),
        ("  ::error::x\n\t::y", "  \\x3a:error::x\n\t\\x3a:y"),
        ("a\r::y", "a\r\\x3a:y"),
        ("a ::y :x", "a ::y :x"),
        ("a ##[group]##[x]", r"a #\x23[group]#\x23[x]"),
    ],
)
def test_a_line_is_no_command(line: str, shown: str) -> None:
    """As text, as CSV, and as bytes of another program."""
    assert actions_log.text(line) == shown
    assert actions_log.csv(line.encode()) == shown.encode()
    assert actions_log.raw(line.encode() + b"\xff") == shown.encode() + b"\xff"


def test_json_keeps_its_value() -> None:
    """Only its spelling changes."""
    document = json.dumps({"##[": "::x ##[y]"}).encode()
    escaped = actions_log.json(document)
    assert b"##[" not in escaped
    assert json.loads(escaped) == json.loads(document)


def test_only_a_job_has_such_a_log() -> None:
    """By the variable that the runner sets."""
    assert actions_log.is_read({"GITHUB_ACTIONS": "true"})
    assert not actions_log.is_read({"GITHUB_ACTIONS": "false"})
    assert not actions_log.is_read({})
