"""The bars, one function each. Every function leaves the store seeded, as it found it."""

import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Pair, Run, Work, environment, pair, processor, run, wall
from benchmarks.redis_server import Cluster, Store, free_port, seconds_of
from benchmarks.report import Report
from pawsctl.connection.scan.one_server import VALUES

HERE = Path(__file__).parent
PATTERN = "wh:session:*"
MEGABYTE = 1 << 20
# Three in ten of the sessions that are seeded say it.
SAID = "comiendo"


@dataclass(frozen=True)
class Scale:
    """The numbers of sessions and of runs to measure with."""

    sessions: int
    few: int
    many: int
    times: int
    starts: int
    watched: float

    def bar(self, value: float) -> float | None:
        """Return a bar for work that is long only with all sessions: else its start is measured."""
        return value if self == Scale.full() else None

    @classmethod
    def full(cls) -> "Scale":
        """Return the scale that RESULTS.md is made with."""
        return cls(sessions=300_000, few=10_000, many=1_000_000, times=5, starts=15, watched=120)

    @classmethod
    def quick(cls) -> "Scale":
        """Return the scale for people at work: a tenth of the sessions, and three runs of each."""
        return cls(sessions=30_000, few=1_000, many=100_000, times=3, starts=5, watched=10)


def paws(store: Store, *arguments: str, stdin: Path | None = None) -> Work:
    """Return a pawsctl command on the store."""
    program = [str(Path(sys.executable).with_name("pawsctl"))]
    return Work(" ".join(arguments), [*program, *arguments], {"REDIS_URL": store.url}, stdin=stdin)


def python(code: str) -> Work:
    """Return a line of Python to run in the same environment."""
    return Work(code, [sys.executable, "-c", code], {})


def shell(store: Store, line: str) -> Work:
    """Return a line of shell in which $PORT is the store's."""
    return Work(line, ["sh", "-c", line], {"PORT": str(store.port)})


def start_up(store: Store, scale: Scale, report: Report) -> None:
    """Measure a short command against the imports that it needs."""
    plain = python(f"import redis; redis.Redis(port={store.port}).get('wh:session:+123')")
    found = pair(paws(store, "session", "get", "+123"), plain, times=scale.starts)
    report.compare("`session get +123`", found, "`redis.Redis().get`", 1.25)
    bare = python("import typer")
    completion = paws(store)
    completion.environment.update(
        _PAWSCTL_COMPLETE="complete_bash", COMP_WORDS="pawsctl session ", COMP_CWORD="2"
    )
    found = pair(completion, bare, times=scale.starts)
    report.compare("completion of `pawsctl session `", found, "`import typer`", 1.6)
    found = pair(paws(store, "--help"), bare, times=scale.starts)
    report.compare("`pawsctl --help`", found, "`import typer`", 2)


def docker_up(store: Store, scale: Scale, report: Report) -> None:
    """Measure `redis up` against `docker compose up --wait`, both from nothing."""
    compose = _compose()
    if compose is None or not _engine_answers():
        report.note("`redis up` was not compared: no Docker Engine answered.")
        return
    environment = {
        "PAWSCTL_PROJECT": "pawsctl-test-bench",
        "PAWSCTL_ENGINE": "docker",
        "REDIS_PORT": str(free_port()),
    }
    file = str(HERE.parent / "compose" / "compose.yaml")

    def down() -> None:
        run(Work("down", [compose, "-f", file, "down", "--volumes"], environment))

    up = paws(store, "redis", "up")
    first = Work(up.name, up.command, environment, prepare=down)
    second = Work(
        "compose", [compose, "-f", file, "up", "-d", "--wait", "redis"], environment, prepare=down
    )
    found = pair(first, second, times=min(3, scale.times), warm_up=0, of=wall)
    down()
    report.compare("`redis up`", found, "`docker compose up -d --wait redis`", 0.25)


def _engine_answers() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    return not subprocess.run([docker, "version"], capture_output=True, check=False).returncode


def _compose() -> str | None:
    from importlib.util import find_spec

    spec = find_spec("compose")
    if spec is None or spec.origin is None:
        return None
    return str(Path(spec.origin).with_name("docker-compose"))


def seeding(store: Store, scale: Scale, report: Report) -> None:
    """Measure how fast test data is written; all later cases use it."""
    rate = store.seed(scale.sessions)
    report.add(
        f"`session seed {scale.sessions}`", f"{rate:,.0f} a second", "", "", "≥ 50,000 a second",
        holds=rate >= 50_000,
    )  # fmt: skip


def listing(store: Store, scale: Scale, report: Report) -> None:
    """Measure a list of everything against scripts that do all of its work, and less."""
    port = str(store.port)
    work = paws(store, "session", "list", "-o", "jsonl")
    for name, command, bar in (
        ("a tight script that does the list's work", ["tight", port, str(VALUES)], scale.bar(1.1)),
        ("a script that only decodes", ["floor", port], None),
        ("a script that does not decode messages", ["floor", port, "count"], None),
    ):
        script, *rest = command
        least = Work(name, [sys.executable, "-m", f"benchmarks.{script}", *rest], {})
        report.compare("`session list -o jsonl`", pair(work, least, times=scale.times), name, bar)


