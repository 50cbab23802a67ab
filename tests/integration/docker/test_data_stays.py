"""The data stays in the project's volume, whatever the image and the container."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from secrets import token_hex

import docker
import pytest
import redis

from pawsctl.errors import ExitStatus
from tests.docker_fixtures import PROJECT_LABEL
from tests.processes import wait_until
from tests.stack_fixtures import Docker, Stack
from tests.standins import engine
from tests.standins.images import REDIS


@pytest.fixture(scope="module")
def image_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image of Redis whose working directory is /, like those of redis-stack."""
    context = tmp_path_factory.mktemp("elsewhere")
    name = f"pawsctl-test-elsewhere:{token_hex(4)}"
    (context / "Dockerfile").write_text(f"FROM {REDIS.image}\nWORKDIR /\n")
    engine.build(name, context, {})
    yield name
    engine.remove_image(name)


def test_an_image_that_works_elsewhere_keeps_its_data_in_the_volume(
    docker_stack: Stack, engine_view: Docker, image_elsewhere: str
) -> None:
    """The data survives a recreation, and `down` and `up`."""
    docker_stack.environment["REDIS_IMAGE"] = image_elsewhere
    assert docker_stack("redis", "up").status == ExitStatus.OK
    with docker_stack.client() as client:
        client.set("kept", "1")

    assert docker_stack("redis", "up", env={"REDIS_MAXMEMORY": "64mb"}).status == ExitStatus.OK
    with docker_stack.client() as client:
        assert client.get("kept") == b"1"
    assert docker_stack("redis", "down").status == ExitStatus.OK
    assert docker_stack("redis", "up").status == ExitStatus.OK

    with docker_stack.client() as client:
        assert client.get("kept") == b"1"
        assert client.config_get("dir")["dir"] == "/data"


def test_a_snapshot_without_an_append_only_file_is_read(
    docker_stack: Stack, engine_view: Docker
) -> None:
    """As another compose file leaves it: our server would have read nothing, and replaced it."""
    volume = _volume(docker_stack, engine_view)
    before = engine_view.api.containers.run(
        REDIS.image,
        ["redis-server", "--dir", "/data"],
        detach=True,
        ports={"6379/tcp": ("127.0.0.1", docker_stack.port)},
        volumes={volume: {"bind": "/data"}},
    )
    with docker_stack.client() as client:
        wait_until(lambda: _answers(client), "it answers")
        client.mset({"first": "1", "second": "2"})
        client.set("third", "3", ex=1000)
    before.stop()
    before.remove()

    up = docker_stack("redis", "up")

    assert up.status == ExitStatus.OK, up.err
    assert "Took over 3 keys" in up.err
    assert docker_stack("redis", "down").status == ExitStatus.OK
    again = docker_stack("redis", "up")
    assert "Took over" not in again.err
    with docker_stack.client() as client:
        assert client.mget("first", "second", "third") == [b"1", b"2", b"3"]
        assert 0 < client.ttl("third") <= 1000


@pytest.mark.parametrize("changes", [{}, {"REDIS_MAXMEMORY": "128mb"}], ids=["start", "change"])
def test_a_backup_that_was_put_back_by_hand_is_read(
    docker_stack: Stack, docker_engine: docker.DockerClient, changes: dict[str, str]
) -> None:
    """The server is stopped, its append-only file removed, and a snapshot laid there."""
    assert docker_stack("redis", "up").status == ExitStatus.OK
    with docker_stack.client() as client:
        client.mset({"first": "1", "second": "2"})
        client.save()
    assert docker_stack("redis", "stop").status == ExitStatus.OK
    volume = f"{docker_stack.project}_redis-data"
    docker_engine.containers.run(
        REDIS.image,
        ["rm", "-r", "/data/appendonlydir"],
        entrypoint=[],
        remove=True,
        volumes={volume: {"bind": "/data"}},
    )

    up = docker_stack("redis", "up" if changes else "start", env=changes)

    assert up.status == ExitStatus.OK, up.err
    assert "Took over 2 keys" in up.err
    with docker_stack.client() as client:
        assert client.mget("first", "second") == [b"1", b"2"]
        client.set("since", "3")
    assert docker_stack("redis", "restart", env=changes).status == ExitStatus.OK
    with docker_stack.client() as client:
        assert client.mget("first", "second", "since") == [b"1", b"2", b"3"]


