"""The alerts, tried with promtool; and the snippets, read as what they are for."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli_runner import Pawsctl
from tests.docs.pages import DOCS
from tests.servers import Server, required
from tests.serving import serving

FILES = DOCS / "monitoring"
# A metric of ours in an expression or on a page; `…` stands for what two names share.
_METRIC = re.compile(r"\bpawsctl_\w+")
# Told of clusters, replicas and sessions that are not there in this check.
_ELSEWHERE = {"pawsctl_redis_replica_lag_bytes", "pawsctl_redis_primary_link_up"}


def promtool(*arguments: str, stdin: str = "") -> None:
    """Run promtool, which must find nothing wrong."""
    done = subprocess.run(
        [required("promtool"), *arguments],
        cwd=FILES,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def documents(name: str) -> list[dict[str, Any]]:
    """Return the documents of a YAML file."""
    return list(yaml.safe_load_all((FILES / name).read_text()))


def test_the_rules_fire_as_they_should() -> None:
    """Each alert has series that fire it, and series that must not."""
    promtool("check", "config", "prometheus.yml")
    promtool("test", "rules", "alerts_test.yml")
    tried = (FILES / "alerts_test.yml").read_text()
    page = (DOCS / "monitoring.md").read_text()
    for alert in _alerts():
        assert alert["alert"] in tried
        assert f"`{alert['alert']}`" in page


def _alerts() -> list[dict[str, Any]]:
    (rules,) = documents("alerts.yml")
    found: list[dict[str, Any]] = rules["groups"][0]["rules"]
    return found


def test_the_alerts_ask_for_what_the_server_tells(pawsctl: Pawsctl, server: Server) -> None:
    """Each metric in a rule or on the page exists, and the text is what Prometheus likes."""
    server.client.set("wh:session:+1", b"{}")
    with serving(pawsctl) as served:
        told = served.ask(path="/metrics").body.decode()
    promtool("check", "metrics", stdin=told)
    names = set(re.findall(r"^(\w+)", told, re.MULTILINE))
    named = {name for alert in _alerts() for name in _METRIC.findall(alert["expr"])}
    named |= set(_METRIC.findall((DOCS / "monitoring.md").read_text()))
    assert named - names - _ELSEWHERE == set()


@pytest.mark.parametrize("name", ["kubernetes.yaml", "compose.yaml", "Dockerfile"])
def test_snippets_run_what_exists(pawsctl: Pawsctl, name: str) -> None:
    """Their command is one that pawsctl takes, and their probes ask for paths that answer."""
    text = (FILES / name).read_text()
    arguments = _arguments(name)
    assert pawsctl(*arguments, "--help").status == 0
    at = arguments.index("--host")
    with serving(pawsctl, *arguments[at:]) as served:
        for path in set(re.findall(r"(?<=[ 0/])/(?:livez|readyz|metrics)\b", text)):
            assert served.ask(path=path).status == 200


def _arguments(name: str) -> list[str]:
    if name == "compose.yaml":
        found: list[str] = documents(name)[0]["services"]["pawsctl"]["command"]
    elif name == "kubernetes.yaml":
        found = documents(name)[0]["spec"]["template"]["spec"]["containers"][0]["args"]
    else:
        line = re.search(r"^CMD \[(.*)\]$", (FILES / name).read_text(), re.MULTILINE)
        assert line is not None
        found = shlex.split(line[1].replace(",", " "))
    assert found[0] == "serve"
    return found


def test_the_page_names_every_file() -> None:
    """A file that nobody is told of is of no use."""
    page = (DOCS / "monitoring.md").read_text()
    assert {each.name for each in Path(FILES).iterdir() if each.name not in page} == set()
