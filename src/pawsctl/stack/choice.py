"""Which engine does the work."""

from pawsctl.errors import NoEngine
from pawsctl.stack.docker.client import connect
from pawsctl.stack.docker.engine import DockerEngine
from pawsctl.stack.embedded.engine import EmbeddedEngine
from pawsctl.stack.embedded.server import program
from pawsctl.stack.engine import Emit, Engine, EngineChosen
from pawsctl.stack.project import Project


def engine_of(project: Project, emit: Emit) -> Engine:
    """The engine that PAWSCTL_ENGINE names; for `auto` Docker where one answers, else embedded.

    An embedded server that runs, or that `redis stop` stopped, keeps being the one. Raises
    NoEngine where there is none.
    """
    embedded = EmbeddedEngine(project)
    wanted = project.settings.engine
    if wanted == "embedded":
        return _told(embedded, "PAWSCTL_ENGINE says so", emit)
    if wanted == "auto" and embedded.holds_on:
        return _told(embedded, "its server is in use", emit)
    try:
        return _told(DockerEngine(connect(), project), "", emit)
    except NoEngine as no_docker:
        if wanted == "docker":
            raise
        try:
            program()
        except NoEngine as no_embedded:
            raise NoEngine(
                f"{no_docker.message} {no_embedded.message}",
                hint=f"{no_docker.hint} {no_embedded.hint}",
            ) from no_docker
        return _told(embedded, no_docker.message, emit)


def _told(engine: Engine, reason: str, emit: Emit) -> Engine:
    emit(EngineChosen(engine.name, reason))
    return engine
