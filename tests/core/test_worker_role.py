"""All that a worker does, as the application's role: it owns nothing and may not change the schema."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import msgspec
import pytest

from hostwright import __version__
from hostwright.core.clock import SystemClock
from hostwright.core.db import Database, Query, create_database
from hostwright.core.events import Event, Nothing, emit, on
from hostwright.core.jobs import Job, Retry, Work, WorkPart, enqueue, every, runs
from hostwright.core.paging import Page
from hostwright.core.presence import heartbeat
from hostwright.core.providers import Transient
from hostwright.core.queue import JobState, discard, job_counts, list_jobs, replay
from hostwright.core.work import Worker
from hostwright.core.work.housekeeping import clean
from tests.support.databases import as_app
from tests.support.rows import until


class Number(msgspec.Struct, frozen=True):
    number: int


class Told(Event, frozen=True):
    number: int


class Waiting(msgspec.Struct, frozen=True):
    status: str
    seconds: float


GOOD = Job("tests.good", Number)
BAD = Job("tests.bad", Number, max_attempts=1)
AWAY = Job("tests.away", Number)
FLAKY = Job("tests.flaky", Number)

waiting = Query(
    Waiting,
    """
    select status::text as status, extract(epoch from execute_after - updated)::float8 as seconds
    from pgqueuer where entrypoint = $1 order by id
    """,
)


@pytest.fixture
async def application(dsn: str) -> AsyncIterator[Database]:
    found = await create_database(as_app(dsn), max_size=12)
    yield found
    await found.close()


async def put(database: Database, job: Job[Number], number: int = 1) -> None:
    async with database.transaction() as tx:
        await enqueue(tx, job, Number(number))


async def test_jobs_schedules_events_dead_ones_and_cleaning(application: Database) -> None:
    done: list[str] = []
    heal = False

    async def good(work: Work, payload: Number) -> None:
        done.append(f"good {payload.number}")

    async def bad(work: Work, payload: Number) -> None:
        if not heal:
            raise Retry(0, "broken")
        done.append("healed")

    async def told(work: Work, event: Told) -> None:
        done.append(f"told {event.number}")

    part = WorkPart(
        bindings=[runs(GOOD, good), runs(BAD, bad)],
        schedules=[every("* * * * * *", GOOD, Number(9))],
        subscriptions=[on(Told, told)],
    )
    stop = asyncio.Event()
    task = asyncio.create_task(Worker(application, [part]).run(stop))
    async with heartbeat(application, "worker", __version__):
        await put(application, GOOD)
        await put(application, BAD)
        async with application.transaction() as tx:
            await emit(tx, Told(3))

        async def died() -> bool:
            async with application.acquire() as db:
                return (await job_counts(db)).dead == 1

        await until(died)
        await until(lambda: {"good 1", "good 9", "told 3"} <= set(done))
        heal = True
        async with application.transaction() as tx:
            (dead,) = await list_jobs(tx, JobState.DEAD, Page())
            await replay(tx, dead.id)
        await until(lambda: "healed" in done)
        await clean(Work(application, SystemClock(), 1, 1), Nothing())
    stop.set()
    await asyncio.wait_for(task, 10)


async def test_a_dead_job_can_be_forgotten(application: Database) -> None:
    async with application.transaction() as tx:
        await tx.execute("insert into dead_jobs (job_id, name, payload, attempts, error) values (1, 'x', '{}', 1, 'y')")
        (dead,) = await list_jobs(tx, JobState.DEAD, Page())
        await discard(tx, dead.id)
        assert (await job_counts(tx)).dead == 0


async def test_failures_wait_with_jitter_or_as_long_as_the_vendor_says(application: Database) -> None:
    async def away(work: Work, payload: Number) -> None:
        raise Transient("away", retry_after=30)

    async def flaky(work: Work, payload: Number) -> None:
        message = "flaky"
        raise RuntimeError(message)

    for number in range(12):
        await put(application, FLAKY, number)
    await put(application, AWAY)
    stop = asyncio.Event()
    part = WorkPart(bindings=[runs(AWAY, away), runs(FLAKY, flaky)])
    task = asyncio.create_task(Worker(application, [part]).run(stop))

    async def waits(job: Job[Number], least: int) -> list[float]:
        async with application.acquire() as db:
            rows = await waiting.all(db, job.name)
        found = [row.seconds for row in rows if row.status == "queued" and row.seconds != 0]
        return found if len(found) >= least else []

    await until(lambda: waits(AWAY, 1))
    (long,) = await waits(AWAY, 1)
    assert 30 <= long <= 33
    await until(lambda: waits(FLAKY, 8))
    stop.set()
    await asyncio.wait_for(task, 10)
    short = await waits(FLAKY, 1)
    assert len({round(each, 3) for each in short}) > 1, "they do not come back all at once"
    assert all(each <= 8.1 for each in short)


async def test_nothing_of_it_needs_to_create_anything(application: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with application.transaction() as tx:
            await tx.execute("create table mine (id int)")
