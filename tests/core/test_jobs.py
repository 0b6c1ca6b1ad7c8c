"""The queue: what follows from a commit, retries, dead jobs, schedules, lost connections, stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hostwright.core.clock import SystemClock
from hostwright.core.db import Command, Database, NoRow, Scalar
from hostwright.core.events import Nothing
from hostwright.core.jobs import Job, Retry, Work, WorkPart, enqueue, runs
from hostwright.core.metrics import render
from hostwright.core.paging import Page
from hostwright.core.presence import heartbeat
from hostwright.core.providers import Ambiguous, Transient
from hostwright.core.queue import JobState, discard, job_counts, list_jobs, replay
from hostwright.core.work import Worker, queries
from hostwright.core.work.housekeeping import clean
from hostwright.core.work.runner import LONGEST_DELAY, Again, Runner, Taken, backoff

SOON = 5.0


class Number(msgspec.Struct, frozen=True):
    number: int
    text: str = ""


JOB = Job("tests.job", Number, max_attempts=3)
queue_size = Scalar(int, "select count(*) from pgqueuer where entrypoint like 'tests.%'")
starts = Scalar(int, "select starts from job_starts where job_id = $1")
end_connections = Scalar(
    bool,
    """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
    """,
)
age_starts = Command("update job_starts set started_at = now() - interval '2 hours'")
add_start = Command("insert into job_starts (job_id, name) values (999999, 'tests.gone')")

type Handler = Callable[[Work, Number], Awaitable[None]]


async def put(database: Database, number: int = 1, **options: Any) -> bool:
    async with database.transaction() as tx:
        return await enqueue(tx, JOB, Number(number), **options)


@asynccontextmanager
async def working(database: Database, *parts: WorkPart, concurrency: int = 10) -> AsyncGenerator[Worker]:
    stop = asyncio.Event()
    worker = Worker(database, parts, concurrency=concurrency)
    task = asyncio.create_task(worker.run(stop))
    await asyncio.wait_for(worker.ready.wait(), SOON)
    try:
        yield worker
    finally:
        stop.set()
        await asyncio.wait_for(task, 8)


async def until(check: Callable[[], Awaitable[bool]], seconds: float = SOON) -> None:
    deadline = time.monotonic() + seconds
    while not await check():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def count(database: Database) -> int:
    async with database.acquire() as db:
        return await queue_size.value(db)


async def taken(database: Database, name: str = JOB.name) -> Taken:
    async with database.acquire() as db:
        row = await db.fetchrow("select id, payload from pgqueuer where entrypoint = $1 order by id", name)
    assert row is not None
    return Taken(row["id"], name, row["payload"])


def runner(database: Database, handler: Handler, **options: Any) -> Runner:
    return Runner(database, SystemClock(), {JOB.name: runs(JOB, handler, **options)})


async def nothing(work: Work, payload: Number) -> None: ...


# --- enqueue ---


async def test_a_rollback_leaves_no_job(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as tx:
            assert await enqueue(tx, JOB, Number(1))
            raise ZeroDivisionError
    assert await count(database) == 0


async def test_a_key_is_held_while_its_job_waits_and_does_not_poison_the_transaction(database: Database) -> None:
    async with database.transaction() as tx:
        assert await enqueue(tx, JOB, Number(1), key="a")
        assert not await enqueue(tx, JOB, Number(2), key="a")
        assert await enqueue(tx, Job("tests.other", Number), Number(3), key="a")
        assert await enqueue(tx, JOB, Number(4))
    assert await count(database) == 3


async def test_a_large_payload_is_refused(database: Database) -> None:
    async with database.transaction() as tx:
        with pytest.raises(ValueError, match="send ids"):
            await enqueue(tx, JOB, Number(1, "x" * 65_536))


# --- running ---


async def test_a_job_runs_soon_after_its_commit_with_its_payload(database: Database) -> None:
    seen: list[tuple[int, int, float]] = []

    async def handler(work: Work, payload: Number) -> None:
        async with work.database.acquire() as db:
            assert await queue_size.value(db) >= 1
        seen.append((payload.number, work.attempt, time.monotonic()))

    async with working(database, WorkPart(bindings=[runs(JOB, handler)])):
        began = time.monotonic()
        await put(database, 7, key="k")
        await until(lambda: _done(database))
        assert [(number, attempt) for number, attempt, _ in seen] == [(7, 1)]
        assert seen[0][2] - began < 1
        assert await put(database, 8, key="k"), "the key is free again"
        later = datetime.now(UTC) + timedelta(seconds=0.5)
        await put(database, 9, run_at=later)
        await until(lambda: _length(seen, 3))
        assert [number for number, _, _ in seen] == [7, 8, 9]
    async with database.acquire() as db:
        assert await db.fetch("select * from job_starts") == []


async def _done(database: Database) -> bool:
    return await count(database) == 0


async def _length(items: list[Any], length: int) -> bool:
    return len(items) >= length


async def test_no_more_run_at_once_than_allowed(database: Database) -> None:
    running, most = 0, 0

    async def handler(work: Work, payload: Number) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1

    for number in range(20):
        await put(database, number)
    async with working(database, WorkPart(bindings=[runs(JOB, handler)]), concurrency=4):
        await until(lambda: _done(database))
    assert most == 4


async def test_retries_then_dead_then_replay(database: Database) -> None:
    tries: list[int] = []
    broken = True

    async def handler(work: Work, payload: Number) -> None:
        tries.append(work.attempt)
        if broken:
            raise Retry(0.05, "not yet")

    async def is_dead() -> bool:
        async with database.acquire() as db:
            return (await job_counts(db)).dead == 1

    async with working(database, WorkPart(bindings=[runs(JOB, handler)])):
        await put(database, 5)
        await until(is_dead, 8)
        assert tries == [1, 2, 3]
        assert await _done(database)
        async with database.acquire() as db:
            dead = (await list_jobs(db, JobState.DEAD, Page()))[0]
        assert (dead.name, dead.attempts, dead.error) == ("tests.job", 3, "not yet")
        assert msgspec.json.decode(dead.payload or "") == {"number": 5, "text": ""}
        broken = False
        async with database.transaction() as tx:
            assert (await replay(tx, dead.id)).name == dead.name
            with pytest.raises(NoRow):
                await replay(tx, dead.id)
        await until(lambda: _length(tries, 4))
        assert tries == [1, 2, 3, 1]
        assert not await is_dead()


async def test_a_dead_job_can_be_forgotten(database: Database) -> None:
    async with database.transaction() as tx:
        await queries.bury_job.run(tx, 5, "tests.job", {"number": 1}, 3, "x")
        dead = (await list_jobs(tx, JobState.DEAD, Page()))[0]
        assert (await discard(tx, dead.id)).id == dead.id
        with pytest.raises(NoRow):
            await discard(tx, dead.id)


@pytest.mark.parametrize(
    ("error", "shown", "at_least"),
    [
        (Transient("away", retry_after=7), "upstream_unavailable: away", 7.0),
        (Ambiguous("lost"), "upstream_answer_lost: lost", 0.0),
        (Retry(3, "soon"), "soon", 3.0),
        (ValueError("token=kV7-tulip\nmore"), "ValueError: token=[hidden]", 0.0),
        (asyncio.CancelledError(), "RuntimeError: cancelled itself: ", 0.0),
    ],
)
async def test_every_failure_is_tried_again(
    database: Database, error: BaseException, shown: str, at_least: float
) -> None:
    async def handler(work: Work, payload: Number) -> None:
        raise error

    await put(database)
    again = await runner(database, handler).run(await taken(database))
    assert again is not None
    assert again.reason.strip() == shown.strip()
    assert at_least <= again.after <= max(at_least, 2.0)


def test_backoff_grows_with_full_jitter() -> None:
    assert [backoff(attempt, lambda: 1.0) for attempt in (1, 2, 3, 30)] == [2, 4, 8, LONGEST_DELAY]
    assert backoff(5, lambda: 0.0) == 0


async def test_a_job_that_kills_its_worker_dies_after_so_many_starts(database: Database) -> None:
    told: list[str] = []

    async def on_dead(tx: object, payload: Number, error: str) -> None:
        told.append(error)

    await put(database)
    job = await taken(database)
    async with database.transaction() as tx:
        for _ in range(JOB.max_attempts):
            await queries.count_start.value(tx, job.id, job.name)
    assert await runner(database, nothing, on_dead=on_dead).run(job) is None
    assert len(told) == 1
    async with database.acquire() as db:
        dead = (await list_jobs(db, JobState.DEAD, Page()))[0]
    assert dead.attempts == 3
    assert await _done(database)


async def test_a_payload_that_does_not_fit_ends_among_the_dead(database: Database) -> None:
    await put(database)
    job = await taken(database)
    broken = Taken(job.id, job.name, b'{"number": "x"}')
    found = [await runner(database, nothing).run(broken) for _ in range(3)]
    assert [item is None for item in found] == [False, False, True]


async def test_a_stop_gives_jobs_back_uncounted(database: Database) -> None:
    begun = asyncio.Event()

    async def handler(work: Work, payload: Number) -> None:
        begun.set()
        await asyncio.sleep(60)

    await put(database)
    job = await taken(database)
    doer = runner(database, handler)
    task = asyncio.create_task(doer.run(job))
    await begun.wait()
    assert doer.stop() == 1
    assert await task == Again(0.0, "the worker stopped")
    async with database.acquire() as db:
        assert await starts.value(db, job.id) == 0
    assert await count(database) == 1


async def test_a_cancel_from_outside_does_not_lose_the_job(database: Database) -> None:
    begun = asyncio.Event()

    async def handler(work: Work, payload: Number) -> None:
        begun.set()
        await asyncio.sleep(60)

    await put(database)
    task = asyncio.create_task(runner(database, handler).run(await taken(database)))
    await begun.wait()
    task.cancel()
    assert await task == Again(0.0, "the worker stopped")


async def test_stopping_finishes_short_jobs(database: Database) -> None:
    finished: list[int] = []

    async def handler(work: Work, payload: Number) -> None:
        await asyncio.sleep(0.5)
        finished.append(payload.number)

    await put(database, 1)
    async with working(database, WorkPart(bindings=[runs(JOB, handler)])):
        await asyncio.sleep(0.2)
    assert finished == [1]
    assert await _done(database)


async def test_the_worker_comes_back_after_its_connections_are_ended(database: Database) -> None:
    seen: list[int] = []

    async def handler(work: Work, payload: Number) -> None:
        seen.append(payload.number)

    async with working(database, WorkPart(bindings=[runs(JOB, handler)])) as worker:
        await put(database, 1)
        await until(lambda: _length(seen, 1))
        connection = await database.connect()
        await connection.execute(end_connections.sql)
        await connection.close()
        await asyncio.sleep(0.05)
        await asyncio.wait_for(worker.ready.wait(), SOON)
        await put_patiently(database, 2)
        await until(lambda: _length(seen, 2))
        quickest = SOON
        for number in (3, 4, 5):
            began = time.monotonic()
            await put(database, number)
            await until(lambda number=number: _length(seen, number))
            quickest = min(quickest, time.monotonic() - began)
        assert quickest < 0.2, "it listens again, it does not only poll"
    assert seen == [1, 2, 3, 4, 5]


async def put_patiently(database: Database, number: int) -> None:
    for _ in range(20):
        try:
            await put(database, number)
        except Exception:  # noqa: BLE001  the pool's connections were ended as well
            await asyncio.sleep(0.05)
        else:
            return


# --- presence, metrics, retention ---


async def test_presence_and_metrics(database: Database) -> None:
    async def handler(work: Work, payload: Number) -> None: ...

    async with heartbeat(database, "web", "1"), working(database, WorkPart(bindings=[runs(JOB, handler)])):
        await put(database)
        await until(lambda: _done(database))
        async with heartbeat(database, "worker", "1"), database.acquire() as db:
            rows = await db.fetch("select role, pid from workers order by role")
            assert [row["role"] for row in rows] == ["web", "worker"]
            text = (await render(db)).decode()
    assert 'hostwright_queue_jobs{state="queued"} 0.0' in text
    assert 'hostwright_job_seconds_count{job="tests.job",outcome="done",process="web"}' in text
    assert text.count("# TYPE hostwright_job_seconds histogram") == 1
    async with database.acquire() as db:
        assert await db.fetch("select * from workers") == []


async def test_old_things_are_cleaned(database: Database) -> None:
    async with database.transaction() as tx:
        await add_start.run(tx)
        await age_starts.run(tx)
        await tx.execute(
            """insert into events (name, stream_key, payload, created_at, dispatched_at)
            values ('a', 'b', '{}', now() - interval '31 days', now()), ('a', 'b', '{}', now(), now())"""
        )
        await tx.execute(
            """insert into event_deliveries (event_id, subscriber, stream_key, state, updated_at)
            select max(id), 's', 'b', 'done', now() - interval '8 days' from events"""
        )
    await clean(Work(database, SystemClock(), 1, 1), Nothing())
    async with database.acquire() as db:
        for table, left in (("job_starts", 0), ("events", 1), ("event_deliveries", 0)):
            row = await db.fetchrow(f"select count(*) from {table}")
            assert row is not None
            assert row[0] == left, table
