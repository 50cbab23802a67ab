"""A flow's report for machines that read files: JUnit, GitHub's annotations and step summary."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pawsctl import safe
from pawsctl.cli.output import Output
from pawsctl.errors import UsageError
from pawsctl.sessions.flow import FlowReport


def publish(
    report: FlowReport, *, junit: Path | None, environ: Mapping[str, str], output: Output
) -> None:
    """Write the JUnit file, and inside GitHub Actions annotations and the step summary.

    Raises UsageError where a file can't be written.
    """
    if junit is not None:
        write_whole(junit, junit_xml(report))
    if environ.get("GITHUB_ACTIONS") == "true":
        for annotation in annotations(report):
            output.note(annotation)
        if path := environ.get("GITHUB_STEP_SUMMARY"):
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(step_summary(report))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside it and rename it: no half file is ever seen."""
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as f:
            temporary = Path(f.name)
            f.write(content)
        # Readable as a file made by the shell would be.
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise UsageError(
            f"{path} can't be written: {os.strerror(error.errno or 0)}.",
            hint="Name a file in a directory that exists and is yours.",
        ) from error


def junit_xml(report: FlowReport) -> bytes:
    """The report as JUnit XML; text that XML can't hold is shown as an escape."""
    # 15 ms: only --junit pays for it.
    from xml.etree import ElementTree as ET

    failures = sum(not step.ok for step in report.steps)
    suite = ET.Element(
        "testsuite",
        name="pawsctl test-session",
        tests=str(len(report.steps)),
        failures=str(failures),
        errors="0",
        time=f"{sum(step.seconds for step in report.steps):.3f}",
    )
    for step in report.steps:
        case = ET.SubElement(
            suite,
            "testcase",
            classname="pawsctl.test-session",
            name=step.name,
            time=f"{step.seconds:.3f}",
        )
        if not step.ok:
            ET.SubElement(case, "failure", message=safe.visible(step.detail))
    return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True))


def annotations(report: FlowReport) -> list[str]:
    """A GitHub workflow command for each failed step."""
    return [
        f"::error title=pawsctl test-session%3A {step.name}::{_one_line(step.detail)}"
        for step in report.steps
        if not step.ok
    ]


def _one_line(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def step_summary(report: FlowReport) -> str:
    """The report as a table in GitHub's Markdown."""
    rows = "".join(
        f"| {'✅' if step.ok else '❌'} | {step.name} | {step.seconds * 1000:.1f} ms "
        f"| {_cell(step.detail)} |\n"
        for step in report.steps
    )
    heading = "| | step | time | detail |\n| --- | --- | ---: | --- |\n"
    return f"### pawsctl test-session\n\n{heading}{rows}\n"


def _cell(text: str) -> str:
    escaped = safe.visible(text).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
    return f"<code>{escaped}</code>"
