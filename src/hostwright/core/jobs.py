"""Jobs: typed handles, and `enqueue`, which puts one into the queue through the caller's transaction.

Web processes need nothing but this module: the queue's library lives in `core.work`, which only the worker imports.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from hostwright.core.clock import Clock
from hostwright.core.db import Database, Scalar, Tx

if TYPE_CHECKING:
    from hostwright.core.events import Subscription

MAX_PAYLOAD_BYTES: Final = 65_536
MAX_ATTEMPTS: Final = 8

insert_job = Scalar(
    int,
    """
    insert into pgqueuer (priority, entrypoint, payload, execute_after, dedupe_key, status)
    values ($1, $2, $3, coalesce($4::timestamptz, now()), $5, 'queued')
    on conflict do nothing returning id
    """,
)


class Job[P: msgspec.Struct]:
    """A kind of work: its stable name (``feature.verb``), its payload, and how often it is begun at most."""

    __slots__ = ("max_attempts", "name", "payload")

    def __init__(self, name: str, payload: type[P], *, max_attempts: int = MAX_ATTEMPTS) -> None:
        self.name = name
        self.payload = payload
        self.max_attempts = max_attempts


class Work(msgspec.Struct, frozen=True):
    """What a running job has. ``attempt`` counts from 1, killed workers included; take connections of ``database``."""

    database: Database
    clock: Clock
    attempt: int
    job_id: int


class Retry(Exception):
    """Raised by a job to be run again after so many seconds. It counts as an attempt; staff see ``reason``."""

    def __init__(self, after: float, reason: str) -> None:
        self.after = after
        self.reason = reason
        super().__init__(reason)


class JobBinding(msgspec.Struct, frozen=True):
    """A job and the function that does it. ``on_dead`` runs in the transaction that gives the job up."""

    job: Job[Any]
    handler: Callable[[Work, Any], Awaitable[None]]
    on_dead: Callable[[Tx, Any, str], Awaitable[None]] | None = None


class Schedule(msgspec.Struct, frozen=True):
    """A job that is put into the queue at the times of ``cron`` (UTC; a sixth field counts seconds)."""

    cron: str
    job: Job[Any]
    payload: msgspec.Struct

    @property
    def name(self) -> str:
        """What the table of schedules calls it."""
        return f"{self.job.name} {self.cron}"


class WorkPart(msgspec.Struct, frozen=True):
    """What a feature gives the worker to do."""

    bindings: list[JobBinding] = []
    schedules: list[Schedule] = []
    subscriptions: list[Subscription] = []


def runs[P: msgspec.Struct](
    job: Job[P],
    handler: Callable[[Work, P], Awaitable[None]],
    *,
    on_dead: Callable[[Tx, P, str], Awaitable[None]] | None = None,
) -> JobBinding:
    """Bind a job to the function that does it. The function must be safe to run twice."""
    return JobBinding(job, handler, on_dead)


def every[P: msgspec.Struct](cron: str, job: Job[P], payload: P) -> Schedule:
    """Run a job at the times of a cron line; skipped while the one before still waits or runs."""
    return Schedule(cron, job, payload)


async def enqueue[P: msgspec.Struct](
    tx: Tx,
    job: Job[P],
    payload: P,
    *,
    key: str | None = None,
    run_at: datetime | None = None,
    priority: int = 0,
) -> bool:
    """Put a job into the queue; it exists when ``tx`` commits. False: one with this ``key`` waits or runs already.

    A key is held until its job is done. Higher priorities go first. Raises `ValueError` for a payload over 64 kB.
    """
    data = msgspec.json.encode(payload)
    if len(data) > MAX_PAYLOAD_BYTES:
        message = f"the payload of {job.name} has {len(data)} bytes; send ids, not data"
        raise ValueError(message)
    full_key = None if key is None else f"{job.name}:{key}"
    return await insert_job.maybe(tx, priority, job.name, data, run_at, full_key) is not None
