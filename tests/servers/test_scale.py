"""5,000 servers: our own time for a list and all details."""

from __future__ import annotations

from time import perf_counter

from hostwright.core.db import Scalar
from hostwright.servers.service import refresh_details, run_mirror

from .helpers import House

SERVERS = 5_000
BUDGET_SECONDS = 60.0


async def test_5000_servers_mirror_within_a_minute_of_our_own_time(house: House) -> None:
    for number in range(1, SERVERS + 1):
        house.compute.add(number, owner_id=100 if number % 2 else 200)
    started = perf_counter()
    listed = await run_mirror(house.database, house.providers, house.connection_id, clock=house.clock)
    details = await refresh_details(
        house.database, house.providers, house.connection_id, budget=SERVERS, clock=house.clock, limited=False
    )
    again = await run_mirror(house.database, house.providers, house.connection_id, clock=house.clock)
    spent = perf_counter() - started
    assert (listed.created, details.stored) == (SERVERS, SERVERS)
    assert (again.created, again.changed) == (0, 0)
    async with house.database.acquire() as db:
        known = Scalar(
            int, "select count(*) from servers where power = 'running' and cores = 2 and primary_ipv4 is not null"
        )
        assert await known.value(db) == SERVERS
    assert spent < BUDGET_SECONDS
    print(f"5,000 servers: {spent:.1f} s")
