"""`make applications`: have each library write a session, and try pawsctl on it.

With `record`, also write what it wrote into recorded.json, which stands in for the library in the
tests that install nothing.
"""

import json
import sys
import tempfile
from base64 import b64encode
from pathlib import Path

from tests.applications.applications import APPLICATIONS, Application, run
from tests.cli_runner import Pawsctl, Result
from tests.servers import Server, running

RECORDED = Path(__file__).parent / "recorded.json"
USER = {"name": "Ñata 🐶", "visits": 1}


def main(arguments: list[str]) -> int:
    """Try each application; return the exit status."""
    recorded = {}
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        for application in APPLICATIONS:
            server.client.flushall()
            recorded[application.name] = tried(application, server, Path(folder))
            print(f"{application.name} ({application.versions}): as it should be", flush=True)
    if arguments == ["record"]:
        kept = json.loads(RECORDED.read_text("utf-8")) if RECORDED.exists() else {}
        text = json.dumps(kept | recorded, indent=2, ensure_ascii=False)
        RECORDED.write_text(f"{text}\n", "utf-8")
    return 0


def tried(application: Application, server: Server, folder: Path) -> dict[str, str]:
    """Have the library write a session, pawsctl handle it, and the library read it again.

    Returns what was written. Raises AssertionError where something is not as it should be.
    """
    pawsctl = Pawsctl(folder, server.url)
    pawsctl.environment |= application.environment

    def session(*arguments: str) -> Result:
        result = pawsctl("session", *arguments)
        assert result.status == 0, (arguments, result.err)
        return result

    written = run(application, server.url)
    assert written["user"] == USER
    key = f"{application.prefix}{written['id']}"
    value = server.client.get(key)
    assert isinstance(value, bytes)
    ttl = server.client.ttl(key)
    (listed,) = session("list", "--json").json
    assert (listed["phone"], listed["key"], listed["problem"]) == (written["id"], key, None)
    found = session("get", written["id"], "--json").json
    assert found["encoding"] == application.encoding
    assert session("get", key, "--raw").out == value
    session("ttl", "--check")
    session("touch", written["id"])
    assert run(application, server.url, written["cookie"])["user"] == USER
    archive = str(folder / f"{application.name}.jsonl")
    session("export", archive, "--force")
    session("delete", written["id"])
    assert run(application, server.url, written["cookie"])["user"] is None
    session("flush", "--yes")
    session("import", archive)
    assert server.client.get(key) == value
    assert run(application, server.url, written["cookie"])["user"] == USER
    return {
        "versions": application.versions,
        "key": key,
        "value": b64encode(value).decode(),
        "ttl": str(ttl),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
