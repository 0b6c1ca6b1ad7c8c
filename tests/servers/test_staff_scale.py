"""What staff look through at 1,000 and at 100,000 servers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, Final

import pytest

from hostwright.core.db import Command, Database, Db, Scalar
from hostwright.core.paging import Page
from hostwright.servers.queries import connections_admin, hypervisors, owners
from hostwright.servers.queries.addresses import Held, held
from hostwright.servers.service.owners import candidates
from tests.support.app import NOWHERE, Makers

SMALL, LARGE = 1_000, 100_000
SLACK_SECONDS: Final = 0.01
customers = Command("insert into customers (name) select 'Customer ' || n from generate_series($1::int, $2::int) n")
accounts = Command(
    """insert into compute_accounts (connection_id, customer_id, external_user_id)
    select $1, id, id from customers where id not in (select customer_id from compute_accounts)"""
)
# Every tenth server belongs to nobody; twenty servers a user, fifty a hypervisor.
servers = Command(
    """insert into servers (connection_id, external_id, external_owner_id, customer_id, name, state, power, hypervisor,
        created_at, detailed_at)
    select $1, n, case when n % 10 = 0 then 1000000 + n / 200 else n / 20 end,
        case when n % 10 <> 0 then (select min(id) from customers) + n / 20 end,
        'vm-' || n, 'active', 'running', 'hv-' || n / 50, now(), now()
    from generate_series($2::int, $3::int) n"""
)
addresses = Command(
    """insert into server_addresses (server_id, address, version, customer_id)
    select s.id, '10.' || s.external_id / 65536 || '.' || s.external_id / 256 % 256 || '.' || s.external_id % 256, 4,
        s.customer_id from servers s where s.external_id between $1 and $2"""
)
machines = Command(
    """insert into hypervisors (connection_id, external_id, name, enabled, maintenance, found_at)
    select $1, n, 'hv-' || n, true, false, now() from generate_series($2::int, $3::int) n"""
)
hypervisor = Scalar(int, "select id from hypervisors where name = 'hv-7'")


async def fill(database: Database, connection_id: int, start: int, end: int) -> None:
    async with database.transaction() as tx:
        await customers.run(tx, start // 20, end // 20)
        await servers.run(tx, connection_id, start, end)
        await addresses.run(tx, start, end)
        await machines.run(tx, connection_id, start // 50 + 1 if start > 1 else 0, end // 50)
        await accounts.run(tx, connection_id)
    async with database.acquire() as db:
        connection: Any = db
        await connection.execute("vacuum analyze")


async def one_hypervisor(db: Db) -> None:
    row = await hypervisors.one.one(db, await hypervisor.value(db))
    guests, total = await hypervisors.guests_of(db, row, Page())
    assert (len(guests), total) == (20, 50)
    assert await hypervisors.customers_on.value(db, row.connection_id, row.name) == 3
    await hypervisors.emails_on.all(db, row.connection_id, row.name)


async def address(db: Db) -> None:
    rows, total = await held(db, Held("10.0.1.7"), Page())
    assert (len(rows), total) == (1, 1)


async def network(db: Db) -> None:
    rows, total = await held(db, Held("10.0.1.0/24"), Page())
    assert (len(rows), total) == (20, 256)


async def unowned(db: Db) -> None:
    rows = await owners.unowned_page(db, (0, 0), 6)
    assert [row.servers for row in rows] in ([19, 20, 20, 20, 20, 1], [19, 20, 20, 20, 20, 20])


@pytest.mark.long
async def test_100_000_servers_cost_staff_no_more_than_1_000(database: Database, makers: Makers) -> None:
    number = await makers.connection(NOWHERE)

    async def user(db: Db) -> None:
        rows, total = await owners.servers_of(db, number, 5, Page())
        assert (len(rows), total) == (18, 18)

    async def search(db: Db) -> None:
        assert [row.name for row in await candidates(db, number, "omer 37")][:1] == ["Customer 37"]

    async def links(db: Db) -> None:
        assert len(await owners.accounts.all(db, 0, 21, "%")) == 21
        await connections_admin.all_facts.all(db)

    looked: dict[str, Callable[[Db], Awaitable[None]]] = {
        one.__name__: one for one in (one_hypervisor, address, network, unowned, user, search, links)
    }

    async def times() -> dict[str, float]:
        took: dict[str, float] = {}
        async with database.acquire() as db:
            for name, look in looked.items():
                each: list[float] = []
                for _ in range(8):
                    begun = perf_counter()
                    await look(db)
                    each.append(perf_counter() - begun)
                took[name] = min(each)
        return took

    await fill(database, number, 1, SMALL)
    small = await times()
    await fill(database, number, SMALL + 1, LARGE)
    large = await times()
    print({name: (round(small[name] * 1000, 1), round(large[name] * 1000, 1)) for name in looked})
    assert {name for name in looked if large[name] > 2 * small[name] + SLACK_SECONDS} == set()
