"""Lists: what they show, in which order, with how many statements, and never anything of others."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hostwright.core.db import NoRow, Scalar
from hostwright.core.paging import Page
from hostwright.core.providers import Power, ServerState
from hostwright.core.scope import OwnedBy, Staff
from hostwright.servers import queries
from hostwright.servers.queries import ServerFilter
from hostwright.servers.schemas import Sort
from hostwright.servers.service import refresh_details, run_mirror

from .helpers import House

set_state = Scalar(int, "update servers set state = $3 where connection_id = $1 and external_id = $2 returning 1")
STAFF = Staff("servers.manage")


@pytest.fixture
async def full(house: House) -> House:
    """Five servers of ours, two of a stranger's, one of nobody's."""
    for number, name in enumerate(("delta", "alpha", "echo", "bravo", "charlie"), start=1):
        house.compute.add(number, owner_id=100, name=name)
    house.compute.machines[3].power = Power.STOPPED
    house.compute.add(6, owner_id=200, name="foxtrot")
    house.compute.add(7, owner_id=200, name="golf_100%")
    house.compute.add(8, owner_id=999, name="hotel")
    await run_mirror(house.database, house.providers, house.connection_id, clock=house.clock)
    await refresh_details(house.database, house.providers, house.connection_id, budget=99, clock=house.clock)
    async with house.database.transaction() as tx:
        await set_state.value(tx, house.connection_id, 5, ServerState.GONE)
        await set_state.value(tx, house.connection_id, 4, ServerState.SUSPENDED)
    return house


async def names(house: House, wanted: ServerFilter, page: Page | None = None) -> list[str]:
    async with house.database.acquire() as db:
        rows = await queries.list_rows(db, wanted, page or Page())
        reads = await queries.list_reads(db, wanted, page or Page())
        staff = await queries.list_admin_reads(db, wanted, page or Page())
    found = [row.name for row in rows.items]
    assert [read.name for read in reads.items] == found
    assert [read.name for read in staff.items] == found
    assert rows.total == reads.total == staff.total
    return found


async def test_a_customer_sees_their_own_without_gone_ones(full: House) -> None:
    assert await names(full, ServerFilter(full.scope)) == ["alpha", "bravo", "delta", "echo"]
    assert await names(full, ServerFilter(OwnedBy(full.stranger_id))) == ["foxtrot", "golf_100%"]
    assert await names(full, ServerFilter(OwnedBy(full.stranger_id), customer_id=full.customer_id)) == [
        "foxtrot",
        "golf_100%",
    ]


async def test_staff_see_all_or_one_customers(full: House) -> None:
    assert await names(full, ServerFilter(STAFF)) == [
        "alpha",
        "bravo",
        "delta",
        "echo",
        "foxtrot",
        "golf_100%",
        "hotel",
    ]
    assert len(await names(full, ServerFilter(STAFF, customer_id=full.stranger_id))) == 2


@pytest.mark.parametrize("scope", ["own", "staff"])
@pytest.mark.parametrize("sort", list(Sort))
async def test_orders_turn_round_and_pages_join(full: House, sort: Sort, scope: str) -> None:
    who = full.scope if scope == "own" else STAFF
    whole = await names(full, ServerFilter(who, sort=sort))
    back = Sort(sort[1:]) if sort.startswith("-") else Sort(f"-{sort}")
    assert await names(full, ServerFilter(who, sort=back)) == whole[::-1]
    pages = [await names(full, ServerFilter(who, sort=sort), Page(number, 2)) for number in (1, 2, 3, 4)]
    assert [name for page in pages for name in page] == whole


async def test_filters(full: House) -> None:
    assert await names(full, ServerFilter(full.scope, state=ServerState.GONE)) == ["charlie"]
    assert await names(full, ServerFilter(full.scope, state=ServerState.SUSPENDED)) == ["bravo"]
    assert await names(full, ServerFilter(full.scope, power=Power.STOPPED)) == ["echo"]
    assert await names(full, ServerFilter(full.scope, state=ServerState.ACTIVE, power=Power.RUNNING)) == [
        "alpha",
        "delta",
    ]
    assert await names(full, ServerFilter(STAFF, power=Power.STOPPED), Page(2, 20)) == []
    assert await names(full, ServerFilter(full.scope, state=ServerState.ACTIVE), Page(2, 2)) == ["echo"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ALPH", ["alpha"]),
        ("192.0.2.3", ["echo"]),
        ("delta.example", ["delta"]),
        ("%", ["golf_100%"]),
        ("_", ["golf_100%"]),
        ("\\", []),
        ("charlie", []),  # gone
        ("a\0b", []),
        ("'; drop table servers; --", []),
    ],
)
async def test_search_finds_a_part_and_takes_nothing_for_a_pattern(full: House, text: str, found: list[str]) -> None:
    wanted = ServerFilter(STAFF, search=text)
    assert await names(full, wanted) == found
    async with full.database.acquire() as db:
        assert (await queries.list_rows(db, wanted, Page())).total == len(found)
        assert (await queries.list_rows(db, wanted, Page(5, 20))).total == len(found)


async def test_totals_are_exact_without_counting(full: House) -> None:
    async with full.database.acquire() as db:
        for scope in (full.scope, OwnedBy(full.stranger_id), STAFF):
            for state in (None, *ServerState):
                for power in (None, *Power):
                    wanted = ServerFilter(scope, state=state, power=power)
                    listed = await queries.list_rows(db, wanted, Page(1, 100))
                    assert listed.total == len(listed.items)
            searched = ServerFilter(scope, search="a", state=ServerState.ACTIVE, power=Power.RUNNING)
            listed = await queries.list_rows(db, searched, Page(1, 100))
            assert listed.total == len(listed.items)


other_connection = Scalar(
    int,
    """insert into connections (kind, name, base_url, token)
    values ('virtfusion', 'Oslo', 'http://127.0.0.1:9', '\\x00') returning id""",
)
insert_elsewhere = Scalar(
    int,
    """insert into servers (connection_id, external_id, name, state, power, created_at)
    values ($1, $2, $3, $4, $5, now()) returning id""",
)


async def test_staff_see_one_connections_servers(full: House) -> None:
    async with full.database.transaction() as tx:
        oslo = await other_connection.value(tx)
        await insert_elsewhere.value(tx, oslo, 1, "india", ServerState.ACTIVE, Power.RUNNING)
        await insert_elsewhere.value(tx, oslo, 2, "juliet", ServerState.ACTIVE, Power.STOPPED)
        await insert_elsewhere.value(tx, oslo, 3, "kilo", ServerState.GONE, Power.UNKNOWN)
    there = ServerFilter(STAFF, connection_id=oslo)
    for sort in Sort:
        shown = await names(full, msgspec.structs.replace(there, sort=sort))
        assert sorted(shown) == ["india", "juliet"]
    assert await names(full, there, Page(2, 1)) == ["juliet"]
    assert await names(full, msgspec.structs.replace(there, search="kil")) == []
    assert await names(full, msgspec.structs.replace(there, search="JUL")) == ["juliet"]
    assert await names(full, msgspec.structs.replace(there, state=ServerState.GONE)) == ["kilo"]
    assert await names(full, msgspec.structs.replace(there, state=ServerState.ACTIVE, power=Power.STOPPED)) == [
        "juliet"
    ]
    assert len(await names(full, ServerFilter(STAFF, connection_id=full.connection_id))) == 7
    assert await names(full, ServerFilter(full.scope, connection_id=oslo)) == ["alpha", "bravo", "delta", "echo"]
    async with full.database.acquire() as db:
        counts = await queries.list_counts(db, there)
    assert {(one.state, one.power): one.n for one in counts} == {
        (ServerState.ACTIVE, Power.RUNNING): 1,
        (ServerState.ACTIVE, Power.STOPPED): 1,
        (ServerState.GONE, Power.UNKNOWN): 1,
    }


async def test_totals_follow_deletions_and_new_owners(full: House) -> None:
    async with full.database.transaction() as tx:
        await Scalar(int, "update servers set customer_id = $1 where external_id = 1 returning 1").value(
            tx, full.stranger_id
        )
        await Scalar(int, "delete from servers where external_id = 2 returning 1").value(tx)
        totals = [
            (await queries.list_rows(tx, ServerFilter(scope), Page())).total
            for scope in (full.scope, OwnedBy(full.stranger_id), STAFF)
        ]
    assert totals == [2, 3, 6]


async def test_the_api_row_says_what_a_complete_list_said(full: House) -> None:
    full.clock.move(minutes=3)
    await run_mirror(full.database, full.providers, full.connection_id, clock=full.clock)
    async with full.database.acquire() as db:
        read = (await queries.list_reads(db, ServerFilter(full.scope), Page())).items[0]
    assert read.state_observed_at == full.clock.now()
    assert [(a.address, a.version, a.primary) for a in read.addresses] == [("192.0.2.2", 4, True)]


class Counting:
    """A connection that counts its statements."""

    def __init__(self, db: Any) -> None:
        self.db = db
        self.statements = 0

    async def fetch(self, query: str, *args: object) -> Any:
        self.statements += 1
        return await self.db.fetch(query, *args)

    async def fetchrow(self, query: str, *args: object) -> Any:
        self.statements += 1
        return await self.db.fetchrow(query, *args)


@pytest.mark.parametrize("search", ["", "a"])
@pytest.mark.parametrize("size", [1, 3])
async def test_defect_33_a_list_costs_the_same_whatever_its_length(full: House, size: int, search: str) -> None:
    full.compute.calls.clear()
    async with full.database.acquire() as db:
        counting = Counting(db)
        listed = await queries.list_reads(counting, ServerFilter(full.scope, search=search), Page(1, size))
    assert (len(listed.items), listed.total, counting.statements) == (size, 4, 3 if search else 2)
    assert full.compute.calls == []  # and nothing of the vendor


async def test_one_server_is_found_by_its_owner_and_by_staff(full: House) -> None:
    row = await full.row(1)
    async with full.database.acquire() as db:
        assert (await queries.server_for(db, full.scope, row.id)).name == "delta"
        assert (await queries.own_read(db, full.customer_id, row.id)).name == "delta"
        assert (await queries.admin_read(db, row.id)).customer_name == "Analytical Engines"
        assert [found.name for found in await queries.palette(db, full.scope, "del")] == ["delta"]
        assert await queries.palette(db, OwnedBy(full.stranger_id), "del") == []
        for stranger in (queries.server_for(db, OwnedBy(full.stranger_id), row.id), queries.own_read(db, -1, row.id)):
            with pytest.raises(NoRow):
                await stranger
