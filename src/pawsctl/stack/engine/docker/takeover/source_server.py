"""The container whose data is taken over: start it, pause its writers, and save its data."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NoReturn

from pawsctl import sizes
from pawsctl.connection import info_reply, probe
from pawsctl.errors import Conflict
from pawsctl.stack.engine import append_only
from pawsctl.stack.engine.docker.takeover import data_place, save_first
from pawsctl.stack.engine.paused_writers import Writers
from pawsctl.stack.engine.rollback import Undo, uninterrupted

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.services import Service

_PAUSE = 0.05
# Seconds. A server that loads its data answers LOADING; one that does not answer at all hangs.
_SILENCE = 5.0
_UNTOUCHED = "Nothing was changed."


class SourceServer:
    """An existing container, and where its data lies (`place`).

    `option` makes a command act on its topology.
    """

    def __init__(
        self,
        api: APIClient,
        service: Service,
        container: dict[str, Any],
        password: str | None,
        option: str,
    ) -> None:
        self._api = api
        self._option = option
        self._service = service
        self._id: str = container["Id"]
        self.container = container
        self._setting = password
        self._server = data_place.server(service, container, password)
        self.place = data_place.place(api, service, container, self._server)
        self._writers: Writers | None = None

    @property
    def name(self) -> str:
        """Return the container's name."""
        return str(self.container["Name"]).removeprefix("/")

    @property
    def password(self) -> str | None:
        """The password that it takes: the setting, or the one that it was started with."""
        return self._server.password

    @property
    def appends(self) -> bool:
        """Whether it writes each change to an append-only file."""
        return self._server.is_appending

    @property
    def is_untold(self) -> bool:
        """Whether its own configuration decides where its data lies, and it does not tell."""
        return self._server.is_guessed

    @property
    def is_empty(self) -> bool:
        """Whether it answers and holds no key."""
        return not self._server.silence and not info_reply.databases(self.info())

    def let_end(self) -> None:
        """End the pause of writers: the server has ended."""
        if self._writers:
            self._writers.let_end()

    def refuse(self, reason: str, hint: str, detail: tuple[str, ...] = ()) -> NoReturn:
        """Raise Conflict with the `reason` that the data can't be taken over."""
        raise Conflict(
            f"The data of {self.name} lies {self.place.words}, and can't be taken over: {reason}. "
            f"{_UNTOUCHED}",
            hint=f"{hint} 'pawsctl redis down{self._option} --volumes' deletes it.",
            detail=detail,
        )

    def have_it_answer(self, deadline: float, undo: Undo) -> None:
        """Start it if it does not run, wait until it answers, and read where its data lies.

        Raises Conflict if it can't be started or does not answer.
        """
        from docker.errors import APIError

        state = self.container["State"]
        if state["Paused"]:
            self.refuse("it is paused", f"Continue it with 'docker unpause {self._id[:12]}'.")
        is_stopped = not state["Running"]
        if is_stopped:
            try:
                with uninterrupted():
                    undo.callback(self._api.stop, self._id)
                    self._api.start(self._id)
            except APIError as error:
                self.refuse(
                    f"it can't be started ({error.explanation})",
                    f"See 'docker start {self._id[:12]}'.",
                )
        silent_since = time.monotonic()
        while True:
            self.container = self._api.inspect_container(self._id)
            self._server = data_place.server(self._service, self.container, self._setting)
            if not self._server.silence:
                break
            if "LOADING" in self._server.silence:
                silent_since = time.monotonic()
            now = time.monotonic()
            if self._server.is_locked or now > min(deadline, silent_since + _SILENCE):
                self._refuse_silent()
            time.sleep(_PAUSE)
        self.place = data_place.place(self._api, self._service, self.container, self._server)

    def _refuse_silent(self) -> NoReturn:
        if self._server.is_locked:
            self.refuse(
                "it asks for another password, or for a user",
                "Set REDIS_PASSWORD to that of its default user, and run this again; if that user "
                "is off, switch it on first, with ACL SETUSER.",
            )
        self.refuse(
            f"Redis does not answer ({self._server.silence})",
            "Have it answer on a port of 127.0.0.1, and run this again.",
        )

    @property
    def port(self) -> int:
        """Return the port of this machine that leads to it."""
        # The server answered, so it has a port.
        return self._server.port or 0

    def info(self) -> dict[str, str]:
        """Return the fields of its INFO."""
        return probe.info(self.port, self.password)

    def check_room(self) -> None:
        """Raise Conflict if the data is larger than the new memory limit."""
        words, info = self._service.command, self.info()
        limit = sizes.in_bytes(words[words.index("--maxmemory") + 1])
        used = int(info.get("used_memory_dataset", info.get("used_memory", "0")))
        if 0 < limit < used:
            self.refuse(
                f"it uses {used} bytes, and REDIS_MAXMEMORY allows {limit}",
                f"Set REDIS_MAXMEMORY to {2 * used >> 20}mb or more, and run this again.",
            )

    def hold_writers(self, undo: Undo) -> None:
        """Pause writers from now on, and save the data: it may have to be put back.

        Raises Conflict if they can't be paused, or the data not be saved.
        """
        self._writers = Writers(self.port, self.password)
        with uninterrupted():
            undo.callback(self._writers.release)
            try:
                self._writers.hold()
            except (probe.Refused, OSError) as error:
                self.refuse(
                    f"writers can't be held back meanwhile ({error})",
                    "Redis 6.2 or later is needed, and a user who may use CLIENT.",
                )
        if self.appends:
            return
        try:
            save_first.save(self.port, self.password, self._writers)
            if data_place.may_reread(self._api, self.container, self._server):
                append_only.complete(self.port, self.password)
        except (probe.Refused, OSError, append_only.NotWritten) as error:
            self.refuse(
                f"it can't save its data, and could not be put back ({error})",
                "'pawsctl redis logs' may say why: fix it, and run this again.",
            )

    def check_writers(self) -> None:
        """Raise Conflict if a client may have written meanwhile."""
        if not self._writers or not self._writers.are_held:
            self.refuse("writers could not be held back", "Run this again.")

    def setting(self, name: str) -> str:
        """Return the value of a CONFIG setting, or an empty string."""
        with suppress(probe.Refused, OSError):
            (found,) = probe.ask(self.port, self.password, ("CONFIG", "GET", name))
            return info_reply.text(found[1]) if found else ""
        return ""

    def set_quietly(self, name: str, value: str) -> None:
        """Change a CONFIG setting; ignore a refusal."""
        with suppress(probe.Refused, OSError):
            probe.ask(self.port, self.password, ("CONFIG", "SET", name, value))
