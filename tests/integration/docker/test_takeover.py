"""Takeover of a Redis from another compose file, with every key that it holds."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import redis
from docker.models.containers import Container

from pawsctl.errors import ExitStatus
from tests.bent_engine import Refusal, bent_engine
from tests.docker_fixtures import PROJECT_LABEL
from tests.processes import wait_until
from tests.stack_fixtures import NOTHING, Docker, Stack
from tests.standins.images import REDIS

SERVICE_LABEL = "com.docker.compose.service"
Run = Callable[..., Container]


@pytest.fixture
def run(docker_stack: Stack, engine_view: Docker) -> Iterator[Run]:
    """Runs containers as the bot's own `docker compose` does: other flags, data elsewhere."""
    api = engine_view.api
    named: list[str] = []

    def start(
        *flags: str,
        mounts: dict[str, dict[str, str]] | None = None,
        tmpfs: dict[str, str] | None = None,
        name: str = docker_stack.container,
        service: str = "redis",
    ) -> Container:
        labels = {PROJECT_LABEL: docker_stack.project, SERVICE_LABEL: service}
        labels |= {"com.docker.compose.oneoff": "False"}
        network = f"{docker_stack.project}_default"
        if not api.networks.list(names=[network]):
            api.networks.create(
                network,
                labels={
                    PROJECT_LABEL: docker_stack.project,
                    "com.docker.compose.network": "default",
                },
            )
        named.extend(name for name in mounts or {} if not name.startswith("/"))
        made = api.containers.run(
            REDIS.image,
            ["redis-server", *flags],
            name=name,
            detach=True,
            labels=labels,
            network=network,
            ports={"6379/tcp": ("127.0.0.1", docker_stack.port)},
            volumes=mounts or {},
            tmpfs=tmpfs,
        )
        made.reload()
        return made

    yield start
    for each in api.containers.list(all=True, filters={"name": docker_stack.container}):
        each.remove(force=True, v=True)
    for name in named:
        with suppress(Exception):
            api.volumes.get(name).remove(force=True)


def _connected(stack: Stack, password: str | None = None, db: int = 0) -> redis.Redis:
    client = redis.Redis(port=stack.port, password=password, db=db, protocol=2)
    wait_until(lambda: _answers(client), "Redis answers")
    return client


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def _fill(stack: Stack, password: str | None = None) -> None:
    """Store keys of every type in several databases, the bot's and another application's."""
    with _connected(stack, password) as client:
        client.set("wh:session:+1", '{"status":"active","messages":[],"updatedAt":1}', ex=20_000)
        client.set("wh:seen:SM1", "1", ex=3_000)
        client.hset("app:hash", mapping={"a": "1", "b": "2"})
        client.rpush("app:list", *range(200))
        client.function_load("#!lua name=paws\nredis.register_function('f', function() end)")
    with _connected(stack, password, db=3) as client:
        client.zadd("app:zset", {"one": 1, "two": 2})
        client.xadd("app:stream", {"field": "value"})
    with _connected(stack, password, db=7) as client:
        client.sadd("app:set", *range(1000))
        client.set("bytes", bytes(range(256)))


def _has_all(stack: Stack, password: str | None = None) -> None:
    with _connected(stack, password) as client:
        assert client.dbsize() == 4
        assert 19_000 < client.ttl("wh:session:+1") <= 20_000
        assert 2_000 < client.ttl("wh:seen:SM1") <= 3_000
        assert client.hgetall("app:hash") == {b"a": b"1", b"b": b"2"}
        assert client.llen("app:list") == 200
        assert client.function_list()
    with _connected(stack, password, db=3) as client:
        assert client.zrange("app:zset", 0, -1) == [b"one", b"two"]
        assert client.xlen("app:stream") == 1
    with _connected(stack, password, db=7) as client:
        assert client.scard("app:set") == 1000
        assert client.get("bytes") == bytes(range(256))


def _anonymous(container: Container) -> list[str]:
    mounts = container.attrs["Mounts"]
    return [each["Name"] for each in mounts if each["Type"] == "volume" and len(each["Name"]) == 64]


