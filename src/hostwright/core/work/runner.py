"""One job from its start to its outcome. Knows nothing of the queue's library."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import asyncpg
import msgspec
import structlog

from hostwright.core import metrics, sentry
from hostwright.core.clock import Clock
from hostwright.core.db import Database
from hostwright.core.errors import AppError, Unavailable
from hostwright.core.jobs import JobBinding, Retry, Work
from hostwright.core.logs import error_text
from hostwright.core.providers import Ambiguous, ProviderError, Transient
from hostwright.core.work import queries

FIRST_DELAY: Final = 2.0
LONGEST_DELAY: Final = 600.0
DATABASE_DELAY: Final = 1.0
KILLED: Final = "The worker ended each time while it did this job."

# The last one is what asyncpg says when a connection is lost while a statement is prepared.
DATABASE_ERRORS: Final = (
    Unavailable,
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

log = structlog.get_logger(__name__)


class Taken(msgspec.Struct, frozen=True):
    """A job as it came out of the queue."""

    id: int
    name: str
    payload: bytes


class Again(msgspec.Struct, frozen=True):
    """The job has to be run again after so many seconds; ``reason`` holds no secrets."""

    after: float
    reason: str


def backoff(attempt: int, jitter: Callable[[], float] = random.random) -> float:
    """Seconds before the next attempt: exponential with full jitter, so that many failures do not come back at once."""
    return jitter() * min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempt - 1, 20))


def _wait_for(error: Exception, attempt: int) -> float:
    if isinstance(error, Retry):
        return max(0.0, error.after)
    if isinstance(error, ProviderError) and error.retry_after is not None:
        return max(error.retry_after, backoff(attempt))
    return backoff(attempt)


def _told(error: Exception) -> str:
    if isinstance(error, Retry):
        return error.reason
    if isinstance(error, ProviderError | AppError):
        return f"{error.code}: {error.message}"
    return error_text(error)


class Runner:
    """Runs jobs of one worker. ``stop`` ends those that still run; they go back to the queue."""

    def __init__(self, database: Database, clock: Clock, bindings: Mapping[str, JobBinding]) -> None:
        self._database = database
        self._clock = clock
        self._bindings = bindings
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped: set[asyncio.Task[None]] = set()

    def stop(self) -> int:
        """Cancel what runs; returns how many jobs that were."""
        for task in self._tasks:
            self._stopped.add(task)
            task.cancel()
        return len(self._tasks)

    async def run(self, taken: Taken) -> Again | None:
        """Do the job; None when it is finished or given up. Never raises but for a cancel from outside."""
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(job_id=taken.id, job=taken.name)
        binding = self._bindings[taken.name]
        began = time.perf_counter()
        outcome, again = "retried", None
        try:
            async with self._database.acquire() as db:
                attempt = await queries.count_start.value(db, taken.id, taken.name)
            if attempt > binding.job.max_attempts:
                outcome = "dead"
                await self._bury(binding, taken, attempt - 1, KILLED)
            else:
                outcome, again = await self._attempt(binding, taken, attempt)
        except DATABASE_ERRORS as error:
            log.warning("job.database_lost", error=error_text(error))
            again = Again(DATABASE_DELAY, error_text(error))
        metrics.observe_job(taken.name, outcome, time.perf_counter() - began)
        return again

    async def _attempt(self, binding: JobBinding, taken: Taken, attempt: int) -> tuple[str, Again | None]:
        work = Work(self._database, self._clock, attempt, taken.id)
        task = asyncio.create_task(self._perform(binding, work, taken.payload))
        self._tasks.add(task)
        try:
            await task
        except asyncio.CancelledError as error:
            me = asyncio.current_task()
            if task not in self._stopped and not (me and me.cancelling()):
                # The job's own doing. The queue's library would take a cancelled job for one to delete.
                return await self._failed(binding, taken, attempt, RuntimeError(f"cancelled itself: {error}"))
            task.cancel()
            return await self._given_back(taken)
        except Exception as error:  # noqa: BLE001  the edge of a job: whatever happens, the worker goes on
            return await self._failed(binding, taken, attempt, error)
        finally:
            self._tasks.discard(task)
            self._stopped.discard(task)
        async with self._database.transaction() as tx:
            await queries.finish_job.run(tx, taken.id)
        return "done", None

    @staticmethod
    async def _perform(binding: JobBinding, work: Work, payload: bytes) -> None:
        with sentry.job(binding.job.name):
            await binding.handler(work, msgspec.json.decode(payload, type=binding.job.payload))

    async def _given_back(self, taken: Taken) -> tuple[str, Again]:
        """The worker stops: that was not the job's fault and does not count."""
        log.info("job.given_back")
        async with self._database.transaction() as tx:
            await queries.take_start_back.run(tx, taken.id)
        return "stopped", Again(0.0, "the worker stopped")

    async def _failed(
        self, binding: JobBinding, taken: Taken, attempt: int, error: Exception
    ) -> tuple[str, Again | None]:
        expected = isinstance(error, Retry | Transient | Ambiguous | Unavailable)
        told = _told(error)
        if not expected:
            sentry.capture(error, taken.name)
        if attempt >= binding.job.max_attempts:
            log.error("job.dead", attempt=attempt, error=told, exc_info=None if expected else error)
            await self._bury(binding, taken, attempt, told)
            return "dead", None
        again = Again(_wait_for(error, attempt), told)
        log.warning(
            "job.failed",
            attempt=attempt,
            again_in=round(again.after, 1),
            error=told,
            exc_info=None if expected else error,
        )
        return "retried", again

    async def _bury(self, binding: JobBinding, taken: Taken, attempts: int, error: str) -> None:
        """Out of the queue and among the dead in one transaction."""
        try:
            payload: Any = msgspec.json.decode(taken.payload)
        except msgspec.DecodeError:
            payload = {}
        async with self._database.transaction() as tx:
            await queries.bury_job.run(tx, taken.id, taken.name, payload, attempts, error)
            if binding.on_dead is not None:
                with suppress(msgspec.ValidationError):
                    await binding.on_dead(tx, msgspec.convert(payload, binding.job.payload), error)
            await queries.finish_job.run(tx, taken.id)
