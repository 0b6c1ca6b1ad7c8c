"""Transactions that wait for each other."""

from __future__ import annotations

import asyncio
from typing import Final

from hostwright.core.db import Database, Scalar

waiting: Final = Scalar(
    int,
    """select count(*) from pg_stat_activity
    where wait_event_type = 'Lock' and datname = current_database()""",
)
lock_server: Final = Scalar(int, "select id from servers where id = $1 for update")


async def somebody_waits(database: Database) -> None:
    """Return once a transaction waits for another one."""
    async with asyncio.timeout(20):
        while True:
            async with database.acquire() as db:
                if await waiting.value(db):
                    return
            await asyncio.sleep(0.01)