def _in_subfolder(engine_view: Docker, volume: str) -> tuple[str, str]:
    """Make a folder in a volume, and return the flags of a Redis that keeps its data there."""
    engine_view.api.containers.run(
        REDIS.image,
        ["sh", "-c", "mkdir /data/sub && chmod 777 /data/sub"],
        entrypoint=[],
        remove=True,
        network_mode="none",
        volumes={volume: {"bind": "/data"}},
    )
    return "--dir", "/data/sub"


@pytest.mark.parametrize(
    "case", ["no volume", "other volume", "bind mount", "layer", "other folder", "other files"]
)
def test_up_takes_over_every_key_wherever_it_lies(
    docker_stack: Stack, engine_view: Docker, run: Run, tmp_path: Path, case: str
) -> None:
    """The keys are also there after `down` and `up`."""
    volume = f"{docker_stack.project}_redis-data"
    other = f"{docker_stack.project}_redis_data"
    if case == "no volume":
        run("--appendonly", "no")
    elif case == "other volume":
        run("--appendonly", "yes", mounts={other: {"bind": "/data"}})
    elif case == "bind mount":
        (tmp_path / "redis").mkdir(mode=0o777)
        run("--appendonly", "yes", mounts={str(tmp_path / "redis"): {"bind": "/data"}})
    elif case == "layer":
        run("--appendonly", "no", "--save", "", "--dir", "/tmp")  # noqa: S108
    else:
        labels = {PROJECT_LABEL: docker_stack.project, "com.docker.compose.volume": "redis-data"}
        engine_view.api.volumes.create(volume, labels=labels)
        flags = _in_subfolder(engine_view, volume) if case == "other folder" else ()
        run("--appendonly", "no", *flags, mounts={volume: {"bind": "/data"}})
    _fill(docker_stack)

    refused = docker_stack("redis", "down")
    dry = docker_stack("redis", "down", "--dry-run")
    up = docker_stack("redis", "up")

    assert refused.status == dry.status == ExitStatus.CONFLICT, refused.err
    assert "redis up" in refused.err
    assert up.status == ExitStatus.OK, up.err
    assert "Took over 8 keys of 3 databases." in up.err
    _has_all(docker_stack)
    assert docker_stack("redis", "up").text.startswith("✓ redis already running")
    assert docker_stack("redis", "down").status == ExitStatus.OK
    assert docker_stack("redis", "up").status == ExitStatus.OK
    _has_all(docker_stack)
    down = docker_stack("redis", "down", "--volumes", "--yes", "--json")
    assert down.status == ExitStatus.OK
    assert engine_view.names() == NOTHING
    if case == "other volume":
        # `down --volumes` removed it and named it; nothing removed it before.
        assert {"kind": "volume", "name": other} in down.json["removed"]


def test_a_stopped_container_is_started_for_its_data(
    docker_stack: Stack, engine_view: Docker, run: Run
) -> None:
    """`stop` saves the data first, since this server is configured not to save."""
    container = run("--appendonly", "no", "--save", "")
    _fill(docker_stack)

    assert docker_stack("redis", "stop").status == ExitStatus.OK
    container.reload()
    assert container.status == "exited"
    start = docker_stack("redis", "start")

    assert start.status == ExitStatus.OK, start.err
    assert "Took over 8 keys" in start.err
    _has_all(docker_stack)


OUTSIDE = "dir /tmp\n"


