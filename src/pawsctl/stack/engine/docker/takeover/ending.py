"""Have a server's data on disk before its container is stopped, or refuse to stop it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn

from pawsctl.connection import info_reply, probe
from pawsctl.errors import Conflict
from pawsctl.stack.engine import append_only
from pawsctl.stack.engine.docker.objects import container_definition, container_file
from pawsctl.stack.engine.docker.sdk.sdk_client import explained
from pawsctl.stack.engine.docker.takeover import data_place
from pawsctl.stack.engine.docker.takeover.save_first import save
from pawsctl.stack.engine.paused_writers import Writers
from pawsctl.stack.events import Emit, Unseen

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.project import Project
    from pawsctl.stack.project.services import Service

# Parts of the reasons for no answer of a server that has changed nothing since its start, or ends.
_NOTHING_NEW = ("LOADING", "refused", "does not run")

# Seconds that a server which hangs up gets to end.
_GRACE = 2.0
_PAUSE = 0.05


class Ending:
    """A container that is about to be stopped."""

    def __init__(
        self,
        api: APIClient,
        project: Project,
        service: Service,
        container: dict[str, Any],
        emit: Emit,
    ) -> None:
        self._api = api
        self._container = container
        self._emit = emit
        self._option = project.hint
        self._name = str(container["Name"]).removeprefix("/")
        self._has_data = data_place.has_data(service)
        self._holds = self._has_data and container_definition.is_running(container)
        if self._has_data:
            self._server = data_place.server(service, container, project.password_of(service))
            self._place = data_place.place(api, service, container, self._server)

    def write_out(self) -> bool:
        """Have all data in the append-only file that its next start reads, if it has one.

        Return whether it told so; of a server that does not run, whether its files are there.
        Raises Conflict if it can't be written, or lies in memory.
        """
        from docker.errors import APIError

        if not self._holds:
            return not self._has_data or self._is_on_disk()
        self._check_lasting()
        server = self._server
        if not (server.starts_appending or server.is_appending):
            return True
        reason = server.silence
        # A server that can't write its file answers nothing but that to PING.
        if server.port is not None and (not reason or reason.startswith("MISCONF")):
            try:
                # Where it is, a server that does not tell may have been told by a file of its own.
                is_there = None if server.is_guessed else self._has_file
                append_only.complete(server.port, server.password, is_there)
            except append_only.NotWritten as error:
                self._refuse(
                    f"its append-only file does not hold all of it ({error})",
                    "Make room where its data is, or remove what is in the way, and run this "
                    f"again; 'pawsctl redis logs{self._option}' may say more.",
                )
            except APIError as error:
                # Its files can't be looked at. The SDK's error is an OSError, too.
                reason = explained(error)
            except (probe.Refused, OSError) as error:
                reason = probe.reason(error)
            else:
                return True
        if any(each in reason for each in _NOTHING_NEW):
            return True
        if reason == probe.HUNG_UP and server.is_appending and self._has_ended():
            return True
        self._emit(Unseen(self._name, reason))
        return False

    def _is_on_disk(self) -> bool:
        """Whether the file that a server reads when it starts is known to be there."""
        from docker.errors import APIError

        server = self._server
        path = f"{server.settings['dir']}/{server.settings['dbfilename']}"
        with suppress(APIError):
            return not server.is_guessed and (
                self._has_file()
                if server.starts_appending
                else container_file.exists(self._api, self._container["Id"], path)
            )
        # A dead container's files can't be looked at.
        return False

    def _has_file(self) -> bool:
        return data_place.has_append_only_file(self._api, self._container, self._server)

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Save the data and pause writers, if a stop of the server in the block would lose a key.

        Raises Conflict before the block if it can't save.
        """
        if not self._holds:
            yield
            return
        server = self._server
        if server.is_appending or (server.starts_appending and not server.silence):
            self.write_out()
            yield
            return
        self._check_lasting()
        if server.silence or server.port is None:
            if not (server.silence == probe.HUNG_UP and self._has_ended()):
                self._check_silent()
            yield
            return
        writers = Writers(server.port, server.password)
        try:
            try:
                writers.hold()
                save(server.port, server.password, writers)
                if data_place.may_reread(self._api, self._container, server):
                    append_only.complete(server.port, server.password)
            except (probe.Refused, OSError, append_only.NotWritten) as error:
                self._refuse(f"it can't save what it holds ({error})")
            yield
        finally:
            writers.release()

    def _check_lasting(self) -> None:
        """Raise Conflict if its data lies in memory, unless it tells that it has none."""
        server = self._server
        if not self._place.is_memory:
            return
        if server.port is not None and not server.silence:
            with suppress(probe.Refused, OSError):
                (told,) = probe.ask(server.port, server.password, ("INFO", "keyspace"))
                if not info_reply.databases(info_reply.fields(told)):
                    return
        hint = ""
        if self._place.is_ours:
            hint = (
                "Keep a copy of its sessions with 'pawsctl session export'; 'pawsctl redis down"
                f"{self._option} --volumes' deletes it."
            )
        self._refuse("its data lies in memory, and ends with it", hint)

    def _has_ended(self) -> bool:
        """Whether a server that hangs up has ended in order, as by another command."""
        from docker.errors import NotFound

        deadline = time.monotonic() + _GRACE
        while time.monotonic() < deadline:
            try:
                state = self._api.inspect_container(self._container["Id"])["State"]
            except NotFound:
                return False
            if not state["Running"]:
                return bool(state["ExitCode"] == 0)
            time.sleep(_PAUSE)
        return False

    def _check_silent(self) -> None:
        """Raise Conflict if a server that does not answer may not save its data when it ends."""
        server, name = self._server, self._name
        if self._container["State"]["Paused"]:
            self._refuse(
                "it does not write down each change, and can't save now (it is paused)",
                f"Continue it with 'docker unpause {name}', and run this again.",
            )
        # A server that refuses our login, or still loads, saves at shutdown if `save` is set.
        is_well = server.is_locked or "LOADING" in server.silence
        if server.is_guessed:
            self._refuse(f"whether it keeps its data on disk is not known, since {server.silence}")
        if not (is_well and server.settings["save"]):
            self._refuse(
                f"it does not write down each change, and can't save now ({server.silence})"
            )

    def _refuse(self, reason: str, hint: str = "") -> NoReturn:
        option = self._option
        raise Conflict(
            f"{self._name} would lose data if it were stopped: {reason}. It was not stopped.",
            hint=hint
            or f"Run 'pawsctl redis up{option}' first, which takes the data over into a volume; or "
            f"delete it with 'pawsctl redis down{option} --volumes'.",
        )
