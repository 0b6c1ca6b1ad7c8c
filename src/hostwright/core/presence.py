"""Presence: one row a process, so that others know who is there. Its truth is `seen_at`, not that the row exists."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final, Literal
from uuid import UUID, uuid4

import asyncpg
import structlog

from hostwright.core import metrics
from hostwright.core.db import Command, Database
from hostwright.core.errors import Unavailable

BEAT_SECONDS: Final = 5.0
LOST: Final = (
    Unavailable,
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

log = structlog.get_logger(__name__)

beat = Command(
    """
    insert into workers (id, role, host, pid, version, metrics) values ($1, $2, $3, $4, $5, $6)
    on conflict (id) do update set seen_at = now(), metrics = excluded.metrics
    """
)
leave = Command("delete from workers where id = $1")


@asynccontextmanager
async def heartbeat(database: Database, role: Literal["web", "worker"], version: str) -> AsyncGenerator[UUID]:
    """Say every five seconds that this process is there, and take the row away at the end.

    A worker leaves its metrics with it: it has no port of its own.
    """
    process = uuid4()

    async def say() -> None:
        figures = metrics.snapshot() if role == "worker" else None
        async with database.transaction() as tx:
            await beat.run(tx, process, role, socket.gethostname(), os.getpid(), version, figures)

    async def say_for_ever() -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await say()
            except LOST as error:
                log.warning("presence.beat_lost", error=type(error).__name__)

    await say()
    task = asyncio.create_task(say_for_ever())
    try:
        yield process
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        with suppress(*LOST):
            async with database.transaction() as tx:
                await leave.run(tx, process)