@pytest.mark.parametrize("case", ["stopped", "locked", "without CONFIG"])
def test_a_folder_that_only_a_configuration_file_names(
    docker_stack: Stack, engine_view: Docker, run: Run, tmp_path: Path, case: str
) -> None:
    """The project's volume is mounted, and the data lies elsewhere."""
    more = {"locked": "requirepass sesame\n", "without CONFIG": 'rename-command CONFIG ""\n'}
    (tmp_path / "own.conf").write_text(OUTSIDE + more.get(case, ""))
    password = "sesame" if case == "locked" else None
    volume = f"{docker_stack.project}_redis-data"
    labels = {PROJECT_LABEL: docker_stack.project, "com.docker.compose.volume": "redis-data"}
    engine_view.api.volumes.create(volume, labels=labels)
    mounts = {
        volume: {"bind": "/data", "mode": "rw"},
        str(tmp_path / "own.conf"): {"bind": "/etc/own.conf", "mode": "ro"},
    }
    container = run("/etc/own.conf", "--appendonly", "yes", mounts=mounts)
    _fill(docker_stack, password)
    if case == "stopped":
        container.stop()

    down = docker_stack("redis", "down")
    up = docker_stack("redis", "up")

    assert down.status == ExitStatus.CONFLICT, down.err
    assert "in a place that only its own configuration names" in down.err
    if case == "stopped":
        assert up.status == ExitStatus.OK, up.err
        assert "Took over 8 keys" in up.err
    else:
        assert up.status == ExitStatus.CONFLICT, up.err
        assert "Nothing was changed" in up.err
    _has_all(docker_stack, password)


def test_stop_where_only_a_configuration_file_tells_what_is_saved(
    docker_stack: Stack, run: Run, tmp_path: Path
) -> None:
    """Its server has another password, and so does not tell that it saves nothing."""
    (tmp_path / "own.conf").write_text('save ""\nrequirepass sesame\n')
    mounts = {str(tmp_path / "own.conf"): {"bind": "/etc/own.conf", "mode": "ro"}}
    run("/etc/own.conf", mounts=mounts)
    _fill(docker_stack, "sesame")

    stop = docker_stack("redis", "stop")

    assert stop.status == ExitStatus.CONFLICT, stop.err
    assert "NOAUTH" in stop.err
    _has_all(docker_stack, "sesame")


def test_stop_where_a_file_that_its_own_configuration_names_was_switched_off(
    docker_stack: Stack, run: Run, tmp_path: Path
) -> None:
    """Its next start reads that file again, and no snapshot."""
    (tmp_path / "own.conf").write_text("appendonly yes\n")
    mounts = {str(tmp_path / "own.conf"): {"bind": "/etc/own.conf", "mode": "ro"}}
    container = run("/etc/own.conf", mounts=mounts)
    with _connected(docker_stack) as client:
        client.config_set("appendonly", "no")
    _fill(docker_stack)

    stop = docker_stack("redis", "stop")
    container.start()

    assert stop.status == ExitStatus.OK, stop.err
    _has_all(docker_stack)


def test_a_container_that_restarts_again_and_again_is_stopped(
    docker_stack: Stack, run: Run, tmp_path: Path
) -> None:
    """Nothing runs between two restarts, so nothing is lost; Docker would go on for ever."""
    file = tmp_path / "own.conf"
    file.write_text("")
    container = run("/etc/own.conf", mounts={str(file): {"bind": "/etc/own.conf", "mode": "ro"}})
    container.update(restart_policy={"Name": "always"})
    with _connected(docker_stack) as client:
        file.write_text("no-such-option yes")
        client.shutdown(nosave=True)

    def has_restarted() -> bool:
        container.reload()
        return bool(container.attrs["RestartCount"] > 3)

    wait_until(has_restarted, "it restarts")
    status = docker_stack("redis", "status")
    stop = docker_stack("redis", "stop")

    # 'redis up' would not start it either.
    assert "start it with" not in status.text
    assert stop.status == ExitStatus.OK, stop.err
    assert docker_stack.container in stop.text
    container.reload()
    assert container.status == "exited"


def test_restart_takes_over_too(docker_stack: Stack, run: Run) -> None:
    """It replaces the container like `up`."""
    run("--appendonly", "no", "--save", "")
    _fill(docker_stack)

    assert docker_stack("redis", "restart").status == ExitStatus.OK

    _has_all(docker_stack)


def test_reset_exports_what_the_container_really_holds(
    docker_stack: Stack, engine_view: Docker, run: Run
) -> None:
    """The question names the volume, which is deleted."""
    container = run("--appendonly", "no")
    _fill(docker_stack)
    (volume,) = _anonymous(container)

    asked = docker_stack("redis", "reset")
    done = docker_stack("redis", "reset", "--yes", "--json")

    assert asked.status == ExitStatus.NOT_CONFIRMED
    assert volume in asked.err
    assert done.status == ExitStatus.OK, done.err
    assert done.json["backup"]
    assert "Exported 1 session" in done.err
    assert volume not in [each.name for each in engine_view.api.volumes.list()]


