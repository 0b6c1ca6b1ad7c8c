"""Schedules: each tick fires once, however many workers there are."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from hostwright.core.clock import SystemClock
from hostwright.core.db import Database
from hostwright.core.jobs import Work, WorkPart, every, runs
from hostwright.core.work import Worker
from hostwright.core.work.schedules import Ticker, last_tick, next_tick
from tests.core.test_jobs import JOB, Number, count, nothing, working
from tests.support.rows import until


def test_ticks() -> None:
    now = datetime(2026, 11, 24, 12, 0, 7, 400_000, tzinfo=UTC)
    assert last_tick("* * * * * */5", now) == now.replace(second=5, microsecond=0)
    assert next_tick("* * * * * */5", now) == now.replace(second=10, microsecond=0)
    assert last_tick("* * * * *", now) == now.replace(second=0, microsecond=0)
    on_time = now.replace(second=10, microsecond=0)
    assert last_tick("* * * * * */5", on_time) == on_time
    assert next_tick("* * * * * */5", on_time) == on_time + timedelta(seconds=5)
    assert next_tick("17 * * * *", now) == now.replace(minute=17, second=0, microsecond=0)


def test_a_wrong_line_or_an_unbound_job_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="xx"):
        Ticker(database, SystemClock(), [every("xx * * * *", JOB, Number(1))])
    with pytest.raises(ValueError, match="nothing is bound"):
        Worker(database, [WorkPart(schedules=[every("* * * * *", JOB, Number(1))])])
    with pytest.raises(ValueError, match="two functions"):
        Worker(database, [WorkPart(bindings=[runs(JOB, nothing), runs(JOB, nothing)])])


async def test_two_workers_fire_each_tick_once(database: Database) -> None:
    fired = 0

    async def handler(work: Work, payload: Number) -> None:
        nonlocal fired
        fired += 1

    part = WorkPart(bindings=[runs(JOB, handler)], schedules=[every("* * * * * *", JOB, Number(1))])
    began = int(time.time())
    async with working(database, part), working(database, part):
        await until(lambda: fired >= 4)
    # Every second from the one it began in; the last one may not have run any more.
    assert abs(fired - (int(time.time()) - began + 1)) <= 1


async def test_many_tickers_claim_a_tick_once_and_do_not_pile_up(database: Database) -> None:
    schedule = every("* * * * *", JOB, Number(1))
    tickers = [Ticker(database, SystemClock(), [schedule]) for _ in range(6)]
    assert sum(await asyncio.gather(*(ticker.fire_due() for ticker in tickers))) in (1, 2)
    assert await count(database) == 1


class Ahead:
    """A clock that is an hour ahead, as a machine's may be until it has asked for the time."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(hours=1)


async def test_a_clock_that_is_ahead_claims_nothing(database: Database) -> None:
    schedule = every("* * * * *", JOB, Number(1))
    assert await Ticker(database, Ahead(), [schedule]).fire_due() == 0
    assert await Ticker(database, SystemClock(), [schedule]).fire_due() == 1


async def test_a_tick_from_the_future_does_not_stop_the_schedule(database: Database) -> None:
    schedule = every("* * * * *", JOB, Number(1))
    async with database.transaction() as tx:
        await tx.execute("insert into schedules values ($1, now() + interval '1 hour')", schedule.name)
    assert await Ticker(database, SystemClock(), [schedule]).fire_due() == 1
    assert await Ticker(database, SystemClock(), [schedule]).fire_due() == 0
