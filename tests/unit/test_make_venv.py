"""`tools/make_venv.py`, which gets pip where Python has none to put into an environment."""

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tools import make_venv


@contextmanager
def index(folder: Path, names: list[str], *, digest: str) -> Iterator[str]:
    """Yield the address of a package index with these wheels of pip, which contain their name."""
    files = [
        {"filename": each, "url": f"../{each}", "yanked": False, "hashes": {"sha256": digest}}
        for each in names
    ]
    (folder / "pip").mkdir()
    (folder / "pip/index.html").write_text(json.dumps({"files": files}))
    for each in names:
        (folder / each).write_text(each)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/pip/"
        finally:
            server.shutdown()


def test_the_newest_wheel_is_downloaded_if_it_is_what_the_index_says(tmp_path: Path) -> None:
    """By number, and no release candidate; another content is refused."""
    names = [f"pip-{each}-py3-none-any.whl" for each in ("9.0", "25.1", "25.1.1", "26.0rc1")]
    digest = hashlib.sha256(names[2].encode()).hexdigest()
    (tmp_path / "good").mkdir()
    with index(tmp_path / "good", names, digest=digest) as url:
        assert make_venv.download(url, tmp_path).read_text() == names[2]
    (tmp_path / "bad").mkdir()
    with (
        index(tmp_path / "bad", names, digest="0" * 64) as url,
        pytest.raises(ValueError, match="is not what"),
    ):
        make_venv.download(url, tmp_path)
