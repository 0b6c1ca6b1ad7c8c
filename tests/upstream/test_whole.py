"""The mirror over the adapter over HTTP over the simulator."""

from __future__ import annotations

from time import perf_counter

import pytest

from hostwright.core.config import Config, Environment
from hostwright.core.crypto import Keyring, new_key
from hostwright.core.db import Database, Scalar
from hostwright.servers.service import refresh_details, run_mirror
from hostwright.servers.service.connections import add_connection
from hostwright.upstream.factory import connection_providers
from hostwright.upstream.virtfusion.simulator import WorldPlan
from tests.support.simulator import running_simulator

CONFIG = Config(environment=Environment.TEST, keys=new_key())
complete = Scalar(
    int,
    """select count(*) from servers where cores is not null and memory_mib is not null and disk_gib is not null
    and operating_system is not null and package is not null and hypervisor is not null and location_id is not null
    and primary_ipv4 is not null and primary_ipv6 is not null and hostname is not null""",
)
running = Scalar(int, "select count(*) from servers where power = 'running'")
unknown = Scalar(int, "select count(*) from servers where power = 'unknown'")


@pytest.mark.long
@pytest.mark.parametrize("servers", [400, 5_000])
async def test_a_company_is_mirrored_whole_and_stays_calm(database: Database, servers: int):
    keyring = Keyring.load(CONFIG)
    plan = WorldPlan(servers=servers, users=60, build_minutes=600)
    async with running_simulator(plan) as simulator, connection_providers(CONFIG, database, keyring) as providers:
        async with database.transaction() as tx:
            connection_id = await add_connection(
                tx, keyring, name="Frankfurt", base_url=simulator.url, token=simulator.token
            )
        begun = perf_counter()
        listed = await run_mirror(database, providers, connection_id)
        details = await refresh_details(database, providers, connection_id, budget=servers, limited=False)
        spent = perf_counter() - begun
        simulator.forget()
        again = await run_mirror(database, providers, connection_id)

    pages = -(-servers // 200)
    assert (listed.state, listed.created, listed.calls) == ("done", servers, pages)
    assert (details.stored, details.lost) == (servers, 0)
    # The second list finds nothing else than the first and the details did.
    assert (again.created, again.changed, again.missing, again.calls) == (0, 0, 0, pages)
    assert len(simulator.requests()) == pages
    facts = simulator.world.servers.values()
    async with database.acquire() as db:
        assert await complete.value(db) == servers
        assert await running.value(db) == sum(one.running for one in facts)
        assert await unknown.value(db) == sum(one.state != "complete" for one in facts)
    assert spent < 60
    print(f"{servers} servers over HTTP: {spent:.1f} s")
