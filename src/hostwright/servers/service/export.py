"""Lists as files: written part by part, so that no connection is held while a reader is slow."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Final

from hostwright.core.db import Database
from hostwright.core.limits import spend
from hostwright.core.scope import Scope
from hostwright.servers import queries
from hostwright.servers.queries import LogFilter, ServerFilter, export
from hostwright.servers.queries.export import ExportRow
from hostwright.servers.records import LogRow

PART: Final = 500
MOST_LINES: Final = 50_000
FILES: Final = 12
PER_FILE: Final = timedelta(seconds=5)  # twelve a minute
TOO_OFTEN: Final = "At most twelve files a minute can be made."


async def begin_servers(database: Database, user_id: int, wanted: ServerFilter) -> list[int]:
    """Which servers a file will have: read once, so that it is whole whatever changes meanwhile.

    Raises `TooManyRequests` after twelve files a minute.
    """
    async with database.acquire() as db:
        await spend(db, f"export:{user_id}", per=PER_FILE, burst=FILES, message=TOO_OFTEN)
        return await export.ids_for(db, wanted)


async def server_parts(database: Database, wanted: ServerFilter, ids: list[int]) -> AsyncGenerator[list[ExportRow]]:
    """The rows of those servers, 500 at a time."""
    for start in range(0, len(ids), PART):
        async with database.acquire() as db:
            rows = await export.rows_for(db, wanted, ids[start : start + PART])
        yield rows


async def begin_activity(database: Database, user_id: int, scope: Scope, server_id: int) -> None:
    """Whether a file of a server's activity may be made; `NoRow` when the server is not within ``scope``."""
    async with database.acquire() as db:
        await queries.server_for(db, scope, server_id)
        await spend(db, f"export:{user_id}", per=PER_FILE, burst=FILES, message=TOO_OFTEN)


async def activity_parts(
    database: Database, scope: Scope, server_id: int, wanted: LogFilter
) -> AsyncGenerator[list[LogRow]]:
    """Activity, newest first, 500 lines at a time and 50,000 at most."""
    before = wanted.before
    for _ in range(MOST_LINES // PART):
        part = LogFilter(before, wanted.action_type, wanted.start, wanted.end)
        async with database.acquire() as db:
            rows = await queries.activity(db, scope, server_id, part, PART)
        if rows:
            yield rows
        if len(rows) < PART:
            return
        before = rows[-1].id
