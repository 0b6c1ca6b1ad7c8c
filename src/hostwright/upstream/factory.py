"""Binds vendors to what features ask for: a provider for each attached control system."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol

from hostwright.core.config import Config, Environment
from hostwright.core.crypto import Keyring
from hostwright.core.db import Database
from hostwright.core.http import HttpClient, Reach, Settings
from hostwright.servers.ports import ComputeProvider, Providers, Trial
from hostwright.servers.providers import ConnectionProviders
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from hostwright.upstream.virtfusion.client import VirtFusionClient


class ConnectionFacts(Protocol):
    """What a connection's row says about the way to it."""

    @property
    def id(self) -> int: ...
    @property
    def base_url(self) -> str: ...
    @property
    def verify_tls(self) -> bool: ...
    @property
    def allow_private_targets(self) -> bool: ...


class Clients:
    """Makes providers and closes what they opened. One client lives per connection; a newer one retires the older."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._clients: dict[int, HttpClient] = {}
        self._retiring: set[asyncio.Task[None]] = set()

    def make(self, row: ConnectionFacts, token: str) -> ComputeProvider:
        """A provider of a connection; its row is what `ConnectionProviders` read."""
        client = VirtFusionClient(row.base_url, token, Settings(verify_tls=row.verify_tls, reach=self._reach))
        older = self._clients.get(row.id)
        self._clients[row.id] = client
        if older is not None:
            task = asyncio.get_running_loop().create_task(older.retire())
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)
        return VirtFusionCompute(client, allow_private_targets=row.allow_private_targets)

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*self._retiring)
        for client in self._clients.values():
            await client.close()


def reach_of(config: Config) -> Reach:
    """Only production keeps vendors off this machine: everywhere else they may be simulators."""
    strict = config.environment is Environment.PRODUCTION and not config.allow_local_upstreams
    return Reach.NETWORK if strict else Reach.ANYWHERE


@asynccontextmanager
async def connection_providers(config: Config, database: Database, keyring: Keyring) -> AsyncGenerator[Providers]:
    """Providers by connection for as long as a process lives."""
    clients = Clients(reach_of(config))
    try:
        yield ConnectionProviders(database, keyring, clients.make)
    finally:
        await clients.close()


def connection_trial(config: Config) -> Trial:
    """Providers of what is only tried. They are asked once and soon give up: somebody waits at a page."""

    @asynccontextmanager
    async def trial(base_url: str, token: str, *, verify_tls: bool) -> AsyncGenerator[ComputeProvider]:
        settings = Settings(verify_tls=verify_tls, reach=reach_of(config), attempts=1, connect=5.0, total=10.0)
        client = VirtFusionClient(base_url, token, settings)
        try:
            yield VirtFusionCompute(client)
        finally:
            await client.close()

    return trial
