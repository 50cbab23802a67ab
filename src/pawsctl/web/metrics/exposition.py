"""The figures of a pass as Prometheus reads them."""

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from pawsctl.server.node_state import NodeState
from pawsctl.sessions.stats.counts import Counts
from pawsctl.web.metrics.figures import Figures


class Exposition:
    """A collector for prometheus_client.

    `is_up` says whether Redis answers now; `figures` is None if it does not, since those of the
    past would mislead, or if the pass has not ended in time.
    """

    def __init__(self, figures: Figures | None, errors: int, *, is_up: bool) -> None:
        self._is_up = is_up
        self._figures = figures
        self._errors = errors

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        found = self._figures
        yield _gauge("pawsctl_redis_up", "Whether every primary of Redis answers.", self._is_up)
        yield _counter("pawsctl_scrape_errors", "Scrapes that could not ask Redis.", self._errors)
        is_whole = found is not None and found.sessions is not None and found.sessions.is_whole
        yield _gauge(
            "pawsctl_scrape_complete", "Whether the last pass has seen every session.", is_whole
        )
        if found is None:
            return
        yield _gauge(
            "pawsctl_scrape_duration_seconds", "How long the last pass took.", found.seconds
        )
        yield _gauge("pawsctl_scrape_timestamp_seconds", "When the last pass began.", found.begun)
        checks = GaugeMetricFamily(
            "pawsctl_redis_check_ok",
            "Whether Redis answers, may be read, takes writes, serves all slots and can fail over.",
            labels=["check"],
        )
        for kind, is_ok in found.checks.items():
            checks.add_metric([kind], is_ok)
        yield checks
        yield from _of_nodes(found.nodes)
        if found.sessions is not None:
            yield from _of_sessions(found.sessions)


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, value=value)


def _counter(name: str, about: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(name, about, value=value)


# The field of a NodeState → the metric's name and meaning.
_NODES = {
    "memory_used": ("pawsctl_redis_memory_used_bytes", "Memory that Redis uses."),
    "memory_limit": ("pawsctl_redis_memory_limit_bytes", "Its limit; 0 is none."),
    "clients": ("pawsctl_redis_connected_clients", "Connected clients."),
    "replicas": ("pawsctl_redis_replicas", "Replicas that are connected."),
    "replicas_online": ("pawsctl_redis_replicas_online", "Replicas that follow."),
    "replica_lag": ("pawsctl_redis_replica_lag_bytes", "Bytes that the last replica is behind."),
    "is_linked": ("pawsctl_redis_primary_link_up", "Whether a replica has its primary."),
}
_NODE_COUNTERS = {
    "evicted": ("pawsctl_redis_evicted_keys", "Keys that were evicted for want of memory."),
    "expired": ("pawsctl_redis_expired_keys", "Keys that have expired."),
}


def _of_nodes(nodes: list[NodeState]) -> Iterator[Metric]:
    for family, metrics in ((GaugeMetricFamily, _NODES), (CounterMetricFamily, _NODE_COUNTERS)):
        for field, (name, about) in metrics.items():
            metric = family(name, about, labels=["node"])
            for node in nodes:
                value = getattr(node, field)
                if value is not None:
                    metric.add_metric([node.node], float(value))
            if metric.samples:
                yield metric


def _of_sessions(found: Counts) -> Iterator[Metric]:
    yield _gauge("pawsctl_sessions", "Sessions.", found.sessions)
    statuses = GaugeMetricFamily(
        "pawsctl_sessions_by_status", "Sessions by their status.", labels=["status"]
    )
    for status, sessions in found.by_status.items():
        statuses.add_metric([status], sessions)
    yield statuses
    problems = GaugeMetricFamily(
        "pawsctl_sessions_by_problem", "Sessions that break a rule of lint.", labels=["rule"]
    )
    for rule, sessions in found.by_rule.items():
        problems.add_metric([rule], sessions)
    yield problems
    yield _gauge("pawsctl_sessions_unsound", "Sessions that break a rule or more.", found.unsound)
    yield _gauge(
        "pawsctl_sessions_stuck", "Conversations that the bot can't answer any more.", found.stuck
    )
    yield _gauge("pawsctl_sessions_waiting", "Customers who wait for an answer.", found.waiting)
    yield _gauge(
        "pawsctl_oldest_wait_seconds", "The longest wait; 0 if nobody waits.", found.oldest_wait
    )
    yield _gauge("pawsctl_sessions_without_ttl", "Sessions that never expire.", found.without_ttl)
    total = accumulate(sessions for _, sessions in found.ttls)
    yield HistogramMetricFamily(
        "pawsctl_session_ttl_seconds",
        "The time that sessions have left now; those that never expire are not in it.",
        buckets=[
            ("+Inf" if bound is None else f"{float(bound)}", sessions)
            for (bound, _), sessions in zip(found.ttls, total, strict=True)
        ],
        sum_value=found.ttl_sum,
    )
