"""Run an operation with the files that its services mount, and remove unused ones if it fails."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pawsctl.config.settings import StackSettings
from pawsctl.errors import PawsctlError
from pawsctl.stack.engine.choose import engine_of
from pawsctl.stack.engine.protocol import Engine, FilesNotSeen
from pawsctl.stack.engine.rollback import uninterrupted
from pawsctl.stack.events import Emit
from pawsctl.stack.project import mounted_files, project
from pawsctl.stack.project.layout import Topology
from pawsctl.stack.project.project import Project

_Result = TypeVar("_Result")


def with_files(
    settings: StackSettings,
    topology: Topology,
    work: Callable[[Project, Engine], _Result],
    *,
    emit: Emit,
    docker_only: bool = False,
) -> _Result:
    """Run `work` on the project and its engine, with the mounted files rendered.

    If the engine does not see pawsctl's own directory, `work` runs again with copies in the state
    directory. If it fails, the files rendered for it are removed, unless a service mounts them.
    """
    engine: Engine | None = None
    directory = mounted_files.state_directory(settings.project, topology)
    before = mounted_files.versions(directory)
    try:
        here = project.load(settings, topology, with_files=True)
        engine = engine_of(here, emit, docker_only=docker_only)
        try:
            return work(here, engine)
        except FilesNotSeen:
            if not mounted_files.is_packaged(here.redis.files[0].source.parent):
                raise
        copy = project.load(settings, topology, with_files=True, own_files=True)
        engine = engine_of(copy, lambda _event: None, docker_only=docker_only)
        return work(copy, engine)
    except BaseException:
        # The failure is reported all the same.
        with uninterrupted(is_done=True):
            _forget(before, directory, engine)
        raise


def _forget(before: frozenset[Path], directory: Path, engine: Engine | None) -> None:
    try:
        used = engine.files_in_use() if engine else frozenset()
        mounted_files.forget(mounted_files.versions(directory) - before - used, directory)
    except PawsctlError:
        # The engine or the disk fails; the first error already says so.
        return
