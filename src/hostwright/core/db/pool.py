"""The pool: connections without a reset query, jsonb decoded by records, a full pool as a clear 503."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, cast

import asyncpg
import msgspec

from hostwright.core.db.query import Db, Tx
from hostwright.core.errors import Unavailable

ACQUIRE_SECONDS: Final = 2.0
STATEMENT_SECONDS: Final = 30


if TYPE_CHECKING:
    _Base = asyncpg.Connection[asyncpg.Record]
else:  # only the stubs are generic
    _Base = asyncpg.Connection


class PoolExhausted(Unavailable):
    """Every connection is in use, or the database does not answer."""

    code = "database_busy"
    default_message = "The database is busy. Nothing was changed. Try again in a moment."


class Connection(_Base):
    """Pooled connections keep no state (``set local`` and transaction-level locks only), so none has to be reset.

    asyncpg's reset costs as much as a query: without it a request is a third quicker.
    """

    def get_reset_query(self) -> str:
        """Nothing to run; an open transaction is still rolled back by the pool."""
        return ""


async def _begin(connection: asyncpg.Connection[Any]) -> None:
    """Bound what a statement may take where that costs nothing: in the server, and in the kernel for a dead network."""
    await prepare_connection(connection)
    await connection.execute(f"set statement_timeout = '{STATEMENT_SECONDS}s'")
    found = cast("Any", connection)._transport.get_extra_info("socket")  # noqa: SLF001  asyncpg shows no other way
    if found is not None and found.family in (socket.AF_INET, socket.AF_INET6):
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STATEMENT_SECONDS * 1000)


async def prepare_connection(connection: asyncpg.Connection[Any]) -> None:
    """Take Python values for jsonb parameters, and give jsonb columns as bytes, which records decode by their types."""
    encode = msgspec.json.Encoder()
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + encode.encode(value),
        decoder=lambda data: bytes(memoryview(data)[1:]),
    )


class Database:
    """One process's way to PostgreSQL: `acquire` to read, `transaction` to write; never held over an upstream call."""

    def __init__(self, pool: asyncpg.Pool[Any], dsn: str) -> None:
        self.pool = pool
        self.dsn = dsn

    @asynccontextmanager
    async def acquire(self) -> AsyncGenerator[Db]:
        """A connection for reads in autocommit; raises `PoolExhausted` after two seconds."""
        connection = await self.take()
        try:
            yield connection
        finally:
            await self.pool.release(cast("Any", connection))

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Tx]:
        """A transaction that commits at the end of the block and rolls back on any error."""
        connection = await self.take()
        try:
            async with cast("Connection", connection).transaction():
                yield cast("Tx", connection)
        finally:
            await self.pool.release(cast("Any", connection))

    async def take(self) -> Db:
        """A connection that the caller gives back with `give`."""
        try:
            # A timer costs as much as a small query: only who may have to wait gets one.
            timeout = None if self.pool.get_idle_size() else ACQUIRE_SECONDS
            return cast("Db", await self.pool.acquire(timeout=timeout))
        except (
            TimeoutError,
            OSError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            asyncpg.PostgresConnectionError,
        ) as error:
            raise PoolExhausted from error
        except asyncpg.PostgresError as error:
            if error.sqlstate and error.sqlstate.startswith(("57", "53")):
                raise PoolExhausted from error
            raise

    async def give(self, connection: Db) -> None:
        """Give a connection from `take` back."""
        await self.pool.release(cast("Any", connection))

    async def connect(self) -> asyncpg.Connection[Any]:
        """A connection of its own outside the pool, for LISTEN."""
        return await asyncpg.connect(self.dsn, timeout=5)

    async def close(self) -> None:
        """Close every connection, waiting at most three seconds for those in use."""
        try:
            await asyncio.wait_for(self.pool.close(), 3)
        except TimeoutError:
            self.pool.terminate()


async def create_database(dsn: str, *, max_size: int = 10, min_size: int = 1) -> Database:
    """Open the pool; raises `OSError` or `asyncpg.PostgresError` when the database cannot be reached."""
    pool = await asyncpg.create_pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        connection_class=Connection,
        init=_begin,
        max_inactive_connection_lifetime=300,
    )
    return Database(pool, dsn)
