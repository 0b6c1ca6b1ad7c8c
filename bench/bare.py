"""The baseline: a bare Litestar handler that runs the very statements of our JSON lists, and nothing else.

The statements are those of the product, taken from its queries, so that both sides do the same work in the database.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
from litestar import Litestar, Request, Response, get

from hostwright.core.crypto import token_hash
from hostwright.core.db.pool import Connection, prepare_connection
from hostwright.core.paging import Page
from hostwright.core.scope import OwnedBy
from hostwright.identity.queries import key_caller, session_caller
from hostwright.servers.queries import lists

IDLE = timedelta(hours=8)


class State(msgspec.Struct):
    """The process's pool."""

    pool: Any = None


state = State()
encoder = msgspec.json.Encoder()


async def _list(connection: Any, customer_id: int) -> Response[bytes]:
    query, arguments = lists._choose(lists._reads, lists.ServerFilter(OwnedBy(customer_id)), Page())
    rows = await connection.fetch(query.sql, *arguments)
    counts = await connection.fetch(lists._counts.sql, customer_id)
    items = [{**row, "addresses": msgspec.Raw(row["addresses"])} for row in rows]
    body = {"items": items, "counts": [dict(row) for row in counts]}
    return Response(encoder.encode(body), media_type="application/json")


@get("/session")
async def by_session(request: Request[Any, Any, Any]) -> Response[bytes]:
    """As a signed-in browser."""
    async with state.pool.acquire() as connection:
        row = await connection.fetchrow(session_caller.sql, token_hash(request.cookies["hw_session"]), IDLE)
        return await _list(connection, row["customer_ids"][0])


@get("/key")
async def by_key(request: Request[Any, Any, Any]) -> Response[bytes]:
    """As a program with a key, its limit counted."""
    async with state.pool.acquire() as connection:
        key = request.headers["authorization"].removeprefix("Bearer ")
        row = await connection.fetchrow(key_caller.sql, token_hash(key))
        return await _list(connection, row["customer_id"])


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncGenerator[None]:
    """The pool, as ours."""
    del app
    state.pool = await asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=1, max_size=10, connection_class=Connection, init=prepare_connection
    )
    yield
    await state.pool.close()


def create_app() -> Litestar:
    """What granian calls."""
    return Litestar([by_session, by_key], lifespan=[lifespan], logging_config=None, openapi_config=None)