def test_a_snapshot_that_cannot_be_read_is_left(docker_stack: Stack, engine_view: Docker) -> None:
    """A Valkey wrote it."""
    volume = _volume(docker_stack, engine_view)
    written = b"VALKEY080\xff" + bytes(8)
    with io.BytesIO() as packed:
        with tarfile.open(fileobj=packed, mode="w") as archive:
            member = tarfile.TarInfo("dump.rdb")
            member.size, member.mode = len(written), 0o644
            archive.addfile(member, io.BytesIO(written))
        holder = engine_view.api.containers.create(
            REDIS.image, "true", volumes={volume: {"bind": "/data"}}
        )
        holder.put_archive("/data", packed.getvalue())

    up = docker_stack("redis", "up")

    try:
        assert up.status == ExitStatus.CONFLICT, up.err
        assert f"The snapshot dump.rdb in the volume {volume} can't be read" in up.err
        assert engine_view.names()["containers"] == []
        chunks, _ = holder.get_archive("/data/dump.rdb")
        assert written in b"".join(chunks)
    finally:
        holder.remove()


def test_what_is_said_to_delete_a_snapshot_does(docker_stack: Stack, engine_view: Docker) -> None:
    """Also where a stopped container, whose files somebody has replaced, holds the volume."""
    assert docker_stack("redis", "up").status == ExitStatus.OK
    spoil = ["sh", "-c", "rm -r appendonlydir; echo no snapshot >dump.rdb"]
    assert engine_view.container().exec_run(spoil, workdir="/data").exit_code == 0
    engine_view.container().kill()

    up = docker_stack("redis", "up", "--json")

    assert up.status == ExitStatus.CONFLICT, up.err
    *_, command, _ = up.error["hint"].split("'")
    assert docker_stack(*command.split()[1:], "--yes").status == ExitStatus.OK
    assert docker_stack("redis", "up").status == ExitStatus.OK


def test_a_folder_that_a_volume_only_names_outlives_it_and_is_told(
    docker_stack: Stack, docker_engine: docker.DockerClient
) -> None:
    """Docker removes the name, and none of the data."""
    folder = docker_stack.folder / "named"
    folder.mkdir()
    docker_engine.volumes.create(
        f"{docker_stack.project}_redis-data",
        driver_opts={"type": "none", "o": "bind", "device": str(folder)},
        labels={PROJECT_LABEL: docker_stack.project, "com.docker.compose.volume": "redis-data"},
    )
    assert docker_stack("redis", "up").status == ExitStatus.OK

    down = docker_stack("redis", "down", "--volumes", "--yes")

    assert down.status == ExitStatus.OK
    assert f"Kept data {folder}" in down.err
    assert [*folder.rglob("*.manifest")]


def test_a_volume_of_the_project_that_is_not_read_is_told_once(
    docker_stack: Stack, docker_engine: docker.DockerClient
) -> None:
    """Another compose file has kept its Redis's data under another name, and its container is gone.

    A database of the same project is none of ours.
    """
    for name in ("redis_cache", "database"):
        docker_engine.volumes.create(
            f"{docker_stack.project}_{name}",
            labels={PROJECT_LABEL: docker_stack.project, "com.docker.compose.volume": name},
        )

    first, second = docker_stack("redis", "up"), docker_stack("redis", "up")

    assert f"does not read {docker_stack.project}_redis_cache. If that" in first.err
    assert "does not read" not in second.err


def _volume(stack: Stack, view: Docker) -> str:
    """Return the project's volume, made before anything runs."""
    labels = {PROJECT_LABEL: stack.project, "com.docker.compose.volume": "redis-data"}
    return str(view.api.volumes.create(f"{stack.project}_redis-data", labels=labels).name)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
