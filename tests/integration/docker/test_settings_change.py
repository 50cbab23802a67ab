"""`up` with an existing container: left alone, or replaced with its data kept."""

import docker

from tests.ports import free_port
from tests.stack_fixtures import Docker, Stack


def test_an_unchanged_container_is_left_alone(docker_stack: Stack, engine_view: Docker) -> None:
    """With the same settings the container stays the same."""
    docker_stack("redis", "up")
    before = engine_view.container().id

    docker_stack("redis", "up")

    assert engine_view.container().id == before


def test_changed_settings_are_named_and_the_data_kept(
    docker_stack: Stack, engine_view: Docker
) -> None:
    """A new memory limit and password: a new container on the old volume."""
    docker_stack("redis", "up")
    with docker_stack.client() as client:
        client.set("kept", "1")

    done = docker_stack(
        "redis", "up", "--json", env={"REDIS_MAXMEMORY": "64mb", "REDIS_PASSWORD": "new"}
    )

    (service,) = done.json["services"]
    assert (service["action"], service["changed"]) == ("recreated", ["maxmemory", "password"])
    assert "maxmemory, password" in done.err
    with docker_stack.client("new") as client:
        assert client.get("kept") == b"1"
        assert client.config_get("maxmemory")["maxmemory"] == str(64 << 20)
    assert engine_view.names()["containers"] == [docker_stack.container]


def test_the_container_has_room_for_a_larger_limit(
    docker_stack: Stack, engine_view: Docker
) -> None:
    """Twice maxmemory, else Docker kills a full Redis; no limit if maxmemory has none."""
    docker_stack("redis", "up")

    larger = docker_stack("redis", "up", "--json", env={"REDIS_MAXMEMORY": "1gb"})
    memory = engine_view.container().attrs["HostConfig"]["Memory"]
    none = docker_stack("redis", "up", "--json", env={"REDIS_MAXMEMORY": "0"})

    assert larger.json["services"][0]["changed"] == ["maxmemory", "mem_limit"]
    assert memory == 2 << 30
    assert none.json["services"][0]["changed"] == ["maxmemory", "mem_limit"]
    assert engine_view.container().attrs["HostConfig"]["Memory"] == 0


def test_another_port_is_taken_and_the_old_one_left(docker_stack: Stack) -> None:
    """REDIS_PORT moves the container."""
    docker_stack("redis", "up")
    port = free_port()

    done = docker_stack("redis", "up", "--json", env={"REDIS_PORT": str(port)})
    status = docker_stack("redis", "status", "--json")

    assert done.json["services"][0]["changed"] == ["ports"]
    # The settings still have the old port; status shows the real one.
    assert status.json["url"].endswith(f":{port}")


def test_a_container_that_lost_its_network_is_replaced(
    docker_stack: Stack, engine_view: Docker
) -> None:
    """`docker network prune` removes a stopped container's network, so it can't start."""
    docker_stack("redis", "up")
    docker_stack("redis", "stop")
    engine_view.api.networks.get(f"{docker_stack.project}_default").remove()

    done = docker_stack("redis", "up", "--json")

    assert done.status == 0, done.err
    assert done.json["services"][0]["changed"] == ["networks"]


def test_a_failed_replacement_puts_the_old_container_back(
    docker_stack: Stack, engine_view: Docker, crashing_image: str
) -> None:
    """If a Redis ran before a failed `up`, it runs afterwards."""
    docker_stack("redis", "up")
    before = engine_view.container().id
    with docker_stack.client() as client:
        client.set("kept", "1")

    done = docker_stack("redis", "up", env={"REDIS_IMAGE": crashing_image})

    assert done.status == 1
    assert engine_view.container().id == before
    assert engine_view.names()["containers"] == [docker_stack.container]
    assert docker_stack("redis", "up").status == 0
    with docker_stack.client() as client:
        assert client.get("kept") == b"1"


def test_what_compose_run_started_is_left_alone(
    docker_stack: Stack, docker_engine: docker.DockerClient
) -> None:
    """It has the project's and the service's labels, but is somebody's own work."""
    docker_stack("redis", "up")
    one_off = docker_engine.containers.create(
        "redis:7.2-alpine",
        name=f"{docker_stack.container}-run-1",
        labels={
            "com.docker.compose.project": docker_stack.project,
            "com.docker.compose.service": "redis",
            "com.docker.compose.oneoff": "True",
        },
    )

    docker_stack("redis", "up", env={"REDIS_MAXMEMORY": "64mb"})
    docker_stack("redis", "down")

    one_off.reload()
    assert one_off.status == "created"


def test_up_leaves_no_rendered_password_of_before(docker_stack: Stack) -> None:
    """Only the files in use are kept."""
    docker_stack("redis", "up", env={"REDIS_PASSWORD": "first"})
    docker_stack("redis", "up", env={"REDIS_PASSWORD": "second"})

    kept = [
        path.read_text()
        for path in docker_stack.folder.rglob("redis_password")
        if "state" in path.parts
    ]
    assert kept == ["second"]
