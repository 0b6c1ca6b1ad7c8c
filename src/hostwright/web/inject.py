"""What a handler can ask for by name, and the one connection that a request has.

A request owns at most one pooled connection (`Unit`): who calls is looked up on it in autocommit, then the handler
reads through it (``db``), or writes in a transaction on it (``tx``) that commits before the answer is sent. A handler
that calls an upstream takes ``database``: the connection is given back before the handler starts.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Annotated, Any, TypeAlias, TypeVar, cast

import msgspec
from litestar import Request
from litestar.di import Dependency, Provide
from litestar.params import SkipValidationMarker

from hostwright.core.config import Config
from hostwright.core.crypto import Keyring
from hostwright.core.db import LARGEST_ID, Database, Db, Tx
from hostwright.core.errors import NotFound
from hostwright.core.live import Hub
from hostwright.core.passwords import Passwords

T = TypeVar("T")

AnyRequest: TypeAlias = Request[Any, Any, Any]  # noqa: UP040  Litestar reads the alias
"""A handler's ``request``. A ``type`` statement would hide the class from Litestar, which warns then."""

Injected: TypeAlias = Annotated[T, Dependency(kind="named"), SkipValidationMarker()]  # noqa: UP040  Litestar reads the alias
"""A parameter filled by name. Unvalidated: our own providers make it, and protocols cannot be checked cheaply."""


class Services(msgspec.Struct):
    """What one process has: made by the composition root, filled when the process starts."""

    config: Config
    keyring: Keyring
    passwords: Passwords
    draining: asyncio.Event = msgspec.field(default_factory=asyncio.Event)
    """Set once the process was told to leave: it answers what still comes, and wants no more."""
    _database: Database | None = None
    _hub: Hub | None = None

    @property
    def database(self) -> Database:
        """The pool; only there while the process runs."""
        if self._database is None:
            message = "the database is opened when the process starts"
            raise RuntimeError(message)
        return self._database

    @database.setter
    def database(self, value: Database) -> None:
        self._database = value

    @property
    def hub(self) -> Hub:
        """Live events; only there while the process runs."""
        if self._hub is None:
            message = "the hub is opened when the process starts"
            raise RuntimeError(message)
        return self._hub

    @hub.setter
    def hub(self, value: Hub) -> None:
        self._hub = value


class Unit:
    """One request's connection and transaction. Nothing is taken before it is needed."""

    __slots__ = ("_connection", "_database", "_transaction")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Db | None = None
        self._transaction: Any = None

    async def connection(self) -> Db:
        """The request's connection; raises `PoolExhausted` when there is none for two seconds."""
        if self._connection is None:
            self._connection = await self._database.take()
        return self._connection

    async def autocommit(self) -> Tx:
        """The same connection for a write of one statement that stands even when the request is refused."""
        return cast("Tx", await self.connection())

    async def begin(self) -> Tx:
        """Open the request's transaction."""
        connection = cast("Any", await self.connection())
        self._transaction = connection.transaction()
        await self._transaction.start()
        return cast("Tx", connection)

    async def release(self) -> None:
        """Give the connection back before an upstream is called, or after a refusal."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await self._database.give(connection)

    async def finish(self, *, commit: bool) -> None:
        """End the transaction, if there is one, and give the connection back."""
        try:
            if self._transaction is not None:
                transaction, self._transaction = self._transaction, None
                await (transaction.commit() if commit else transaction.rollback())
        finally:
            await self.release()


def core_dependencies(services: Services) -> Mapping[str, Provide]:
    """The providers that every route has. ``tx``, ``db`` and ``database`` come once it is known who calls."""

    async def provide_unit(request: AnyRequest) -> AsyncGenerator[Unit]:
        if any(isinstance(value, int) and abs(value) > LARGEST_ID for value in request.path_params.values()):
            raise NotFound  # no row has such an id, and the database could not read it
        unit = Unit(services.database)
        try:
            yield unit
        except BaseException:
            await unit.finish(commit=False)
            raise
        await unit.finish(commit=True)

    # After ``viewer``, not beside it: what Litestar can fill at the same time it fills in tasks, which cost more than
    # they do.
    async def provide_db(unit: Injected[Unit], viewer: Injected[object]) -> Db:
        del viewer
        return await unit.connection()

    async def provide_tx(unit: Injected[Unit], viewer: Injected[object]) -> Tx:
        del viewer
        return await unit.begin()

    async def provide_database(unit: Injected[Unit], caller: Injected[object]) -> Database:
        del caller
        await unit.release()
        return services.database

    async def provide_config() -> Config:
        return services.config

    async def provide_services() -> Services:
        return services

    async def provide_keyring() -> Keyring:
        return services.keyring

    return {
        "unit": Provide(provide_unit),
        "db": Provide(provide_db),
        "tx": Provide(provide_tx),
        "database": Provide(provide_database),
        "app_config": Provide(provide_config),
        "services": Provide(provide_services),
        "keyring": Provide(provide_keyring),
    }