def test_a_password_that_is_known(docker_stack: Stack, run: Run) -> None:
    """The settings have the password that the container was started with."""
    docker_stack.environment["REDIS_PASSWORD"] = "sesame 1"
    run("--appendonly", "no", "--requirepass", "sesame 1")
    _fill(docker_stack, "sesame 1")

    up = docker_stack("redis", "up")

    assert up.status == ExitStatus.OK, up.err
    _has_all(docker_stack, "sesame 1")


@pytest.mark.parametrize("password", [None, "guess"])
def test_a_password_that_is_not_known(docker_stack: Stack, run: Run, password: str | None) -> None:
    """Nothing is changed."""
    container = run("--appendonly", "no", "--requirepass", "sesame")
    _fill(docker_stack, "sesame")
    env = {"REDIS_PASSWORD": password} if password else {}

    for command in ("up", "dev", "down", "restart"):
        done = docker_stack("redis", command, env=env)
        assert done.status == ExitStatus.CONFLICT, (command, done.err)

    container.reload()
    assert container.status == "running"
    _has_all(docker_stack, "sesame")


@pytest.mark.slow(15)
def test_a_server_that_does_not_answer(docker_stack: Stack, engine_view: Docker, run: Run) -> None:
    """It is paused by Docker, or its process is stopped."""
    container = run("--appendonly", "no")
    _fill(docker_stack)
    container.pause()
    paused = [docker_stack("redis", each) for each in ("up", "down", "stop")]
    status = docker_stack("redis", "status")
    container.unpause()
    container.kill("SIGSTOP")
    hung = [docker_stack("redis", each) for each in ("up", "down", "stop")]
    container.kill("SIGCONT")

    assert [each.status for each in (*paused, *hung)] == [ExitStatus.CONFLICT] * 6
    # The way on is not 'redis up', which refuses.
    assert f"docker unpause {docker_stack.container}" in paused[2].err
    assert f"docker unpause {docker_stack.container}" in status.text
    _has_all(docker_stack)
    assert engine_view.names()["volumes"] == []
    assert engine_view.names()["containers"] == [docker_stack.container]