def formats(store: Store, scale: Scale, report: Report) -> None:
    """Measure other outputs of all sessions against JSON lines."""
    lines = paws(store, "session", "list", "-o", "jsonl")
    for arguments, bar in (
        (("list", "-o", "text"), 1.4),
        (("list", "-o", "csv"), 1.25),
        (("list", "-o", "jsonl", "--grep", SAID), 1.1),
        (("stats",), 1.1),
        (("lint",), None),
    ):
        work = paws(store, "session", *arguments)
        found = pair(work, lines, times=scale.times)
        report.compare(f"`{work.name}`", found, "`session list -o jsonl`", bar)


def verifying(store: Store, scale: Scale, report: Report) -> None:
    """Measure the proof of an archive against its export."""
    archive = str(store.folder / "verified.jsonl")
    export = paws(store, "session", "export", archive, "--force")
    run(export)
    found = pair(paws(store, "session", "verify", archive), export, times=scale.times)
    report.compare("`session verify`, its server included", found, "`session export`", 2)


def expiry(store: Store, scale: Scale, report: Report) -> None:
    """Measure the overview of expiry against a mere listing of the keys."""
    scan = shell(store, f"redis-cli -p $PORT --scan --pattern '{PATTERN}' >/dev/null")
    found = pair(paws(store, "session", "ttl"), scan, times=scale.times, of=wall)
    report.compare("`session ttl`", found, "`redis-cli --scan`", scale.bar(1))


def flushing(store: Store, scale: Scale, report: Report) -> None:
    """Measure the deletion of everything against the server's own processor time for it.

    Without a backup: with one, it is an export and a deletion.

    The shell line that people use is shown beside it.
    """
    flush = paws(store, "session", "flush", "--yes", "--no-backup")
    times = min(3, scale.times)
    ours, servers = [], []
    for _ in range(times):
        store.restore()
        before = store.processor_seconds()
        ours.append(run(flush))
        alone = store.processor_seconds() - before
        servers.append(Run(alone, alone, 0))
    for of in (processor, wall):
        report.compare(
            "`session flush --yes --no-backup`",
            Pair(ours, servers, of),
            "the server's processor time",
            scale.bar(1.5),
        )
    line = (
        f"redis-cli -p $PORT --scan --pattern '{PATTERN}' "
        "| xargs -n 1000 redis-cli -p $PORT unlink >/dev/null"
    )
    other = shell(store, line)
    found = pair(
        Work(flush.name, flush.command, flush.environment, prepare=store.restore),
        Work(other.name, other.command, other.environment, prepare=store.restore),
        times=times,
        warm_up=0,
        of=wall,
    )
    report.compare(
        "`session flush --yes --no-backup`",
        found,
        "`redis-cli --scan \\| xargs`",
        None,
        wanted="as fast",
    )
    store.restore()


def archives(store: Store, scale: Scale, report: Report) -> None:
    """Measure export and import against npm's redis-dump and redis-cli."""
    dump = _redis_dump(store.folder)
    if dump is None:
        report.note("Export and import were not compared: npm's redis-dump is not to be had.")
        return
    ours, theirs = store.folder / "sessions.jsonl", store.folder / "dump.txt"
    found = pair(
        paws(store, "session", "export", str(ours), "--force"),
        shell(store, f"'{dump}' -p $PORT -f '{PATTERN}' >'{theirs}'"),
        times=min(3, scale.times),
        warm_up=0,
        of=wall,
    )
    report.compare("`session export`", found, "`redis-dump`", 5, wanted="as fast")

    def empty() -> None:
        store.call("FLUSHALL")

    load = paws(store, "session", "import", str(ours))
    feed = shell(store, f"redis-cli -p $PORT <'{theirs}' >/dev/null")
    # Once: redis-cli takes half a minute.
    found = pair(
        Work(load.name, load.command, load.environment, prepare=empty),
        Work(feed.name, feed.command, feed.environment, prepare=empty),
        times=1,
        warm_up=0,
        of=wall,
    )
    store.restore()
    report.compare("`session import`", found, "`redis-cli <dump`", 5, wanted="as fast")


def _redis_dump(folder: Path) -> str | None:
    npm = shutil.which("npm")
    if npm is None:
        return None
    home = folder / "npm"
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [npm, "install", "--prefix", str(home), "redis-dump@0.1.10"],
        capture_output=True,
        check=False,
    )
    program = home / "node_modules" / ".bin" / "redis-dump"
    return str(program) if done.returncode == 0 else None


