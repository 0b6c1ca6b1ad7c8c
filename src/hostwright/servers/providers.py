"""Providers by connection, made anew when a connection's row changes."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

from hostwright.core.crypto import Keyring
from hostwright.core.db import Database
from hostwright.core.errors import NotFound
from hostwright.core.providers import Transient
from hostwright.servers.ports import ComputeProvider
from hostwright.servers.queries.connections import connection
from hostwright.servers.records import ConnectionRow

FRESH_SECONDS: Final = 3.0


class ConnectionProviders:
    """Fills `ports.Providers` for a process. ``make`` builds a provider of a row and its decrypted token."""

    def __init__(
        self, database: Database, keyring: Keyring, make: Callable[[ConnectionRow, str], ComputeProvider]
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._make = make
        self._known: dict[int, tuple[ConnectionRow, ComputeProvider, float]] = {}

    async def compute(self, connection_id: int) -> ComputeProvider:
        """The provider of a connection; its row is asked for every three seconds at most.

        Raises `NotFound` when there is no such connection and `Transient` when it is switched off.
        """
        known = self._known.get(connection_id)
        if known is not None and monotonic() - known[2] < FRESH_SECONDS:
            return self._usable(known[0], known[1])
        async with self._database.acquire() as db:
            row = await connection.maybe(db, connection_id)
        if row is None:
            self._known.pop(connection_id, None)
            message = f"There is no connection {connection_id}."
            raise NotFound(message)
        if known is not None and known[0].updated_at == row.updated_at:
            provider = known[1]
        else:
            token = self._keyring.decrypt("connections", "token", row.id, row.token).decode()
            provider = self._make(row, token)
        self._known[connection_id] = (row, provider, monotonic())
        return self._usable(row, provider)

    @staticmethod
    def _usable(row: ConnectionRow, provider: ComputeProvider) -> ComputeProvider:
        if not row.enabled:
            message = f"The connection {row.name} is switched off."
            raise Transient(message)
        return provider
