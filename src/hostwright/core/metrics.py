"""Prometheus metrics of this process, and of the workers, which leave theirs in the database for others to show."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from hostwright.core import queue
from hostwright.core.db import Db, Query

REGISTRY: Final = CollectorRegistry()
REQUEST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
JOB_BUCKETS: Final = (0.01, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0)
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_requests = Histogram(
    "hostwright_http_request_seconds",
    "Answered requests by route template and class of status.",
    ("method", "route", "status"),
    registry=REGISTRY,
    buckets=REQUEST_BUCKETS,
)
_jobs = Histogram(
    "hostwright_job_seconds",
    "Jobs that ran, by outcome: done, retried, dead, stopped.",
    ("job", "outcome"),
    registry=REGISTRY,
    buckets=JOB_BUCKETS,
)
_upstream = Histogram(
    "hostwright_upstream_call_seconds",
    "Calls to vendors by outcome.",
    ("vendor", "operation", "outcome"),
    registry=REGISTRY,
    buckets=REQUEST_BUCKETS,
)
_live = Gauge("hostwright_live_subscribers", "Open event streams.", registry=REGISTRY)
_relays = Gauge("hostwright_open_relays", "Open consoles.", registry=REGISTRY)
_relayed = Counter(
    "hostwright_relayed_bytes", "Bytes of consoles: up to servers, down to people.", ("direction",), registry=REGISTRY
)
_started = Counter("hostwright_process_starts", "Starts of this process's role.", registry=REGISTRY)


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One number with its labels."""

    name: str
    labels: dict[str, str]
    value: float


class Family(msgspec.Struct, frozen=True, array_like=True):
    """Samples under one name."""

    name: str
    kind: str
    help: str
    samples: list[Sample]


class _Stored(msgspec.Struct, frozen=True):
    process: str
    metrics: list[Family]


type Source = Callable[[Db], Awaitable[Sequence[tuple[Mapping[str, str], float]]]]

_sources: dict[str, tuple[str, Source]] = {}

stored = Query(
    _Stored,
    """
    select left(id::text, 8) as process, metrics from workers
    where metrics is not null and seen_at > now() - interval '1 minute' order by id
    """,
)


def start() -> None:
    """Count the start of this process."""
    _started.inc()


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """One answered request; ``route`` is the template, never the path."""
    _requests.labels(method if method in METHODS else "other", route, f"{status // 100}xx").observe(seconds)


def observe_job(name: str, outcome: str, seconds: float) -> None:
    """One run of a job."""
    _jobs.labels(name, outcome).observe(seconds)


def observe_upstream(vendor: str, operation: str, outcome: str, seconds: float) -> None:
    """One call to a vendor; ``outcome`` is ``done`` or the code of the provider error."""
    _upstream.labels(vendor, operation, outcome).observe(seconds)


def live_subscribers(change: int) -> None:
    """An event stream was opened (+1) or closed (-1)."""
    _live.inc(change)


def open_relays(change: int) -> None:
    """A console was opened (+1) or closed (-1)."""
    _relays.inc(change)


def relay_counter(direction: Literal["up", "down"]) -> Callable[[float], None]:
    """Counts bytes of consoles; looked up once, since it is called for each chunk."""
    return _relayed.labels(direction).inc


def add_source(name: str, help_text: str, source: Source) -> None:
    """A gauge that is read from the database at each scrape, such as the age of each mirror. Few labels only."""
    _sources[name] = (help_text, source)


def snapshot() -> list[Family]:
    """Figures of this process in a form that can be stored."""
    return [
        Family(
            metric.name,
            metric.type,
            metric.documentation,
            [Sample(s.name, dict(s.labels), s.value) for s in metric.samples if not s.name.endswith("_created")],
        )
        for metric in REGISTRY.collect()
        if metric.samples
    ]


class _Fixed(Collector):
    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Sequence[Metric]:
        return self._metrics


def _gauge(name: str, help_text: str, rows: Sequence[tuple[Mapping[str, str], float]]) -> Metric:
    metric = Metric(name, help_text, "gauge")
    for labels, value in rows:
        metric.add_sample(name, dict(labels), value)
    return metric


async def _from_database(db: Db) -> list[Metric]:
    jobs = await queue.job_counts(db)
    waiting = [({"state": "queued"}, jobs.queued), ({"state": "running"}, jobs.running), ({"state": "dead"}, jobs.dead)]
    found = [_gauge("hostwright_queue_jobs", "Jobs by state.", [(labels, float(n)) for labels, n in waiting])]
    for name, (help_text, source) in sorted(_sources.items()):
        found.append(_gauge(name, help_text, await source(db)))
    return found


async def render(db: Db) -> bytes:
    """The text that Prometheus reads: this process, every worker (label ``process``), and what the database knows."""
    families: dict[str, Metric] = {metric.name: metric for metric in await _from_database(db)}
    sets: list[tuple[str, list[Family]]] = [("web", snapshot())]
    sets += [(row.process, row.metrics) for row in await stored.all(db)]
    for process, found in sets:
        for family in found:
            metric = families.setdefault(family.name, Metric(family.name, family.help, family.kind))
            for sample in family.samples:
                metric.add_sample(sample.name, {**sample.labels, "process": process}, sample.value)
    registry: Any = _Fixed([families[name] for name in sorted(families)])
    return generate_latest(registry)
