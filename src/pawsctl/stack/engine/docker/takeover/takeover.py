"""Take data from elsewhere over into the project's volume, before its container is replaced.

A second server, the copy, gets the project's volume and becomes a replica of the running one: every
key of every database, with its TTL. Then writers are paused, the two are compared, the copy is
restarted from the data that it wrote, and compared again. Until then the old server's data is not
touched. The copy's name says how far it is: if pawsctl was killed, the copy that it left shows
whether the volume holds a part of the data.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pawsctl.connection import info_reply, probe
from pawsctl.plurals import plural
from pawsctl.stack.engine import append_only_files
from pawsctl.stack.engine.append_only import is_written
from pawsctl.stack.engine.docker.objects import (
    data_volumes,
    labels,
    network_volumes,
    volume_content,
)
from pawsctl.stack.engine.docker.takeover import copy_server
from pawsctl.stack.engine.docker.takeover.command_line import DEFAULTS
from pawsctl.stack.engine.docker.takeover.compare import Databases, missing
from pawsctl.stack.engine.docker.takeover.copy_server import Copy
from pawsctl.stack.engine.docker.takeover.source_server import SourceServer
from pawsctl.stack.engine.protocol import Plan
from pawsctl.stack.engine.rollback import uninterrupted
from pawsctl.stack.engine.written_meanwhile import Meanwhile
from pawsctl.stack.events import Emit, Kept, TakenOver, TakingOver

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.project import Project
    from pawsctl.stack.project.services import Service

_PAUSE = 0.05
# Seconds that Redis waits for more replicas before it sends its data; there is only ours.
_DELAY = "repl-diskless-sync-delay"
_AGAIN = "Run this again."


class Takeover:
    """The move of one container's data into the volume that its successor mounts."""

    def __init__(
        self,
        api: APIClient,
        project: Project,
        service: Service,
        container: dict[str, Any],
    ) -> None:
        self._api = api
        self._stack = project.stack
        self._service = service
        self._password = project.password_of(service)
        self.source = SourceServer(api, service, container, self._password, project.hint)
        self._copy: Copy | None = None
        self._wanted: Databases = {}

    @property
    def is_needed(self) -> bool:
        """Whether the successor would not find the data where it is now."""
        return not self.source.place.is_ours

    def begin(self, plan: Plan, deadline: float, meanwhile: Meanwhile, image: str) -> bool:
        """Copy the data into the volume, and leave writers paused.

        Nothing is undone once the new server was written to. Returns whether there was something to
        take over: a server that had to be started may then report that its data is already in the
        right place. Raises Conflict if a key would be lost.
        """
        source, undo = self.source, meanwhile.undo
        if self._service.on_host and not source.place.is_switched_off:
            source.refuse(
                "a node of a topology can't hand it over", "Export its sessions before that."
            )
        source.have_it_answer(deadline, undo)
        if source.place.is_ours:
            return False
        if source.is_untold and self._shares_volume:
            source.refuse(
                "it does not tell whether it keeps its files in the volume that its successor "
                "mounts (CONFIG GET is refused)",
                "Keep a copy of its sessions with 'pawsctl session export'.",
            )
        plan.emit(TakingOver(self._service.key, source.place.words))
        try:
            source.check_room()
            if source.place.is_our_folder:
                keys = self._append_in_place(deadline, meanwhile)
            else:
                keys = self._copied(plan, deadline, meanwhile, image)
        except (probe.Refused, OSError) as error:
            source.refuse(f"a server did not do its part ({error})", "See its log.")
        source.check_writers()
        plan.emit(TakenOver(self._service.key, sum(n for n, _ in keys.values()), len(keys)))
        return True

    def finish(self, directory: Path, emit: Emit) -> None:
        """Release the writers and remove the copy; call it when the old server has been set aside.

        Call `source.check_writers` just before that.
        """
        self.source.let_end()
        if self._copy:
            self._copy.remove()
        place = self.source.place
        if place.path:
            emit(Kept("data", place.path, "pawsctl did not make it; its keys are taken over"))
        elif place.volume and not place.is_anonymous and not self._shares_volume:
            data_volumes.remember(directory, place.volume)
            emit(Kept("volume", place.volume, "its keys are taken over"))

    @property
    def _volume(self) -> str:
        return self._service.volumes[0].name

    @property
    def _shares_volume(self) -> bool:
        """Whether the old container mounts the new one's volume, too."""
        mounts = self.source.container["Mounts"]
        return self._volume in {each.get("Name") for each in mounts}

    @property
    def _without_the_others(self) -> str:
        """The advice that deletes the keys in the volume, and leaves those of the container."""
        source = self.source
        for each in source.container["Mounts"]:
            if each.get("Name") == self._volume:
                read = (append_only_files.FOLDER, append_only_files.FILE, DEFAULTS["dbfilename"])
                files = " ".join(f"{each['Destination']}/{name}" for name in read)
                return f"delete the others: 'docker exec {source.name} rm -rf {files}'"
        return f"remove the volume: 'docker volume rm {self._volume}'"

    def _append_in_place(self, deadline: float, meanwhile: Meanwhile) -> Databases:
        """Switch the old server's append-only file on, in the folder that its successor reads.

        Return its databases.
        """
        source = self.source
        if source.appends:
            source.refuse(
                "its append-only file has a name of its own",
                "'docker start' starts it as it is: keep a copy of its sessions with 'pawsctl "
                "session export', delete its data, and import them into the next.",
            )
        source.hold_writers(meanwhile.undo)
        with uninterrupted():
            meanwhile.undo.callback(self._append_no_more, meanwhile)
            probe.ask(source.port, source.password, ("CONFIG", "SET", "appendonly", "yes"))
        self._until(deadline, lambda: is_written(source.info()), "it does not write its data")
        return info_reply.databases(source.info())

    def _copied(self, plan: Plan, deadline: float, meanwhile: Meanwhile, image: str) -> Databases:
        """Copy the data into the project's volume, compare it twice, and return its databases."""
        source, undo = self.source, meanwhile.undo
        copy = self._copy = self._started(plan, deadline, meanwhile, image)
        if source.is_empty and copy.holds_keys():
            wanted = info_reply.databases(copy.info())
            source.hold_writers(undo)
            copy.stop()
            return wanted
        delay = source.setting(_DELAY)
        with uninterrupted():
            undo.callback(source.set_quietly, _DELAY, delay)
            source.set_quietly(_DELAY, "0")
        copy.follow(source.port, source.password)
        self._until(deadline, lambda: self._is_linked(copy), "the copy does not get it all")
        source.set_quietly(_DELAY, delay)
        source.hold_writers(undo)
        self._until(deadline, lambda: self._has_all(copy), "the copy does not get it all")
        wanted = self._wanted = info_reply.databases(source.info())
        if info_reply.databases(copy.info()) != wanted:
            source.refuse("the copy differs", _AGAIN, copy.log_tail())
        copy.lead()
        self._until(deadline, lambda: is_written(copy.info()), "the copy can't be written to disk")
        copy.restart()
        self._until(deadline, copy.answers, "the copy can't be started")
        if lost := missing(wanted, copy.info()):
            source.refuse(f"the copy lacks {plural(lost, 'key')}", _AGAIN, copy.log_tail())
        copy.stop()
        return wanted

    def _started(self, plan: Plan, deadline: float, meanwhile: Meanwhile, image: str) -> Copy:
        """Start the copy's server on the project's volume, which must hold no key.

        A volume with an unfinished copy is emptied first: the source still has all the data. A
        source that has none may have had it in memory, and been ended: what the volume holds stays.
        """
        from docker.errors import NotFound

        source = self.source
        copy = self._copy = Copy(
            self._api,
            self._stack,
            self._service,
            source.container,
            image=image,
            password=self._password,
        )
        is_half_done = copy_server.is_half_done(self._api, self._service)
        copy_server.remove_all(self._api, self._service)
        if is_half_done and not (self._shares_volume or source.is_empty):
            with suppress(NotFound):
                self._api.remove_volume(self._volume)
        network_volumes.volumes(self._api, self._stack, self._service, meanwhile, plan.emit)
        copy.start(self._free_port(), meanwhile.undo)
        self._until(deadline, copy.answers, "the new server does not answer")
        if is_half_done and source.is_empty and copy.holds_keys():
            return copy
        if is_half_done and self._shares_volume:
            copy.delete_keys()
        if copy.holds_keys():
            source.refuse(
                f"the volume {self._volume} holds keys of its own",
                f"To go on with those in the volume, remove the container {source.name}; to go on "
                f"with those of the container, {self._without_the_others}.",
            )
        meanwhile.undo.callback(self._forget, copy, meanwhile)
        copy.commit()
        return copy

    def _append_no_more(self, meanwhile: Meanwhile) -> None:
        if not meanwhile.is_written:
            self.source.set_quietly("appendonly", "no")

    def _forget(self, copy: Copy, meanwhile: Meanwhile) -> None:
        """Empty the volume again, unless its server has been written to.

        The copy's container goes last: its name tells the next `up` of data that is left.
        """
        from docker.errors import NotFound

        if meanwhile.is_written:
            copy.remove()
            return
        if self.source.place.is_memory and missing(self._wanted, self.source.info()):
            # The data was in memory only, and was lost when its server was stopped.
            meanwhile.written(self._service.key)
            meanwhile.keep(self._service.key, f"The volume {self._volume}")
            copy.remove()
            return
        if self._shares_volume:
            copy.empty(self._free_port(), meanwhile.undo)
            copy.remove()
            return
        copy.kill()
        volume_content.delete(self._api, self._stack, self._volume)
        copy.remove()
        with suppress(NotFound):
            self._api.remove_volume(self._volume)
        key = self._service.volumes[0].key
        self._api.create_volume(self._volume, labels=labels.of_volume(self._stack, key))

    def _free_port(self) -> int:
        """Return a free port for a copy on the host's network; 0 if the engine picks one."""
        if self.source.container["HostConfig"]["NetworkMode"] != "host":
            return 0
        with socket.create_server((probe.HOST, 0)) as found:
            return int(found.getsockname()[1])

    def _is_linked(self, copy: Copy) -> bool:
        if copy.has_failed(self.source.info()):
            self.source.refuse(
                "the new server can't read it",
                "It may be a newer Redis, or one with modules: choose its image with REDIS_IMAGE, "
                "and run this again.",
                copy.log_tail(),
            )
        return copy.info().get("master_link_status") == "up"

    def _has_all(self, copy: Copy) -> bool:
        info, sent = copy.info(), self.source.info().get("master_repl_offset")
        return info.get("master_link_status") == "up" and info.get("slave_repl_offset") == sent

    def _until(self, deadline: float, is_so: Callable[[], bool], otherwise: str) -> None:
        while not is_so():
            copy = self._copy
            if time.monotonic() > deadline or (copy and copy.has_ended()):
                tail = copy.log_tail() if copy else ()
                self.source.refuse(otherwise, "Its log says why.", tail)
            time.sleep(_PAUSE)
