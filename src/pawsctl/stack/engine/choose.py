"""The choice of the engine: Docker or embedded."""

from pawsctl.errors import NoEngine
from pawsctl.stack.engine import held_on_docker
from pawsctl.stack.engine.docker.docker_engine import DockerEngine
from pawsctl.stack.engine.docker.sdk.sdk_client import check_host_network, connect
from pawsctl.stack.engine.embedded.embedded_engine import EmbeddedEngine
from pawsctl.stack.engine.embedded.server_process import program
from pawsctl.stack.engine.protocol import Engine
from pawsctl.stack.events import Emit, EngineChosen, HeldElsewhere
from pawsctl.stack.project.project import Project


def engine_of(project: Project, emit: Emit, *, docker_only: bool = False) -> Engine:
    """Return the engine that PAWSCTL_ENGINE names; for `auto` Docker if it answers, else embedded.

    An embedded server stays in use until `redis down`, even if it was stopped or has crashed.
    Raises NoEngine if there is none, or if it is not Docker and `docker_only` is set.
    """
    embedded = EmbeddedEngine(project)
    wanted = project.settings.engine
    if docker_only and (wanted == "embedded" or (wanted == "auto" and embedded.in_use)):
        raise NoEngine(
            "This needs Docker, and the embedded engine is in use.",
            hint="Leave PAWSCTL_ENGINE at auto or docker, and take the embedded server down with "
            "'pawsctl redis down'.",
        )
    if wanted == "embedded":
        emit(EngineChosen("embedded", "PAWSCTL_ENGINE says so"))
        _tell_of_docker(project, emit)
        return embedded
    if wanted == "auto" and embedded.in_use:
        emit(EngineChosen("embedded", "its server is in use"))
        _tell_of_docker(project, emit)
        return embedded
    try:
        api = connect()
        if project.topology != "single":
            check_host_network(api)
        docker = DockerEngine(api, project)
    except NoEngine as no_docker:
        if wanted == "docker" or docker_only:
            raise
        _check_installed(no_docker)
        emit(EngineChosen("embedded", no_docker.message, is_fallback=True))
        _tell_of_docker(project, emit)
        return embedded
    emit(EngineChosen("docker", "it answers"))
    places = [each.name for each in embedded.belongings(volumes=True) if each.kind == "data"]
    if places:
        emit(HeldElsewhere("embedded", tuple(places)))
    return docker


def _tell_of_docker(project: Project, emit: Emit) -> None:
    places = held_on_docker.on_docker(project.directory)
    if places:
        emit(HeldElsewhere("docker", tuple(f"the volume {each}" for each in places)))


def _check_installed(no_docker: NoEngine) -> None:
    try:
        program()
    except NoEngine as no_embedded:
        raise NoEngine(
            f"{no_docker.message} {no_embedded.message}",
            hint=f"{no_docker.hint} {no_embedded.hint}",
        ) from no_docker
