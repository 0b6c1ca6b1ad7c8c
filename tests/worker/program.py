"""A worker process for tests: jobs that leave marks, take long, or kill their process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import msgspec

from hostwright.core.db import create_database
from hostwright.core.jobs import Job, Work, WorkPart, runs
from hostwright.core.work import Worker


class Order(msgspec.Struct, frozen=True):
    """What a job does: sleeps so long, only at its first attempt or always, or kills its process."""

    seconds: float = 0.0
    first_only: bool = False
    kill: bool = False


JOB = Job("tests.process", Order, max_attempts=2)


async def mark(work: Work, what: str) -> None:
    """Leave a row."""
    async with work.database.transaction() as tx:
        await tx.execute("insert into marks values ($1, $2, $3)", os.getpid(), work.attempt, what)


async def perform(work: Work, payload: Order) -> None:
    """Do it."""
    await mark(work, "begin")
    if payload.kill:
        os.kill(os.getpid(), signal.SIGKILL)
    if work.attempt == 1 or not payload.first_only:
        await asyncio.sleep(payload.seconds)
    await mark(work, "end")


async def main(dsn: str) -> None:
    """Work until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    database = await create_database(dsn)
    await Worker(database, [WorkPart(bindings=[runs(JOB, perform)])]).run(stop)
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
