"""Read a snapshot that lies in the volume of a container without an append-only file beside it.

As another compose file has left it, or as a backup is put back by hand.

Redis with an append-only file reads nothing else: it would start empty, and its next snapshot would
replace the one that is there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from pawsctl import sizes
from pawsctl.connection import info_reply, probe
from pawsctl.errors import Conflict
from pawsctl.stack.engine import append_only_files
from pawsctl.stack.engine.append_only import is_written
from pawsctl.stack.engine.docker.objects import container_file
from pawsctl.stack.engine.docker.takeover import copy_server
from pawsctl.stack.engine.docker.takeover.command_line import DEFAULTS
from pawsctl.stack.engine.docker.takeover.copy_server import Copy
from pawsctl.stack.events import TakenOver, TakingOver

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.engine.protocol import Plan
    from pawsctl.stack.engine.rollback import Undo
    from pawsctl.stack.project.project import Project
    from pawsctl.stack.project.services import Service

_PAUSE = 0.05
_ANOTHER_IMAGE = (
    "A newer Redis or a Valkey may have written it: choose its image with REDIS_IMAGE, and run "
    "this again"
)
# All of it is loaded, whatever the limit, and nothing overwrites it.
_OPTIONS = ("--appendonly", "no", "--save", "", "--maxmemory", "0")


class Snapshot:
    """The snapshot in the volume of a container that does not run."""

    def __init__(
        self, api: APIClient, project: Project, service: Service, container: str, image: str
    ) -> None:
        self._api = api
        self._project = project
        self._service = service
        self._container = container
        self._image = image

    def is_unread(self) -> bool:
        """Whether the container's server would not read the snapshot. Raises APIError."""
        folder = self._service.volumes[0].target
        # A folder without a manifest was begun and not completed.
        read = append_only_files.begins(append_only_files.FOLDER, append_only_files.FILE)
        return not any(self._has(f"{folder}/{each}") for each in read) and self._has(
            f"{folder}/{DEFAULTS['dbfilename']}"
        )

    def load(self, plan: Plan, deadline: float, undo: Undo) -> None:
        """Write it into the append-only file that the container's server reads.

        A server that a killed pawsctl has left on the volume is removed first. Raises Conflict if
        it can't be read or written, or is larger than the memory limit.
        """
        service, volume = self._service, self._service.volumes[0].name
        copy_server.remove_all(self._api, service)
        plan.emit(TakingOver(service.key, f"in a snapshot in the volume {volume}"))
        copy = Copy(
            self._api,
            self._project.stack,
            service,
            self._api.inspect_container(self._container),
            image=self._image,
            password=self._project.password_of(service),
            options=_OPTIONS,
        )
        copy.start(0, undo)
        try:
            self._until(copy.answers, copy, deadline, "can't be read")
            info = copy.info()
            self._check_room(info, copy)
            copy.append()
            self._until(lambda: is_written(copy.info()), copy, deadline, "can't be written anew")
        except (probe.Refused, OSError) as error:
            self._refuse(f"can't be read ({error})", copy)
        copy.stop()
        copy.remove()
        keys = info_reply.databases(info)
        plan.emit(TakenOver(service.key, sum(total for total, _ in keys.values()), len(keys)))

    def _has(self, path: str) -> bool:
        return container_file.exists(self._api, self._container, path)

    def _check_room(self, info: dict[str, str], copy: Copy) -> None:
        limit = sizes.in_bytes(self._project.settings.redis_maxmemory)
        used = int(info.get("used_memory_dataset", "0"))
        if 0 < limit < used:
            self._refuse(
                f"needs {used} bytes, and REDIS_MAXMEMORY allows {limit}",
                copy,
                f"Set REDIS_MAXMEMORY to {2 * used >> 20}mb or more, and run this again",
            )

    def _until(
        self, is_so: Callable[[], bool], copy: Copy, deadline: float, otherwise: str
    ) -> None:
        while not is_so():
            if copy.has_ended() or time.monotonic() > deadline:
                self._refuse(otherwise, copy)
            time.sleep(_PAUSE)

    def _refuse(self, reason: str, copy: Copy, hint: str = _ANOTHER_IMAGE) -> NoReturn:
        name, volume = DEFAULTS["dbfilename"], self._service.volumes[0].name
        down = f"'pawsctl redis down{self._project.hint} --volumes'"
        raise Conflict(
            f"The snapshot {name} in the volume {volume} {reason}. It is left as it is.",
            hint=f"{hint}; or, if nobody needs it, delete the volume with {down}.",
            detail=copy.log_tail(),
        )