def test_no_write_that_was_acknowledged_is_lost(docker_stack: Stack, run: Run) -> None:
    """A writer runs all the while; it may lose only unacknowledged writes."""
    run("--appendonly", "no", "--save", "")
    _fill(docker_stack)
    done, acknowledged, errors = threading.Event(), [], []

    def write() -> None:
        number = 0
        with closing(redis.Redis(port=docker_stack.port, protocol=2)) as client:
            while not done.is_set():
                number += 1
                try:
                    client.set(f"n:{number}", number, ex=5_000)
                    acknowledged.append(number)
                except redis.RedisError as error:
                    errors.append(error)
                    time.sleep(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        up = docker_stack("redis", "up")
    finally:
        done.set()
        writer.join()

    assert up.status == ExitStatus.OK, up.err
    with _connected(docker_stack) as client:
        lost = [each for each in acknowledged if not client.exists(f"n:{each}")]
    assert acknowledged
    assert lost == []


@pytest.mark.slow(15)
def test_a_save_that_takes_longer_than_a_pause(docker_stack: Stack, run: Run) -> None:
    """Writes accepted after the pause ran out are kept when the server ends."""
    container = run("--save", "", "--appendonly", "no")
    with _connected(docker_stack) as client:
        client.mset({f"key:{number}": "1" for number in range(54)})
        client.config_set("rdb-key-save-delay", 100_000)
    acknowledged: list[int] = []
    stop = docker_stack.start("redis", "stop")
    for number in range(1_000_000):
        if stop.poll() is not None:
            break
        with (
            suppress(redis.RedisError),
            redis.Redis(port=docker_stack.port, socket_timeout=30) as client,
        ):
            client.set("written", str(number))
            acknowledged.append(number)
    stop.communicate(timeout=60)

    container.start()

    assert stop.returncode == ExitStatus.OK
    with _connected(docker_stack) as client:
        written = client.get("written")
        assert isinstance(written, bytes)
        assert int(written) >= acknowledged[-1]
        assert client.dbsize() == 55


@pytest.mark.slow(20)
def test_a_server_that_saves_longer_than_a_pause_is_taken_over(
    docker_stack: Stack, run: Run
) -> None:
    """It does nothing else while it saves, neither before its data moves nor when it ends."""
    run("--save", "3600 1", "--appendonly", "no")
    with _connected(docker_stack) as client:
        client.mset({f"key:{number}": "1" for number in range(54)})
        client.config_set("rdb-key-save-delay", 100_000)

    up = docker_stack("redis", "up")

    assert up.status == ExitStatus.OK, up.err
    with _connected(docker_stack) as client:
        assert client.dbsize() == 54


@pytest.mark.parametrize(
    "moment",
    ["it is taken over", "Created volume", "Took over", "Recreating", "Created container"],
)
def test_ctrl_c_in_the_middle_leaves_all_as_it_was(
    docker_stack: Stack, engine_view: Docker, run: Run, moment: str
) -> None:
    """The old container runs with all keys, accepts writes, and nothing is left over."""
    container = run("--appendonly", "no", "--save", "")
    _fill(docker_stack)
    up = docker_stack.signalled(signal.SIGINT, moment, "redis", "up", "-v")
    up.communicate(timeout=60)

    assert up.returncode == ExitStatus.INTERRUPTED
    assert engine_view.container().id == container.id
    _has_all(docker_stack)
    with _connected(docker_stack) as client:
        assert client.set("writes", "1", px=1)
        assert client.config_get("repl-diskless-sync-delay") != {"repl-diskless-sync-delay": "0"}
    names = engine_view.names()
    assert names["containers"] == [docker_stack.container]
    assert names["volumes"] == []


def test_a_new_server_that_can_not_start(
    docker_stack: Stack, engine_view: Docker, run: Run, crashing_image: str
) -> None:
    """Everything is as before."""
    container = run("--appendonly", "no", "--save", "")
    _fill(docker_stack)

    up = docker_stack("redis", "up", env={"REDIS_IMAGE": crashing_image})

    assert up.status == ExitStatus.CONFLICT, up.err
    assert engine_view.container().id == container.id
    assert engine_view.names()["volumes"] == []
    _has_all(docker_stack)


def test_what_was_in_memory_alone_stays_in_the_volume(
    docker_stack: Stack, engine_view: Docker, run: Run
) -> None:
    """The old container lost it when stopped, and the new one can't be created."""
    run("--save", "", "--dir", "/data", tmpfs={"/data": ""})
    _fill(docker_stack)
    refusal = Refusal(r"POST \S+/containers/create\?name=[^_]+ ", 500, "no room")
    with bent_engine(docker_stack.folder, refusal) as engine:
        done = docker_stack("redis", "up", env={"DOCKER_HOST": engine.address})

    assert done.status == ExitStatus.FAILED
    assert f"The volume {docker_stack.project}_redis-data stays" in done.err
    engine_view.container().remove(force=True, v=True)
    assert docker_stack("redis", "up").status == ExitStatus.OK
    _has_all(docker_stack)


def test_a_name_that_compose_chose(docker_stack: Stack, engine_view: Docker, run: Run) -> None:
    """A compose file without `container_name`; no second container is created."""
    run("--appendonly", "no", name=f"{docker_stack.container}-1")
    _fill(docker_stack)

    down = docker_stack("redis", "down")
    up = docker_stack("redis", "up", "--json")

    assert down.status == ExitStatus.CONFLICT
    assert up.status == ExitStatus.OK, up.err
    assert "container_name" in up.json["services"][0]["changed"]
    assert engine_view.names()["containers"] == [docker_stack.container]
    _has_all(docker_stack)


def test_it_gets_its_name_back_where_it_is_not_replaced(
    docker_stack: Stack, engine_view: Docker, run: Run
) -> None:
    """The new container can't be created."""
    name = f"{docker_stack.container}-1"
    run("--appendonly", "no", name=name)
    _fill(docker_stack)
    refusal = Refusal(r"POST \S+/containers/create\?name=[^_]+ ", 500, "no room")
    with bent_engine(docker_stack.folder, refusal) as engine:
        done = docker_stack("redis", "up", env={"DOCKER_HOST": engine.address})

    assert done.status == ExitStatus.FAILED
    assert engine_view.names()["containers"] == [name]
    _has_all(docker_stack)


def test_a_service_of_another_name_in_a_container_of_ours(docker_stack: Stack, run: Run) -> None:
    """Every command knows it by the container's name, as `up` does."""
    container = run("--appendonly", "yes", service="cache")
    _fill(docker_stack)

    status = docker_stack("redis", "status", "--json")
    down = docker_stack("redis", "down")
    stop = docker_stack("redis", "stop")

    assert status.json["services"][0]["state"] == "running"
    assert status.json["keys"]["total"] == 8
    assert down.status == ExitStatus.CONFLICT, down.err
    assert stop.status == ExitStatus.OK, stop.err
    container.reload()
    assert container.status == "exited"
    assert docker_stack("redis", "start").status == ExitStatus.OK
    _has_all(docker_stack)


def test_two_containers_of_one_service(docker_stack: Stack, run: Run) -> None:
    """Neither hides the other's data."""
    docker_stack("redis", "up")
    _fill(docker_stack)
    docker_stack("redis", "stop")
    other = run("--appendonly", "no", name=f"{docker_stack.container}-1")
    with _connected(docker_stack) as client:
        client.set("other", "1")

    done = docker_stack("redis", "up")

    assert done.status == ExitStatus.CONFLICT
    assert f"{docker_stack.container} and {docker_stack.container}-1 are all" in done.err
    other.remove(force=True, v=True)
    assert docker_stack("redis", "up").status == ExitStatus.OK
    _has_all(docker_stack)


def test_a_limit_that_would_evict(docker_stack: Stack, run: Run) -> None:
    """The takeover is not begun if the data does not fit the new limit."""
    run("--appendonly", "no")
    _fill(docker_stack)
    with _connected(docker_stack) as client:
        client.set("large", bytes(3 << 20), px=600_000)

    up = docker_stack("redis", "up", env={"REDIS_MAXMEMORY": "2mb"})

    assert up.status == ExitStatus.CONFLICT, up.err
    assert "REDIS_MAXMEMORY" in up.err
    with _connected(docker_stack) as client:
        assert client.delete("large") == 1
    _has_all(docker_stack)


def test_two_that_hold_keys_are_not_mixed(
    docker_stack: Stack, engine_view: Docker, run: Run
) -> None:
    """Both the old volume and the container hold keys."""
    docker_stack("redis", "up")
    with _connected(docker_stack) as client:
        client.set("ours", "1")
    docker_stack("redis", "down")
    run("--appendonly", "no")
    _fill(docker_stack)

    up = docker_stack("redis", "up")

    assert up.status == ExitStatus.CONFLICT, up.err
    assert "holds keys of its own" in up.err
    _has_all(docker_stack)
    engine_view.container().remove(force=True, v=True)
    docker_stack("redis", "up")
    with _connected(docker_stack) as client:
        assert client.get("ours") == b"1"


def test_an_empty_container_takes_nothing_over_from_a_volume_that_holds_keys(
    docker_stack: Stack, engine_view: Docker, run: Run
) -> None:
    """The volume's keys were never the container's: they are not said to be taken over."""
    docker_stack("redis", "up")
    _fill(docker_stack)
    docker_stack("redis", "down")
    run("--appendonly", "no")

    up = docker_stack("redis", "up")

    assert up.status == ExitStatus.CONFLICT, up.err
    assert "holds keys of its own" in up.err
    assert "remove the container" in up.err
    engine_view.api.containers.get(docker_stack.container).remove(force=True, v=True)
    assert docker_stack("redis", "up").status == ExitStatus.OK
    _has_all(docker_stack)


@pytest.mark.slow(15)
def test_what_the_real_compose_made(
    docker_stack: Stack, engine_view: Docker, compose: Path, tmp_path: Path
) -> None:
    """The bot's own compose file in two versions: no volume, and one of another name."""
    file = tmp_path / "docker-compose.yml"
    for version in ("no", "yes"):
        volume = "volumes: [redis_data:/data]" if version == "yes" else ""
        file.write_text(
            f"""
name: {docker_stack.project}
services:
  redis:
    image: {REDIS.image}
    container_name: {docker_stack.container}
    ports: ["{docker_stack.port}:6379"]
    command: redis-server --appendonly {version} --maxmemory 256mb
    networks: [paws]
    {volume}
networks: {{paws: }}
{"volumes: {redis_data: }" if volume else ""}
"""
        )
        subprocess.run(
            [compose, "-f", file, "up", "-d"],
            env=docker_stack.environment,
            check=True,
            capture_output=True,
        )
        _fill(docker_stack)
        up = docker_stack("redis", "up")
        assert up.status == ExitStatus.OK, up.err
        _has_all(docker_stack)
        assert docker_stack("redis", "down", "--volumes", "--yes").status == ExitStatus.OK
        assert engine_view.names()["volumes"] == []


def test_keys_that_were_in_memory_alone_are_not_lost_with_a_killed_up(
    docker_stack: Stack, run: Run
) -> None:
    """It was killed when the old server was ended: the copy in the volume is all there is."""
    container = run("--appendonly", "no", tmpfs={"/data": ""})
    _fill(docker_stack)
    killed = docker_stack.signalled(signal.SIGKILL, "Recreating", "redis", "up")
    killed.communicate(timeout=60)
    # The Docker Engine carries out what it was asked for.
    container.stop()

    up = docker_stack("redis", "up")

    assert up.status == ExitStatus.OK, up.err
    assert "Took over 8 keys of 3 databases." in up.err
    _has_all(docker_stack)


@pytest.mark.parametrize("moment", ["Took over", "Created container"])
def test_an_interrupted_takeover_leaves_no_key_in_a_volume_that_both_servers_mount(
    docker_stack: Stack, engine_view: Docker, run: Run, moment: str
) -> None:
    """The copy was stopped by then, or removed; a key that is left would stop the next `up`."""
    volume = f"{docker_stack.project}_redis-data"
    labels = {PROJECT_LABEL: docker_stack.project, "com.docker.compose.volume": "redis-data"}
    engine_view.api.volumes.create(volume, labels=labels)
    flags = _in_subfolder(engine_view, volume)
    run("--appendonly", "no", *flags, mounts={volume: {"bind": "/data"}})
    _fill(docker_stack)

    up = docker_stack.signalled(signal.SIGINT, moment, "redis", "up", "--verbose")
    _, said = up.communicate(timeout=60)

    assert up.returncode == 130
    assert b"Interrupted: what was begun is undone." in said
    _has_all(docker_stack)
    assert engine_view.names()["containers"] == [docker_stack.container]
    again = docker_stack("redis", "up")
    assert again.status == ExitStatus.OK, again.err
    _has_all(docker_stack)


def test_of_two_that_share_a_volume_either_can_be_gone_on_with(
    docker_stack: Stack, engine_view: Docker, run: Run
) -> None:
    """Both the volume and another folder in it hold keys; what is said to help does."""
    docker_stack("redis", "up")
    _fill(docker_stack)
    docker_stack("redis", "down")
    volume = f"{docker_stack.project}_redis-data"
    flags = _in_subfolder(engine_view, volume)
    run("--appendonly", "no", *flags, mounts={volume: {"bind": "/data"}})
    with _connected(docker_stack) as client:
        client.set("theirs", "1")

    up = docker_stack("redis", "up", "--json")
    assert up.status == ExitStatus.CONFLICT, up.err
    assert "holds keys of its own" in up.error["message"]
    _, command, _ = up.error["hint"].split("'", 2)
    docker, execute, name, *words = command.split()
    assert (docker, execute, name) == ("docker", "exec", docker_stack.container)
    assert engine_view.container().exec_run(words).exit_code == 0

    up = docker_stack("redis", "up")
    assert up.status == ExitStatus.OK, up.err
    with _connected(docker_stack) as client:
        assert client.keys() == [b"theirs"]
