"""The server of `pawsctl serve`, put together from its parts."""

import threading
from collections.abc import Callable, Iterator, Sequence

import msgspec

from pawsctl.config.bot_settings import BotSettings
from pawsctl.connection import Connection, Notice
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.web import app
from pawsctl.web.http import listen, run
from pawsctl.web.http.access import Access
from pawsctl.web.http.request_log import Entry, RequestLog
from pawsctl.web.metrics import figures
from pawsctl.web.metrics.figures import Figures
from pawsctl.web.metrics.shared_pass import SharedPass
from pawsctl.web.redis_access.redis_checks import RedisChecks

# A reply to a pass over all sessions, beside many requests, may take longer than one to a request.
_METRICS_SECONDS = 5.0


class Options(msgspec.Struct, frozen=True):
    """How to serve.

    `names` are further names of this server, `token` is the one for sessions, or empty. `seconds`
    is the time within which Redis answers, `metrics_every` the least time between two passes over
    it for metrics; `redis` is its URL without a password.
    """

    host: str
    port: int
    names: Sequence[str]
    token: str
    seconds: float
    redis: str
    keyspace: Keyspace
    metrics_every: float


def serve(
    connect: Callable[[float, Notice], Connection],
    bot: BotSettings,
    options: Options,
    write: Callable[[Entry], None],
    takes_more: Callable[[float], bool],
) -> None:
    """Serve until a signal comes.

    `connect` gets the seconds for a reply, and what takes sentences for the user. `write` and
    `takes_more` are those of a RequestLog.

    Raises Conflict if the port is taken, UsageError for a host that is not of this machine.
    """
    listeners = listen.sockets(options.host, options.port)
    is_masked = options.keyspace.mask is not None
    log = RequestLog(write, takes_more, frozenset(app.PATHS), hides_others=is_masked)
    hosts = [options.host, *(each.getsockname()[0] for each in listeners)]

    def for_requests() -> Connection:
        return connect(options.seconds, log.once)

    def for_metrics() -> Connection:
        return connect(max(options.seconds, _METRICS_SECONDS), log.once)

    redis = RedisChecks(for_requests, options.keyspace, options.seconds, log.event)

    def gathered() -> Figures:
        found = figures.gather(for_metrics, options.keyspace)
        if found.error:
            reason = options.keyspace.shown_sentence(found.error)
            log.once(f"/metrics has no figures of the sessions: {reason}")
        return found

    metrics = SharedPass(gathered, options.metrics_every)
    access = Access(hosts, options.names, options.token)

    def begin() -> None:
        places = " and ".join(map(listen.url, listeners))
        log.message(f"Listening on {places}, for Redis at {options.redis}.")
        for sentence in _shortcomings(bot, access, options):
            log.message(sentence)
        # The first request need not wait for the client library, which takes 0.2 s to load.
        threading.Thread(target=_try, args=(redis, log), daemon=True).start()

    try:
        run.until_signalled(
            app.build(redis, metrics, bot, access, log), listeners, log, begin=begin
        )
    finally:
        log.close()


def _shortcomings(bot: BotSettings, access: Access, options: Options) -> Iterator[str]:
    """Yield sentences on what will not be answered as the bot would, and why."""
    if bot.missing:
        is_well = bot.configured["anthropic"] and bot.configured["database"]
        effect = "" if is_well else ": /api/health answers 503, as the bot does without them"
        yield f"Not set: {', '.join(bot.missing)}{effect}."
    if bot.is_development and not access.is_local and not options.token:
        yield "POST /api/health is refused: set PAWSCTL_SERVE_TOKEN to have it answered."


def _try(redis: RedisChecks, log: RequestLog) -> None:
    found = redis.answer_now()
    if not found.is_up:
        log.event(f"Redis does not answer yet: {found.reason}")
