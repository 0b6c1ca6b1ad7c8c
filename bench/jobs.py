"""Job latency, enqueue to start, with an idle worker in a process of its own.

Run as a program it is that worker: `python -m bench.jobs DSN`.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import asyncpg
import msgspec

from bench.results import Row, at_most
from hostwright.core.db import create_database
from hostwright.core.jobs import Job, Work, WorkPart, enqueue, runs
from hostwright.core.work import Worker

ENQUEUED = 300
EACH_SECONDS = 0.05


class Number(msgspec.Struct, frozen=True):
    """Which one."""

    n: int


JOB = Job("bench.start", Number)


async def note_start(work: Work, payload: Number) -> None:
    """Write down when it began, by the database's clock."""
    async with work.database.transaction() as tx:
        await tx.execute("update bench_starts set started_at = clock_timestamp() where n = $1", payload.n)


async def work(dsn: str) -> None:
    """Be the worker, until killed."""
    database = await create_database(dsn)
    await Worker(database, [WorkPart(bindings=[runs(JOB, note_start)])]).run(asyncio.Event())


async def measure(dsn: str) -> list[Row]:
    """Enqueue twenty a second and read how long each waited."""
    connection: Any = await asyncpg.connect(dsn)
    await connection.execute("create table bench_starts (n int primary key, at timestamptz, started_at timestamptz)")
    worker = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.jobs", dsn)
    try:
        await _put(connection, 0)
        await _all_started(connection)
        for n in range(1, ENQUEUED + 1):
            await _put(connection, n)
            await asyncio.sleep(EACH_SECONDS)
        await _all_started(connection)
        waits: list[float] = [
            row[0]
            for row in await connection.fetch(
                "select extract(epoch from started_at - at)::float8 * 1000 from bench_starts where n > 0 order by 1"
            )
        ]
    finally:
        worker.kill()
        await worker.wait()
        await connection.close()
    p50, p99 = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    return [at_most(f"Job, enqueue to start, idle, p99 (p50 {p50:.1f})", p99, "ms", 50)]


async def _put(connection: Any, n: int) -> None:
    async with connection.transaction():
        await connection.execute("insert into bench_starts values ($1, clock_timestamp(), null)", n)
        await enqueue(connection, JOB, Number(n))


async def _all_started(connection: Any) -> None:
    for _ in range(600):
        if await connection.fetchval("select count(*) from bench_starts where started_at is null") == 0:
            return
        await asyncio.sleep(0.05)
    message = "jobs were not started"
    raise TimeoutError(message)


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