def latency(store: Store, scale: Scale, report: Report) -> None:
    """Measure the latency of another client while pawsctl lists everything."""
    reader = [sys.executable, str(HERE / "latency.py"), str(store.port)]
    idle, busy = [], []
    for _ in range(scale.times):
        idle.append(_p99(subprocess.run([*reader, "2"], capture_output=True, check=True).stdout))
        # Run lists for as long as the other client measures.
        measuring = subprocess.Popen([*reader, "2"], stdout=subprocess.PIPE)
        while measuring.poll() is None:
            run(paws(store, "session", "list", "-o", "jsonl"))
        busy.append(_p99(measuring.communicate()[0]))
    ratio = statistics.median(one / other for one, other in zip(busy, idle, strict=True))
    report.add(
        "p99 of another client's GET meanwhile",
        f"{statistics.median(busy):.0f} µs",
        f"idle: {statistics.median(idle):.0f} µs",
        f"{ratio:.2f}",
        "≤ 3",
        holds=ratio <= 3,
    )


def _p99(printed: bytes) -> float:
    return float(printed.split()[1])


def memory(store: Store, scale: Scale, report: Report) -> None:
    """Measure how much more memory each command takes for many sessions than for few."""
    archive = store.folder / "memory.jsonl"

    def held() -> dict[str, int]:
        """Return the peak of each command; import comes last, into an empty Redis."""
        peaks = {}
        for arguments in (
            ("session", "list", "-o", "jsonl"),
            ("session", "ttl"),
            ("session", "export", str(archive), "--force"),
            ("session", "flush", "--yes", "--no-backup"),
            ("session", "import", str(archive)),
        ):
            peaks[arguments[1]] = run(paws(store, *arguments)).memory
        return peaks

    store.seed(scale.few)
    few = held()
    for count, bar in ((scale.sessions, 40), (scale.many, 40)):
        store.seed(count)
        for name, peak in held().items():
            more = (peak - few[name]) / MEGABYTE
            report.add(
                f"memory of `session {name}` at {count:,}",
                f"{peak / MEGABYTE:.0f} MB",
                f"at {scale.few:,}: {few[name] / MEGABYTE:.0f} MB",
                f"+{more:.0f} MB",
                f"≤ {bar} MB more",
                holds=more <= bar,
            )
    store.seed(scale.sessions)


def cluster(store: Store, scale: Scale, report: Report) -> None:
    """Measure a list of three primaries against a single server, and the processor time of each."""
    shape = Cluster(store.folder, "pawsctl-bench")
    shape.up()
    try:
        run(shape.work("session", "seed", str(scale.sessions)))
        many = shape.work("session", "list", "-o", "jsonl")
        single = paws(store, "session", "list", "-o", "jsonl")
        found = pair(many, single, times=scale.times, of=wall)
        report.compare("`session list`, 3 primaries", found, "one server", None)
        one = [_work_of(single, store.processor_seconds) for _ in range(scale.times)]
        three = [_work_of(many, shape.processor_seconds) for _ in range(scale.times)]
    finally:
        shape.down()
    sides = [
        f"{name}: {statistics.median(client for client, _ in times):.2f} s of pawsctl, "
        f"{statistics.median(server for _, server in times):.2f} s of the servers"
        for name, times in (("one server", one), ("three primaries", three))
    ]
    report.note(
        "Processor time of a list, side by side. "
        + "; ".join(sides)
        + ". More primaries share the "
        "servers' part between them, and pawsctl's own stays: where that is the larger, on two "
        "cores, the list can't become quicker."
    )


def _work_of(work: Work, server_seconds: Callable[[], float]) -> tuple[float, float]:
    """Return the processor seconds of a command, and those of the servers meanwhile."""
    before = server_seconds()
    return run(work).cpu, server_seconds() - before


def watching(store: Store, scale: Scale, report: Report) -> None:
    """Measure what following many sessions costs this machine, client and server together."""
    store.seed(scale.many)
    command = paws(store, "session", "watch", "-o", "jsonl")
    process = subprocess.Popen(
        list(command.command),
        env=environment() | command.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        # The first poll also reads the sessions that are followed.
        time.sleep(scale.watched / 2)
        before = store.processor_seconds() + seconds_of(process.pid)
        time.sleep(scale.watched)
        used = store.processor_seconds() + seconds_of(process.pid) - before
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    share = used / scale.watched
    report.add(
        f"`session watch` of {scale.many:,}",
        f"{share:.2f} of a core",
        "",
        "",
        "≤ 0.25 of a core",
        holds=share <= 0.25 and (scale.many < 1_000_000 or b"ne in 16 is followed" in said),
        kind="processor",
    )
    store.seed(scale.sessions)


ALL: tuple[Callable[[Store, Scale, Report], None], ...] = (
    # First: a process's peak counts what the one that starts it held, and this one grows.
    memory,
    start_up,
    docker_up,
    seeding,
    listing,
    formats,
    verifying,
    expiry,
    flushing,
    archives,
    latency,
    cluster,
    watching,
)
QUICK = (start_up, seeding, listing, formats, verifying, expiry, flushing)
"""The cases that take a minute together, with fewer sessions."""
