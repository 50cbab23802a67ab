"""The layers that `pawsctl doctor` checks: where it stops, what it names, what it leaves alone."""

import os
import socket
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from pawsctl.config.redis_url import parse
from pawsctl.errors import ExitStatus
from pawsctl.stack.project import layout
from pawsctl.workflows.doctor import check_network
from tests import certificates, embedded_servers, servers, strangers
from tests.certificates import Certificates
from tests.cli_runner import Pawsctl, Result
from tests.ports import free_port
from tests.processes import wait_until
from tests.servers import Server
from tests.stack_fixtures import Stack
from tests.topology_fixtures import TOPOLOGIES, Topology, port_of


def names(result: Result) -> list[str]:
    """Return the findings' names in order."""
    return [each["name"] for each in result.json["findings"]]


def found(result: Result, name: str) -> dict[str, str]:
    """Return the one finding of exactly that name."""
    (finding,) = [each for each in result.json["findings"] if each["name"] == name]
    return dict(finding)


def ends_at(result: Result, name: str) -> dict[str, str]:
    """Assert that only this finding failed, with evidence and a hint, and all later are skipped."""
    assert result.status == ExitStatus.FAILED, result
    broken = [each for each in result.json["findings"] if each["state"] == "failed"]
    assert [each["name"] for each in broken] == [name]
    assert broken[0]["detail"]
    assert broken[0]["hint"]
    after = result.json["findings"][names(result).index(name) + 1 :]
    assert {each["state"] for each in after} <= {"skipped"}
    assert "sessions" not in names(result)
    return dict(broken[0])


def test_the_floors_are_in_order(embedded_stack: Stack) -> None:
    """From this machine up to the data; nothing is changed, and no file is written."""
    embedded_stack("redis", "up", env={"REDIS_PASSWORD": "x"})
    before = sorted(embedded_stack.folder.rglob("*"))
    result = embedded_stack("doctor", "--json", env={"REDIS_PASSWORD": "x"})
    assert result.status == ExitStatus.OK, result
    order = [name.split(" ")[-1] for name in names(result)]
    machine, way = ["disk", "port", "stack"], ["settings", "tcp", "login"]
    floors = [*machine, *way, "answers", "server", "sessions", "bot"]
    assert [each for each in order if each in floors] == floors
    assert sorted(embedded_stack.folder.rglob("*")) == before


def test_settings_from_a_pipe_are_not_read_twice(pawsctl: Pawsctl) -> None:
    """With `--env-file <(decrypt .env)`, a second read would never end."""
    pipe = pawsctl.folder / "pipe"
    os.mkfifo(pipe)
    process = pawsctl.start("doctor", "--json", "--env-file", str(pipe))
    pipe.write_text("REDIS_MAXMEMORY=99mb\n")
    out, err = process.communicate(timeout=60)
    assert process.returncode == ExitStatus.OK, err
    assert f"settings from {pipe}" in out.decode()


def test_a_free_port_and_a_stack_that_was_never_started(bare_pawsctl: Pawsctl) -> None:
    """The connection is not checked; no state directory is created."""
    port = str(free_port())
    result = bare_pawsctl("doctor", "--json", env={"REDIS_PORT": port})
    assert "pawsctl redis up" in ends_at(result, "stack")["hint"]
    assert "is free" in found(result, "port")["detail"]
    assert "tcp" not in names(result)
    assert not (bare_pawsctl.folder / "state").exists()


def test_a_server_that_was_killed_shows_its_last_words(embedded_stack: Stack) -> None:
    """The end of its log is shown, each line marked as such."""
    embedded_stack("redis", "up")
    with embedded_stack.client() as client:
        pid = client.info("server")["process_id"]
    embedded_servers.kill(psutil.Process(pid))
    result = embedded_stack("doctor", "--json")
    ended = ends_at(result, "process")
    assert "has ended" in ended["detail"]
    assert "Ready to accept connections" in ended["detail"]
    assert "redis start" in ended["hint"]
    assert "\n  | " in embedded_stack("doctor").text


