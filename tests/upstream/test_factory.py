"""Providers by connection, over a real database and real HTTP."""

from __future__ import annotations

import msgspec
import pytest

from hostwright.core.config import Config, Environment
from hostwright.core.crypto import Keyring, new_key
from hostwright.core.db import Command, Database
from hostwright.core.errors import NotFound
from hostwright.core.http import Reach
from hostwright.core.providers import Refused, Transient
from hostwright.servers import providers as waiting
from hostwright.servers.service.connections import add_connection
from hostwright.upstream.factory import Clients, connection_providers, reach_of
from tests.support.simulator import RunningSimulator

CONFIG = Config(environment=Environment.TEST, keys=new_key())
touch = Command("update connections set base_url = $2, enabled = $3, updated_at = clock_timestamp() where id = $1")


@pytest.fixture
def keyring() -> Keyring:
    return Keyring.load(CONFIG)


async def attach(database: Database, keyring: Keyring, simulator: RunningSimulator) -> int:
    async with database.transaction() as tx:
        return await add_connection(tx, keyring, name="Frankfurt", base_url=simulator.url, token=simulator.token)


async def test_a_connection_has_a_provider(database: Database, keyring: Keyring, simulator: RunningSimulator):
    connection_id = await attach(database, keyring, simulator)
    async with connection_providers(CONFIG, database, keyring) as providers:
        provider = await providers.compute(connection_id)
        assert len((await provider.list_servers()).servers) == 12
        assert await providers.compute(connection_id) is provider
        with pytest.raises(NotFound):
            await providers.compute(connection_id + 1)


async def test_a_changed_connection_gets_a_new_provider_and_the_older_one_still_works(
    database: Database, keyring: Keyring, simulator: RunningSimulator, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(waiting, "FRESH_SECONDS", 0.0)
    connection_id = await attach(database, keyring, simulator)
    async with connection_providers(CONFIG, database, keyring) as providers:
        older = await providers.compute(connection_id)
        await older.list_servers()
        async with database.transaction() as tx:
            await touch.run(tx, connection_id, simulator.url + "/elsewhere", True)
        newer = await providers.compute(connection_id)
        assert newer is not older
        with pytest.raises(Refused):
            await newer.list_servers()
        assert len((await older.list_servers()).servers) == 12
        async with database.transaction() as tx:
            await touch.run(tx, connection_id, simulator.url, False)
        with pytest.raises(Transient, match="switched off"):
            await providers.compute(connection_id)


class Facts(msgspec.Struct, frozen=True):
    id: int
    base_url: str
    verify_tls: bool = True
    allow_private_targets: bool = False


async def test_closing_closes_every_client(simulator: RunningSimulator):
    clients = Clients(Reach.ANYWHERE)
    older, newer = (clients.make(Facts(7, simulator.url), simulator.token) for _ in range(2))
    await older.list_servers()
    await newer.list_servers()
    kept = list(clients._clients.values())
    assert len(kept) == 1
    await clients.close()
    assert kept[0]._sessions == {}


@pytest.mark.parametrize(
    ("environment", "allowed", "reach"),
    [
        (Environment.PRODUCTION, False, Reach.NETWORK),
        (Environment.PRODUCTION, True, Reach.ANYWHERE),
        (Environment.DEMO, False, Reach.ANYWHERE),
        (Environment.DEVELOPMENT, False, Reach.ANYWHERE),
        (Environment.TEST, False, Reach.ANYWHERE),
    ],
)
def test_how_far_vendors_may_be(environment: Environment, allowed: bool, reach: Reach):
    assert reach_of(Config(environment=environment, allow_local_upstreams=allowed)) is reach


async def test_production_asks_no_vendor_on_this_machine(
    database: Database, keyring: Keyring, simulator: RunningSimulator
):
    connection_id = await attach(database, keyring, simulator)
    strict = Config(environment=Environment.PRODUCTION)
    async with connection_providers(strict, database, keyring) as providers:
        check = await (await providers.compute(connection_id)).check()
    assert (check.ok, check.problem) == (
        False,
        "The address of VirtFusion leads to a place that is never asked, such as this machine itself.",
    )
    assert simulator.requests() == []
