"""Changing what the company says of itself, and hearing of it in every process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import asyncpg
import structlog

from hostwright.core.db import Database, Tx
from hostwright.core.errors import AppError
from hostwright.core.live import Hub, publish
from hostwright.settings import queries
from hostwright.settings.records import Company

TOPIC: Final = "company"
LOOK_SECONDS: Final = 15.0
"""How long a change may stay unheard of when its message was lost."""
LOST: Final = (
    AppError,
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

log = structlog.get_logger(__name__)


async def set_company(tx: Tx, *, name: str, brand_colour: str) -> None:
    """Say how the company shows itself; every web process follows once ``tx`` has committed."""
    await queries.set_company.run(tx, name, brand_colour.lower())
    await publish(tx, TOPIC, "changed")


async def _read(database: Database) -> Company:
    async with database.acquire() as db:
        return await queries.company.maybe(db) or Company(None, None)


@asynccontextmanager
async def followed(database: Database, hub: Hub, show: Callable[[Company], None]) -> AsyncGenerator[None]:
    """Call ``show`` now and after every change, so that no page has to ask the database."""
    show(await _read(database))
    task = asyncio.create_task(_follow(database, hub, show))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _follow(database: Database, hub: Hub, show: Callable[[Company], None]) -> None:
    messages = hub.subscribe(TOPIC, counted=False)
    waiting: asyncio.Future[str] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(messages))
            done, _ = await asyncio.wait({waiting}, timeout=LOOK_SECONDS)
            if done:
                try:
                    waiting.result()
                except StopAsyncIteration:  # the process ends
                    return
                waiting = None
            try:
                show(await _read(database))
            except LOST as error:
                log.warning("company.not_read", error=type(error).__name__)
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await messages.aclose()
