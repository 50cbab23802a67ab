"""Write the support bundle: the diagnosis and its evidence, without private data."""

import io
import json
import re
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from pawsctl.config.settings import Settings
from pawsctl.errors import PawsctlError, UsageError
from pawsctl.files import atomic_file
from pawsctl.sessions.contract.keyspace import BOT
from pawsctl.sessions.store.reader import SessionReader
from pawsctl.workflows.doctor import check_topology
from pawsctl.workflows.doctor.finding import Diagnosis, Finding
from pawsctl.workflows.support_bundle import contents, private_texts
from pawsctl.workflows.support_bundle.blanking import BLANK, Blanker

_FOLDER = "pawsctl-doctor"
_QUOTED = re.compile("'.*'", re.DOTALL)
Load = Callable[[], Settings]
OpenReader = Callable[[], SessionReader]


def require_new(path: Path, *, overwrite: bool) -> None:
    """Raise UsageError for a file that exists and may not be replaced, or is no .tar.gz or .tgz."""
    if not path.name.endswith((".tar.gz", ".tgz")):
        raise UsageError(
            f"{path} does not end in .tar.gz, and that is what it would be.",
            hint="Name it like doctor.tar.gz.",
        )
    if path.exists() and not overwrite:
        raise UsageError(
            f"{path} exists already, and is left as it is.",
            hint="Choose another name, or add --force to replace it.",
        )


def write(
    path: Path, diagnosis: Diagnosis, load: Load, open_reader: OpenReader, *, overwrite: bool
) -> None:
    """Write the diagnosis and its evidence to a file that only its owner can read.

    Raises UsageError for a file that exists, OperationFailed for one that can't be written.
    """
    content = _archived(dict(_parts(diagnosis, load, open_reader)))
    with atomic_file.replacing(path, private=True, overwrite=overwrite) as put:
        put(content)


def _parts(diagnosis: Diagnosis, load: Load, open_reader: OpenReader) -> Iterator[tuple[str, str]]:
    """Yield the name and blanked content of each file."""
    found = dict(_collected(load, open_reader))
    secrets: set[str] = set()
    texts: set[str] = set()
    with suppress(PawsctlError):
        secrets.update(private_texts.secrets_of(load()))
    prefixes = {BOT.prefix}
    with suppress(PawsctlError), open_reader() as reader:
        prefixes.add(reader.keyspace.prefix)
        texts = private_texts.texts_of(reader)
    told = "\n".join(each.detail + each.hint for each in diagnosis.findings)
    blanker = Blanker(secrets, texts, prefixes=prefixes, within="\n".join([told, *found.values()]))
    yield "doctor.json", _json([_blanked(each, blanker) for each in diagnosis.findings])
    for name, text in found.items():
        if name.endswith(".log"):
            yield name, "\n".join(blanker.log(text.splitlines()))
        else:
            yield name, blanker.known(text)


def _collected(load: Load, open_reader: OpenReader) -> Iterator[tuple[str, str]]:
    """Yield the name and content of each file; one that can't be gathered is left out."""
    yield "versions.json", _json(contents.versions())
    with suppress(PawsctlError):
        settings = load()
        yield "settings.json", _json(contents.settings_of(settings))
        own = settings.stack()
        topology = check_topology.used(settings.redis_place(), own)
        yield "compose.yaml", contents.compose(topology)
        for gather in (contents.processes, contents.containers):
            with suppress(PawsctlError):
                for name, about, tail in gather(own, topology):
                    yield f"stack/{_file_name(name)}.json", _json(about)
                    yield f"stack/{_file_name(name)}.log", "\n".join(tail)
    with suppress(PawsctlError), open_reader() as reader:
        for name, told in contents.servers(reader.connection):
            yield f"redis/{_file_name(name)}.info.txt", told


def _blanked(found: Finding, blanker: Blanker) -> Finding:
    """Return a finding without private data; the bot's answer, which is quoted, may hold any."""
    first, *log = found.detail.split("\n")
    if found.name == "bot":
        detail = blanker.text(_QUOTED.sub(f"'{BLANK}'", found.detail))
    else:
        detail = "\n".join([blanker.text(first), *blanker.log(log)])
    return Finding(found.name, found.state, detail, blanker.text(found.hint))


def _json(value: object) -> str:
    return json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False) + "\n"


def _file_name(text: str) -> str:
    return "".join(each if each.isalnum() or each in ".-_" else "-" for each in text)


def _archived(parts: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in parts.items():
            content = text.encode("utf-8", "replace")
            about = tarfile.TarInfo(f"{_FOLDER}/{name}")
            about.size, about.mtime, about.mode = len(content), int(time.time()), 0o600
            archive.addfile(about, io.BytesIO(content))
    return buffer.getvalue()
