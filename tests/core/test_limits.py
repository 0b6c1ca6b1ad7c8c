"""Limits that processes share."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import timedelta

import pytest

from hostwright.core.db import Database
from hostwright.core.errors import TooManyRequests
from hostwright.core.limits import check_limit, spend

HOUR = timedelta(hours=1)

CALLER = """
import asyncio, sys
from datetime import timedelta
from hostwright.core.db import create_database
from hostwright.core.limits import check_limit

async def one(database):
    async with database.acquire() as db:
        return await check_limit(db, "shared", per=timedelta(hours=1), burst=100) is not None

async def main():
    database = await create_database(sys.argv[1], max_size=8, min_size=8)
    passed = 0
    for _ in range(15):
        passed += sum(await asyncio.gather(*(one(database) for _ in range(10))))
    print(passed)
    await database.close()

asyncio.run(main())
"""


async def test_burst_and_refill(database: Database) -> None:
    async with database.acquire() as db:
        per = timedelta(milliseconds=100)
        assert [await check_limit(db, "k", per=per, burst=3) is not None for _ in range(4)] == [True, True, True, False]
        await asyncio.sleep(0.13)
        assert await check_limit(db, "k", per=per, burst=3) is not None
        assert await check_limit(db, "other", per=per, burst=3) is not None


async def test_spend_says_how_long_to_wait(database: Database) -> None:
    async with database.acquire() as db:
        assert 0 < await spend(db, "k", per=timedelta(seconds=30), burst=1) <= 30
        with pytest.raises(TooManyRequests) as caught:
            await spend(db, "k", per=timedelta(seconds=30), burst=1)
    assert 25 <= caught.value.retry_after <= 30


async def test_counts_stand_when_the_rest_rolls_back(database: Database) -> None:
    async with database.acquire() as db:
        assert await check_limit(db, "k", per=HOUR, burst=1) is not None
        assert await check_limit(db, "k", per=HOUR, burst=1) is None


async def test_exactly_the_limit_passes_under_two_processes(dsn: str) -> None:
    callers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", CALLER, dsn, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    outputs = [await caller.communicate() for caller in callers]
    assert sum(int(out) for out, _ in outputs) == 100
