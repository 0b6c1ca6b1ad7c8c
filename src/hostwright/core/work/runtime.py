"""The worker: takes jobs out of PgQueuer's table on a connection of its own, built anew whenever it is lost."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job as QueuedJob
from pgqueuer.queries import Queries

from hostwright.core.clock import Clock, SystemClock
from hostwright.core.db import Database
from hostwright.core.jobs import JobBinding, Schedule, WorkPart
from hostwright.core.logs import error_text
from hostwright.core.work import housekeeping
from hostwright.core.work.delivery import Deliveries
from hostwright.core.work.runner import DATABASE_ERRORS, Runner, Taken
from hostwright.core.work.schedules import Ticker

POLL: Final = timedelta(seconds=1)
HEARTBEAT_TIMEOUT: Final = timedelta(seconds=4)
GRACE_SECONDS: Final = 4.0
STATEMENT_SECONDS: Final = 10.0
LONGEST_PAUSE: Final = 2.0
LIBRARY_NAMES: Final = frozenset(
    {
        "CHANNEL",
        "DURABILITY",
        "FUNCTION",
        "QUEUE_STATUS_TYPE",
        "QUEUE_TABLE",
        "QUEUE_TABLE_LOG",
        "SCHEDULES_TABLE",
        "STATISTICS_TABLE",
        "TRIGGER",
        "WIDEN_ID",
    }
)

log = structlog.get_logger(__name__)


def _ignore_library_environment() -> None:
    """The library takes bare variables such as CHANNEL for its own settings; ours is its default schema."""
    for name in list(os.environ):
        if name in LIBRARY_NAMES or name.startswith("PGQUEUER_"):
            os.environ.pop(name)


class Worker:
    """One worker process's loop: jobs, events and schedules of all parts."""

    def __init__(
        self, database: Database, parts: Sequence[WorkPart], *, concurrency: int = 10, clock: Clock | None = None
    ) -> None:
        _ignore_library_environment()
        self._database = database
        self._concurrency = max(2, concurrency)
        clock = clock or SystemClock()
        own = Deliveries([subscription for part in parts for subscription in part.subscriptions])
        parts = [*parts, own.part(), housekeeping.part()]
        bindings: dict[str, JobBinding] = {}
        for binding in (binding for part in parts for binding in part.bindings):
            if binding.job.name in bindings:
                message = f"two functions are bound to the job {binding.job.name}"
                raise ValueError(message)
            bindings[binding.job.name] = binding
        schedules: list[Schedule] = [schedule for part in parts for schedule in part.schedules]
        for schedule in schedules:
            if schedule.job.name not in bindings:
                message = f"nothing is bound to the scheduled job {schedule.job.name}"
                raise ValueError(message)
        self._names = list(bindings)
        self._runner = Runner(database, clock, bindings)
        self._ticker = Ticker(database, clock, schedules)
        self.ready = asyncio.Event()
        """Set while jobs are taken."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop``; running jobs then have four seconds, and those that need longer go back to the queue."""
        ticker = asyncio.create_task(self._ticker.run())
        pause = 0.1
        try:
            while not stop.is_set():
                began = asyncio.get_running_loop().time()
                try:
                    await self._session(stop)
                except (*DATABASE_ERRORS, RuntimeError) as error:
                    log.warning("worker.connection_lost", error=error_text(error))
                finally:
                    self.ready.clear()
                quick = asyncio.get_running_loop().time() - began < LONGEST_PAUSE
                pause = min(pause * 2, LONGEST_PAUSE) if quick else 0.1
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause)
        finally:
            ticker.cancel()
            await asyncio.gather(ticker, return_exceptions=True)

    async def _session(self, stop: asyncio.Event) -> None:
        """One connection, until it is lost or the worker stops."""
        connection: asyncpg.Connection[Any] = await asyncpg.connect(
            self._database.dsn, timeout=5, command_timeout=STATEMENT_SECONDS
        )
        lost = asyncio.Event()

        def note_loss(_: object) -> None:
            lost.set()

        connection.add_termination_listener(note_loss)
        manager = self._manager(connection)
        queue = asyncio.create_task(
            manager.run(
                dequeue_timeout=POLL,
                heartbeat_timeout=HEARTBEAT_TIMEOUT,
                batch_size=max(1, min(10, self._concurrency // 2)),
                max_concurrent_tasks=self._concurrency,
                shutdown_on_listener_failure=True,
                log_aggregation_interval=timedelta(0),
            )
        )
        self.ready.set()
        waits = [asyncio.create_task(stop.wait()), asyncio.create_task(lost.wait())]
        try:
            await asyncio.wait([queue, *waits], return_when=asyncio.FIRST_COMPLETED)
        finally:
            manager.shutdown.set()
            for wait in waits:
                wait.cancel()
            await self._wind_up(queue)
            connection.terminate()
        if not queue.cancelled() and (error := queue.exception()) is not None:
            raise error

    async def _wind_up(self, queue: asyncio.Task[None]) -> None:
        """Let running jobs finish for four seconds, then give them back."""
        await asyncio.wait([queue], timeout=GRACE_SECONDS)
        if not queue.done():
            log.warning("worker.jobs_given_back", jobs=self._runner.stop())
            await asyncio.wait([queue], timeout=1)
        if not queue.done():
            queue.cancel()
            await asyncio.wait([queue], timeout=1)

    def _manager(self, connection: asyncpg.Connection[Any]) -> QueueManager:
        manager = QueueManager(Queries(AsyncpgDriver(connection)))
        for name in self._names:
            # Whatever fails is handled by the runner; "hold" only keeps what the runner could not even write down.
            manager.entrypoint(name, on_failure="hold", accepts_context=False)(self._dispatch)
        return manager

    async def _dispatch(self, job: QueuedJob) -> None:
        again = await self._runner.run(Taken(int(job.id), str(job.entrypoint), job.payload or b"{}"))
        if again is not None:
            raise RetryRequested(delay=timedelta(seconds=again.after), reason=again.reason) from None
