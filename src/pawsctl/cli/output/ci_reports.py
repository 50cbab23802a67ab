"""Reports of checks for CI: a JUnit file, GitHub's annotations and step summary."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from pawsctl import escaping
from pawsctl.cli.output.stdout import Output
from pawsctl.errors import OperationFailed
from pawsctl.files import atomic_file

if TYPE_CHECKING:
    pass


class Case(msgspec.Struct, frozen=True):
    """One check. `detail` is a sentence, `more` has further lines about a failure."""

    name: str
    ok: bool
    detail: str
    seconds: float = 0.0
    more: Sequence[str] = ()


class Report(msgspec.Struct, frozen=True):
    """The checks of a command, and how many seconds they took."""

    command: str
    seconds: float
    cases: Sequence[Case]


def publish(
    report: Report, *, junit: Path | None, environ: Mapping[str, str], output: Output
) -> None:
    """Write the JUnit file and, inside GitHub Actions, annotations and the step summary.

    Raises OperationFailed if a file can't be written.
    """
    if junit is not None:
        with atomic_file.replacing(junit, private=False) as write:
            write(junit_xml(report))
    if environ.get("GITHUB_ACTIONS") == "true":
        for annotation in github_annotations(report):
            output.annotate(annotation)
        if path := environ.get("GITHUB_STEP_SUMMARY"):
            try:
                with Path(path).open("a", encoding="utf-8") as file:
                    file.write(step_summary(report))
            except OSError as error:
                raise OperationFailed(
                    f"The summary can't be written to {path}: {error.strerror}.",
                    hint="Set GITHUB_STEP_SUMMARY to a file that can, or unset it.",
                ) from error


def junit_xml(report: Report) -> bytes:
    """Return the report as JUnit XML; characters that XML can't hold are escaped."""
    # Saves 15 ms without --junit.
    from xml.etree import ElementTree as ET

    suite = ET.Element(
        "testsuite",
        name=f"pawsctl {report.command}",
        tests=str(len(report.cases)),
        failures=str(sum(not case.ok for case in report.cases)),
        errors="0",
        time=f"{report.seconds:.3f}",
    )
    for each in report.cases:
        case = ET.SubElement(
            suite,
            "testcase",
            classname=f"pawsctl.{report.command.replace(' ', '.')}",
            name=each.name,
            time=f"{each.seconds:.3f}",
        )
        if not each.ok:
            failure = ET.SubElement(case, "failure", message=escaping.visible(each.detail))
            failure.text = "\n".join(map(escaping.visible, each.more))
    return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True))


def github_annotations(report: Report) -> list[str]:
    """Return a GitHub workflow command for each failed case."""
    return [
        f"::error title={_value(f'pawsctl {report.command}: {each.name}')}::{_message(each.detail)}"
        for each in report.cases
        if not each.ok
    ]


def _message(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace("##[", "#%23[")


def _value(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def step_summary(report: Report) -> str:
    """Return the report as a table in GitHub's Markdown."""
    rows = "".join(
        f"| {'✅' if each.ok else '❌'} | {_plain(each.name)} | {each.seconds * 1000:.1f} ms "
        f"| {_cell(each.detail)} |\n"
        for each in report.cases
    )
    heading = "| | step | time | detail |\n| --- | --- | ---: | --- |\n"
    return f"### pawsctl {report.command}\n\n{heading}{rows}\n"


def _cell(text: str) -> str:
    return f"<code>{_plain(text)}</code>"


# Characters with a meaning in GitHub's Markdown, or that make a link by themselves.
_MARKUP = re.compile(r"[&<>|\\`*_~\[\](){}!#:@$^]|(?<=www)\.", re.IGNORECASE)


def _plain(text: str) -> str:
    """Return text for a table cell with Markdown characters as numeric character references."""

    def escaped(found: re.Match[str]) -> str:
        # GitHub would link a mail address after decoding the reference; the tag prevents that.
        tag = "<wbr>" if found[0] == "@" else ""
        return f"&#{ord(found[0])};{tag}"

    return _MARKUP.sub(escaped, escaping.visible(text))
