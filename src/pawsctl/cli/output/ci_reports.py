"""Reports of checks for CI: a JUnit file, GitHub's annotations and step summary."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
from msgspec.structs import replace

from pawsctl import escaping
from pawsctl.cli.output.stdout import Output
from pawsctl.errors import Interrupted, OperationFailed, PawsctlError, UsageError
from pawsctl.files import atomic_file


class Case(msgspec.Struct, frozen=True):
    """One check. `detail` is a sentence, `more` has further lines about a failure.

    A check that was `skipped` is neither passed nor failed; `detail` says why it did not run.
    """

    name: str
    ok: bool
    detail: str
    seconds: float = 0.0
    more: Sequence[str] = ()
    skipped: bool = False

    @property
    def failed(self) -> bool:
        """Whether the check ran and found something wrong."""
        return not self.ok and not self.skipped


class Report(msgspec.Struct, frozen=True):
    """The checks of a command, and how many seconds they took."""

    command: str
    seconds: float
    cases: Sequence[Case]


class Reports(msgspec.Struct, frozen=True):
    """Where the report of a command goes: the JUnit file, and GitHub's runner if there is one."""

    junit: Path | None
    output: Output

    def publish(self, report: Report) -> None:
        """Write the JUnit file and, inside GitHub Actions, annotations and the step summary.

        They are masked as stderr is. Raises OperationFailed if a file can't be written.
        """
        report = self._masked(report)
        if self.junit is not None:
            with atomic_file.replacing(self.junit, private=False) as write:
                write(junit_xml(report))
        if os.environ.get("GITHUB_ACTIONS") == "true":
            for annotation in github_annotations(report):
                self.output.annotate(annotation)
            if path := os.environ.get("GITHUB_STEP_SUMMARY"):
                _append(path, step_summary(report))

    def _masked(self, report: Report) -> Report:
        masked = self.output.masked
        cases = [
            replace(each, detail=masked(each.detail), more=[*map(masked, each.more)])
            for each in report.cases
        ]
        return replace(report, cases=cases)

    @contextmanager
    def of_failure(self, report: Callable[[PawsctlError], Report]) -> Iterator[None]:
        """Publish a report, made of the failure, if the block fails for another reason than usage.

        It may be interrupted, as a runner does after a job's time. Raises the failure.
        """
        try:
            yield
        except UsageError:
            raise
        except KeyboardInterrupt:
            with suppress(OperationFailed):
                self.publish(report(Interrupted("Interrupted.", hint="")))
            raise
        except PawsctlError as error:
            try:
                self.publish(report(error))
            except OperationFailed as unwritten:
                raise error.with_context(after=unwritten.message) from error
            raise


def _append(path: str, text: str) -> None:
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
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
        failures=str(sum(case.failed for case in report.cases)),
        errors="0",
        skipped=str(sum(case.skipped for case in report.cases)),
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
        if each.skipped:
            ET.SubElement(case, "skipped", message=escaping.visible(each.detail))
        elif each.failed:
            failure = ET.SubElement(case, "failure", message=escaping.visible(each.detail))
            failure.text = "\n".join(map(escaping.visible, each.more))
    return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True))


def github_annotations(report: Report) -> list[str]:
    """Return a GitHub workflow command for each cause: cases that failed with the same detail."""
    names: dict[str, list[str]] = {}
    for each in report.cases:
        if each.failed:
            names.setdefault(each.detail, []).append(each.name)
    titles = {each: f"pawsctl {report.command}: {', '.join(names[each])}" for each in names}
    return [
        f"::error title={_value(title)}::{_message(detail)}" for detail, title in titles.items()
    ]


def _message(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace("##[", "#%23[")


def _value(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def step_summary(report: Report) -> str:
    """Return the report as a table in GitHub's Markdown."""
    rows = "".join(
        f"| {_mark(each)} | {_plain(each.name)} | {_took(each)} | {_cell(each.detail)} |\n"
        for each in report.cases
    )
    heading = "| | step | time | detail |\n| --- | --- | ---: | --- |\n"
    return f"### pawsctl {report.command}\n\n{heading}{rows}\n"


def _took(case: Case) -> str:
    return "" if case.skipped else f"{case.seconds * 1000:.1f} ms"


def _mark(case: Case) -> str:
    return "⏭️" if case.skipped else "✅" if case.ok else "❌"


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