def test_settings_that_an_up_would_carry_out_are_named(embedded_stack: Stack) -> None:
    """Each is named; a server that matches its settings has none."""
    embedded_stack("redis", "up")
    assert "drift" not in names(embedded_stack("doctor", "--json"))
    for env, what in (
        ({"REDIS_MAXMEMORY": "99mb"}, "maxmemory"),
        ({"REDIS_PASSWORD": "x"}, "pass"),
    ):
        result = embedded_stack("doctor", "--json", env=env)
        assert found(result, "drift")["state"] == "warning"
        assert what in found(result, "drift")["detail"]
        assert "redis up" in found(result, "drift")["hint"]


def test_who_holds_the_port_is_named(bare_pawsctl: Pawsctl) -> None:
    """The process is named with its pid, even if it does not speak Redis's protocol."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        env = {"REDIS_PORT": str(holder.getsockname()[1])}
        result = bare_pawsctl("doctor", "--json", "--timeout", "0.3", env=env)
    assert f"(process {os.getpid()})" in found(result, "port")["detail"]
    assert found(result, "port")["state"] == "warning"
    assert "REDIS_PORT" in found(result, "port")["hint"]
    ends_at(result, "redis")


def test_another_project_of_ours_is_named(embedded_stack: Stack) -> None:
    """The hint is the command that stops it."""
    embedded_stack("redis", "up")
    result = embedded_stack("doctor", "--json", env={"PAWSCTL_PROJECT": "pawsctl-test-other"})
    assert f"of the project '{embedded_stack.project}'" in found(result, "port")["detail"]
    hint = f"'PAWSCTL_PROJECT={embedded_stack.project} pawsctl redis stop'"
    assert hint in found(result, "port")["hint"]
    assert found(result, "stack")["state"] == "skipped"


def test_another_projects_topology_is_named(sentinels: Topology) -> None:
    """The hint stops the topology, of which one server has the port."""
    sentinels.up()
    env = {"PAWSCTL_PROJECT": "pawsctl-test-other", "REDIS_PORT": str(sentinels.port + 1)}
    port = found(sentinels("doctor", "--json", env=env), "port")
    assert f"of the project '{sentinels.project}'" in port["detail"]
    _, command, _ = port["hint"].split("'")
    project, _, words = command.partition(" pawsctl ")
    setting, _, value = project.partition("=")
    stop = sentinels(*words.split(), env={setting: value, "REDIS_PORT": env["REDIS_PORT"]})
    assert (stop.status, sentinels.processes()) == (0, [])


@pytest.mark.parametrize("engine", ["docker", "auto", "embedded"])
def test_a_redis_elsewhere_needs_nothing_of_this_machine(
    bare_pawsctl: Pawsctl, engine: str
) -> None:
    """Without Docker and a usable state directory, only the connection to it can fail."""
    env = {"PAWSCTL_ENGINE": engine, "DOCKER_HOST": "unix:///nowhere.sock"}
    url = "redis://no-such-host.invalid"
    with TemporaryDirectory() as folder:
        os.chown(folder, strangers.UID, strangers.UID)
        for state in ({}, {"XDG_STATE_HOME": folder}):
            result = bare_pawsctl("doctor", "--json", "--url", url, env=env | state)
            assert "no-such-host.invalid" in ends_at(result, "dns")["detail"]


@pytest.mark.parametrize("engine", ["docker", "auto"])
def test_a_redis_that_answers_needs_no_docker(pawsctl: Pawsctl, engine: str) -> None:
    """This holds whoever started it."""
    env = {"PAWSCTL_ENGINE": engine, "DOCKER_HOST": "unix:///nowhere.sock"}
    result = pawsctl("doctor", "--json", env=env)
    assert result.status == ExitStatus.OK, result
    assert found(result, "docker")["state"] == "skipped"
    assert found(result, "sessions")["state"] == "ok"


def test_a_docker_that_does_not_answer_is_the_first_floor(asking: Stack) -> None:
    """Its endpoint is named; checks that depend on it are skipped."""
    result = asking("doctor", "--json", env={"DOCKER_HOST": "unix:///nowhere.sock"})
    assert "unix:///nowhere.sock" in ends_at(result, "docker")["detail"]
    assert names(result)[0] == "docker"
    assert "port" not in names(result)


def test_settings_say_where_they_are_from_and_what_hides_what(
    pawsctl: Pawsctl, server: Server
) -> None:
    """A forgotten shell variable is the usual reason; values are not shown."""
    file = pawsctl.folder / ".env"
    file.write_bytes(b"# mine\r\nREDIS_URL=redis://:s3cret@127.0.0.1:1\r\n")
    result = pawsctl("doctor", "--json", env={"REDIS_PORT": ""})
    detail = found(result, "settings")["detail"]
    assert f"settings from {file}" in detail
    assert f"REDIS_URL in the environment hides that of {file}:2" in detail
    assert "CR LF" in found(result, "line ends")["detail"]
    assert f"sed -i 's/\\r$//' {file}" in found(result, "line ends")["hint"]
    assert "s3cret" not in result.out.decode()
    file.chmod(0o666)
    result = pawsctl("doctor", "--json", "--env-file", str(file))
    assert "everybody may write" in found(result, "trust")["detail"]


def test_a_port_where_nobody_listens_and_a_socket_that_is_none(bare_pawsctl: Pawsctl) -> None:
    """A refused port ends at `tcp`, a missing socket at `socket`."""
    port = free_port()
    refused = bare_pawsctl(
        "doctor", "--json", "--url", f"redis://127.0.0.2:{port}", env={"REDIS_PORT": ""}
    )
    assert "refused" in ends_at(refused, "tcp")["detail"]
    missing = bare_pawsctl("doctor", "--json", "--url", "unix:///nowhere.sock")
    assert "no such file" in ends_at(missing, "socket")["detail"]


def test_an_option_names_no_redis_that_up_would_start(bare_pawsctl: Pawsctl) -> None:
    """`redis up` takes no --url, so that it would not help."""
    url = f"redis://127.0.0.1:{free_port()}"
    told = bare_pawsctl("doctor", "--json", "--url", url, env={"REDIS_PORT": str(free_port())})
    assert "refused" in ends_at(told, "tcp")["detail"]
    assert "redis up" not in told.text


def test_checks_that_were_not_made_are_no_failures(pawsctl: Pawsctl, server: Server) -> None:
    """They are counted as what was not looked at."""
    server.client.execute_command("CONFIG", "SET", "replica-serve-stale-data", "no")
    server.client.replicaof("127.0.0.1", "1")
    try:
        told = pawsctl("doctor", "--json")
    finally:
        server.client.replicaof("NO", "ONE")
        server.client.execute_command("CONFIG", "SET", "replica-serve-stale-data", "yes")
    states = {each["name"].split()[-1]: each["state"] for each in told.json["findings"]}
    assert (states["answers"], states["read"], states["writes"]) == ("failed", *["skipped"] * 2)


def test_of_several_addresses_one_is_enough(server: Server) -> None:
    """The others are named."""
    url = f"redis+cluster://127.0.0.1:{free_port()},127.0.0.1:{server.port}"
    (finding,) = check_network.examine(parse(url, origin="x"))
    assert (finding.name, finding.state) == ("tcp", "warning")
    assert "refused" in finding.detail


def test_tls_is_a_floor_of_its_own(bare_pawsctl: Pawsctl, server: Server, tmp_path: Path) -> None:
    """It reports the trusted authority, and whether the server speaks TLS at all."""
    signed = Certificates(tmp_path)
    with certificates.tls_server(signed) as secure:
        url = f"rediss://127.0.0.1:{secure.port}"
        unknown = bare_pawsctl("doctor", "--json", "--url", url)
        known = bare_pawsctl("doctor", "--json", "--url", f"{url}{signed.query}")
    assert "self-signed" in ends_at(unknown, "tls")["detail"].replace("self signed", "self-signed")
    assert "ssl_ca_certs" in found(unknown, "tls")["hint"]
    assert found(known, "tls")["detail"].endswith("ends in 1 day")
    plain = bare_pawsctl("doctor", "--json", "--url", f"rediss://127.0.0.1:{server.port}")
    assert "redis://" in ends_at(plain, "tls")["hint"]


def test_a_login_that_is_refused_is_a_floor(bare_pawsctl: Pawsctl, server: Server) -> None:
    """Server and data are not checked then."""
    server.client.config_set("requirepass", "right")
    try:
        url = f"redis://:wrong@127.0.0.1:{server.port}"
        result = bare_pawsctl("doctor", "--json", "--url", url)
    finally:
        server.client.config_set("requirepass", "")
    ends_at(result, "login")
    assert "wrong" not in ends_at(result, "login")["detail"].replace("is wrong", "")


def test_the_servers_version_and_its_disk_are_told(tmp_path: Path) -> None:
    """A failed snapshot is a warning, refused writes are a failure."""
    folder = tmp_path / "data"
    folder.mkdir()
    with servers.running(folder) as server:
        pawsctl = Pawsctl(tmp_path, server.url)
        address = f"127.0.0.1:{server.port}"
        detail = found(pawsctl("doctor", "--json"), f"{address} server")["detail"]
        assert detail.startswith("valkey ")
        (folder / "dump.rdb").mkdir()
        server.client.config_set("save", "3600 1")
        server.client.bgsave()
        wait_until(
            lambda: server.client.info("persistence")["rdb_last_bgsave_status"] == "err",
            "the snapshot has failed",
        )
        result = pawsctl("doctor", "--json")
    assert found(result, f"{address} takes writes")["state"] == "failed"
    assert "snapshot failed" in found(result, f"{address} server")["detail"]
    assert found(result, "sessions")["state"] == "ok"


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="this system has no /proc")
def test_room_for_our_own_data_is_not_made_in_docker(bare_pawsctl: Pawsctl) -> None:
    """Nor is anything offered that removes stopped containers, which may hold data."""
    result = bare_pawsctl("doctor", "--json", env={"XDG_STATE_HOME": "/proc/none"})
    disk = found(result, "disk")
    assert (disk["state"], disk["detail"]) == ("failed", "0.0 GB are free at /proc")
    assert "docker" not in disk["hint"]


@pytest.mark.slow
@pytest.mark.parametrize("name", TOPOLOGIES)
def test_a_topology_of_ours_is_the_floor_below_its_url(
    tmp_path: Path, name: layout.Topology
) -> None:
    """A missing node is reported; a topology that never ran is the failure."""
    topology = Topology(tmp_path, name, "embedded")
    topology.environment["REDIS_PASSWORD"] = "random"
    url = topology.run("status", "-o", "env").text.strip().partition("=")[2]
    never = topology("doctor", "--json", "--url", url)
    assert f"redis up --topology {name}" in ends_at(never, "stack")["hint"]
    try:
        topology.up()
        whole = topology("doctor", "--json", "--url", url, "--bundle", "all.tar.gz")
        with tarfile.open(tmp_path / "all.tar.gz") as archive:
            logs = [each for each in archive.getnames() if each.endswith(".log")]
        assert len(logs) == 6
        assert whole.status == ExitStatus.OK, whole
        assert found(whole, "stack")["detail"].endswith(f"the {name} is whole and takes writes")
        service = next(each for each, role in topology.roles().items() if role == "replica")
        rows = topology.status()["services"]
        topology.kill(next(port_of(each) for each in rows if each["service"] == service))
        torn = topology("doctor", "--json", "--url", url)
    finally:
        topology.run("down", "--volumes", "--yes")
    assert service in found(torn, "stack")["detail"]
    assert found(torn, "stack")["state"] == "warning"
    assert found(torn, "process")["state"] == "warning"
