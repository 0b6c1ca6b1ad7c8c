"""Real worker processes: killed in mid-job, stopped in mid-job, killed by their own job."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from hostwright.core.crypto import new_key
from hostwright.core.db import Database, Scalar
from hostwright.core.jobs import enqueue
from hostwright.core.paging import Page
from hostwright.core.queue import JobState, job_counts, list_jobs

from .program import JOB, Order

PROGRAM = Path(__file__).with_name("program.py")

alive = Scalar(int, "select count(*) from workers where role = 'worker'")

type Start = Callable[[], Awaitable[Process]]


@pytest.fixture
async def start(database: Database, dsn: str) -> AsyncIterator[Start]:
    async with database.transaction() as tx:
        await tx.execute("create table marks (pid int, attempt int, what text)")
    processes: list[Process] = []

    async def one() -> Process:
        process = await asyncio.create_subprocess_exec(sys.executable, str(PROGRAM), dsn)
        processes.append(process)
        return process

    yield one
    for process in processes:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def marks(database: Database) -> list[tuple[int, int, str]]:
    async with database.acquire() as db:
        return [tuple(row) for row in await db.fetch("select pid, attempt, what from marks")]  # type: ignore[misc]


async def until(check: Callable[[], Awaitable[bool]], seconds: float) -> None:
    for _ in range(int(seconds / 0.05)):
        if await check():
            return
        await asyncio.sleep(0.05)
    message = "it did not happen in time"
    raise TimeoutError(message)


async def put(database: Database, order: Order) -> None:
    async with database.transaction() as tx:
        await enqueue(tx, JOB, order)


async def marked(database: Database, number: int) -> bool:
    return len(await marks(database)) >= number


async def test_a_short_job_is_finished_before_the_worker_ends(database: Database, start: Start) -> None:
    worker = await start()
    await put(database, Order(seconds=0.6))
    await until(lambda: marked(database, 1), 10)
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(worker.wait(), 5) == 0
    assert [what for _, _, what in await marks(database)] == ["begin", "end"]


@pytest.mark.long
async def test_a_long_job_is_given_back_when_the_worker_ends(database: Database, start: Start) -> None:
    worker = await start()
    await put(database, Order(seconds=60, first_only=False))
    await until(lambda: marked(database, 1), 10)
    worker.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert await asyncio.wait_for(worker.wait(), 8) == 0
    assert time.monotonic() - began < 5.5
    async with database.acquire() as db:
        counts = await job_counts(db)
        assert (counts.running, counts.dead) == (0, 0)
        # The worker's own schedules may have fired meanwhile.
        queued = [job for job in await list_jobs(db, JobState.QUEUED, Page()) if job.name == JOB.name]
        assert [job.attempts for job in queued] == [0]


@pytest.mark.long
async def test_a_killed_workers_job_is_picked_up_by_another(database: Database, start: Start) -> None:
    first = await start()
    await put(database, Order(seconds=60, first_only=True))
    await until(lambda: marked(database, 1), 10)
    second = await start()
    await asyncio.sleep(1.5)
    first.kill()
    began = time.monotonic()
    await until(lambda: marked(database, 3), 15)
    assert time.monotonic() - began < 9
    assert await marks(database) == [(first.pid, 1, "begin"), (second.pid, 2, "begin"), (second.pid, 2, "end")]


@pytest.mark.long
async def test_a_job_that_kills_every_worker_ends_among_the_dead(database: Database, start: Start) -> None:
    await put(database, Order(kill=True))
    for _ in range(JOB.max_attempts):
        worker = await start()
        assert await asyncio.wait_for(worker.wait(), 15) == -signal.SIGKILL
    await start()

    async def is_dead() -> bool:
        async with database.acquire() as db:
            return (await job_counts(db)).dead == 1

    await until(is_dead, 15)
    assert [(attempt, what) for _, attempt, what in await marks(database)] == [(1, "begin"), (2, "begin")]


REAL = """
import asyncio, contextlib, os, sys, types

@contextlib.asynccontextmanager
async def connection_providers(config, database, keyring):
    yield None

factory = types.ModuleType("hostwright.upstream.factory")
factory.connection_providers = connection_providers
sys.modules["hostwright.upstream.factory"] = factory

from hostwright.core.config import load_config
from hostwright.worker import run_worker

sys.exit(asyncio.run(run_worker(load_config(os.environ))))
"""


def environment(dsn: str, **more: str) -> dict[str, str]:
    return os.environ | {"DATABASE_URL": dsn, "HOSTWRIGHT_ENVIRONMENT": "test"} | more


async def test_the_real_worker_starts_and_ends(database: Database, dsn: str) -> None:
    environ = environment(dsn, HOSTWRIGHT_KEYS=new_key())
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", REAL, env=environ)

    async def is_there() -> bool:
        async with database.acquire() as db:
            return await alive.value(db) == 1

    try:
        await until(is_there, 15)
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(worker.wait(), 8) == 0
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()
    async with database.acquire() as db:
        assert await alive.value(db) == 0


async def test_a_worker_that_cannot_start_says_so_in_one_line(dsn: str) -> None:
    for environ in (environment(dsn), environment("postgresql:///x?host=/nowhere", HOSTWRIGHT_KEYS=new_key())):
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-c", REAL, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await asyncio.wait_for(worker.communicate(), 15)
        assert worker.returncode == 1
        assert err == b""
        assert len(out.splitlines()) == 1
        assert b"worker.not_started" in out
