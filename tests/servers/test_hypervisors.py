"""Hypervisors: complete lists taken over within the budget; kept when they are no longer listed; who is on one."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hostwright.app import App
from hostwright.core.clock import SystemClock
from hostwright.core.db import Command, Database, Scalar
from hostwright.core.jobs import Retry, Work
from hostwright.core.paging import Page
from hostwright.core.providers import Capacity, ObservedHypervisor, Transient
from hostwright.servers import jobs
from hostwright.servers.events import HYPERVISORS, HYPERVISORS_ALL, ConnectionRef, Tick
from hostwright.servers.queries import hypervisors as statements
from hostwright.servers.queries.hypervisors import HypervisorRow, Wanted
from hostwright.servers.service.hypervisors import sync_hypervisors, take_over
from tests.support.app import Client, Makers, Person, SignIn, problems
from tests.support.simulator import running_simulator

from .helpers import START, House

API = "/api/admin/hypervisors"
PAGES = "/admin/hypervisors"
queued = Scalar(str, "select entrypoint || ':' || dedupe_key from pgqueuer order by id")
versions = Scalar(str, "select xmin::text from hypervisors order by id")
last_error = Scalar(str, "select hypervisors_error from connections where id = $1")
place = Command("update servers set hypervisor = $2 where id = $1")
switch_off = Command("update connections set enabled = false where id = $1")
disable = Command("update users set disabled_at = now() where id = $1")
spent = Command("insert into rate_limits (key, tat) values ($1, now() + interval '1 hour')")
audited = Scalar(str, "select action from audit_log order by id")


def machine(number: int, **changes: Any) -> ObservedHypervisor:
    values: dict[str, Any] = {
        "external_id": number,
        "name": f"hv-{number}",
        "group_id": "1",
        "group_name": "Frankfurt",
        "enabled": True,
        "maintenance": False,
        "servers": Capacity(12, 80),
        "memory_mib": Capacity(65_536, 262_144),
        "cores": Capacity(30, None),
        "storage_gib": None,
    }
    return ObservedHypervisor(**values | changes)


async def rows(house: House) -> list[HypervisorRow]:
    async with house.database.acquire() as db:
        return (await statements.hypervisor_page(db, Wanted(), Page(1, 100)))[0]


async def sync(house: House) -> Any:
    return await sync_hypervisors(house.database, house.providers, house.connection_id, clock=house.clock)


async def run[T](database: Database, query: Scalar[T], *arguments: object) -> list[T]:
    async with database.acquire() as db:
        return await query.all(db, *arguments)


async def test_a_list_is_taken_over_with_what_was_told_and_no_more(house: House) -> None:
    house.compute.hosts = [machine(1), machine(2, servers=None, group_id=None, group_name=None)]
    outcome = await sync(house)
    assert (outcome.listed, outcome.changed, outcome.missing) == (2, 2, 0)
    first, second = await rows(house)
    assert (first.memory_allocated_mib, first.memory_limit_mib) == (65_536, 262_144)
    assert (first.cores_allocated, first.cores_limit) == (30, None), "without limit"
    assert (first.storage_allocated_gib, first.storage_limit_gib) == (None, None), "not told"
    assert (second.servers_allocated, second.group_id) == (None, None)


async def test_nothing_changed_means_no_row_written(house: House) -> None:
    house.compute.hosts = [machine(number) for number in range(1, 21)]
    await sync(house)
    before = await run(house.database, versions)
    house.clock.move(minutes=10)
    outcome = await sync(house)
    assert (outcome.changed, outcome.missing) == (0, 0)
    assert await run(house.database, versions) == before


async def test_one_that_is_no_longer_listed_is_kept_and_marked(house: House) -> None:
    house.compute.hosts = [machine(1), machine(2)]
    await sync(house)
    house.compute.hosts = [machine(1)]
    house.clock.move(minutes=10)
    assert (await sync(house)).missing == 1
    kept = {row.external_id: row.missing_since for row in await rows(house)}
    assert kept == {1: None, 2: START + timedelta(minutes=10)}
    house.compute.hosts = [machine(1), machine(2, maintenance=True)]
    house.clock.move(minutes=10)
    await sync(house)
    assert [(row.missing_since, row.maintenance) for row in await rows(house)] == [(None, False), (None, True)]


async def test_a_vendor_that_is_away_changes_nothing_but_the_error(house: House) -> None:
    house.compute.hosts = [machine(1)]
    await sync(house)
    before = await run(house.database, versions)
    house.compute.fail["hypervisors"] = [Transient("VirtFusion does not answer.")]
    house.clock.move(minutes=10)
    assert (await sync(house)).error == "VirtFusion does not answer."
    assert await run(house.database, versions) == before
    assert await run(house.database, last_error, house.connection_id) == ["VirtFusion does not answer."]
    house.clock.move(minutes=10)
    await sync(house)
    assert await run(house.database, last_error, house.connection_id) == [None]


async def test_an_older_list_never_overwrites_a_newer_one(house: House) -> None:
    """Two syncs at once: the one that was begun first may well end last."""
    async with house.database.transaction() as tx:
        await take_over(tx, house.connection_id, [machine(1, name="new")], START + timedelta(seconds=5))
    async with house.database.transaction() as tx:
        outcome = await take_over(tx, house.connection_id, [machine(1, name="old"), machine(2)], START)
    assert outcome.stale
    assert [row.name for row in await rows(house)] == ["new"]


async def test_many_syncs_at_once_end_in_one_list(house: House) -> None:
    house.compute.hosts = [machine(number) for number in range(1, 6)]
    await asyncio.gather(*(sync(house) for _ in range(6)))
    assert len(await rows(house)) == 5


async def test_an_impossible_double_is_one(house: House) -> None:
    house.compute.hosts = [machine(1, name="a"), machine(1, name="b"), machine(2, name="")]
    assert (await sync(house)).listed == 3
    assert [row.external_id for row in await rows(house)] == [2, 1]


async def test_the_budget_is_kept(house: House) -> None:
    house.compute.hosts = [machine(1)]
    async with house.database.transaction() as tx:
        await spent.run(tx, f"virtfusion:{house.connection_id}")
    outcome = await sync(house)
    assert outcome.wait > 60
    assert house.compute.count("hypervisors") == 0
    binding = next(one for one in jobs.work(house.providers).bindings if one.job is HYPERVISORS)
    with pytest.raises(Retry):
        await binding.handler(Work(house.database, house.clock, 1, 1), ConnectionRef(house.connection_id))


async def test_the_schedule_lists_each_connection_that_is_on_once(house: House) -> None:
    part = jobs.work(house.providers)
    binding = next(one for one in part.bindings if one.job is HYPERVISORS_ALL)
    assert [one.cron for one in part.schedules if one.job is HYPERVISORS_ALL] == ["2-59/10 * * * *"]
    for _ in range(2):
        await binding.handler(Work(house.database, SystemClock(), 1, 1), Tick())
    key = f"servers.hypervisors:servers.hypervisors:{house.connection_id}"
    assert await run(house.database, queued) == [key]
    async with house.database.transaction() as tx:
        await switch_off.run(tx, house.connection_id)
    assert (await sync(house)).wait == 0


# --- over HTTP ---


@pytest.fixture
async def boss(sign_in: SignIn, staff: Person) -> Client:
    return await sign_in(staff)


async def test_staff_ask_for_a_list_and_are_told_when_one_waits(boss: Client, database: Database, house: House) -> None:
    first = await boss.post(f"{API}/sync")
    assert (first.status_code, first.json()) == (202, {"queued": [house.connection_id], "waiting": []})
    second = await boss.post(f"{API}/sync")
    assert second.json() == {"queued": [], "waiting": [house.connection_id]}
    assert (await boss.post(f"{PAGES}/sync")).status_code == 303
    assert await run(database, audited) == ["hypervisors.sync_requested"] * 3


async def test_the_list_over_http(boss: Client, house: House) -> None:
    house.compute.hosts = [machine(1), machine(2, group_id="2", group_name="<i>Oslo</i>", storage_gib=Capacity(9, 5))]
    await sync(house)
    found = (await boss.get(API)).json()
    assert [one["name"] for one in found["items"]] == ["hv-2", "hv-1"]
    assert found["items"][1]["cores"] == {"allocated": 30, "limit": None}
    assert found["items"][1]["storageGib"] is None
    assert found["pagination"]["total"] == 2
    assert [(one["groupId"], one["hypervisors"]) for one in found["groups"]] == [("2", 1), ("1", 1)]
    narrowed = (await boss.get(API, params={"connectionId": house.connection_id, "groupId": "1"})).json()
    assert [one["name"] for one in narrowed["items"]] == ["hv-1"]
    assert (await boss.get(API, params={"groupId": ""})).json()["items"] == []
    assert "page" in problems(await boss.get(API, params={"page": 0}))


async def test_defect_43_what_is_not_told_is_a_dash(boss: Client, house: House) -> None:
    bare: dict[str, Any] = dict.fromkeys(("servers", "memory_mib", "cores", "storage_gib"))
    house.compute.hosts = [machine(1, **bare)]
    await sync(house)
    page = (await boss.get(PAGES)).text
    assert page.count("not told") == 4
    assert "<rect" not in page.partition('id="hypervisor-')[2], "no bar without figures"
    house.compute.hosts = [machine(1, memory_mib=Capacity(2048, 1024))]
    house.clock.move(minutes=1)
    await sync(house)
    page = (await boss.get(PAGES)).text
    assert "no limit" in page
    assert "200 %" in page, "more given away than there is"


async def test_who_is_on_one(
    boss: Client, database: Database, makers: Makers, owner: Person, stranger: Person, house: House
) -> None:
    house.compute.hosts = [machine(1, name="hv-'1%_")]
    await sync(house)
    row = (await rows(house))[0]
    makers._connection_id = house.connection_id
    on = [await makers.server(owner.customer_id, f"web-{n:02}") for n in range(22)]
    on.append(await makers.server(stranger.customer_id, "aaa"))
    on.append(await makers.server(None, "nobody's"))
    elsewhere = await makers.server(owner.customer_id, "elsewhere")
    gone = await makers.server(owner.customer_id, "was-here", state="gone", power="unknown")
    async with database.transaction() as tx:
        for server in (*on, gone):
            await place.run(tx, server, row.name)
        await place.run(tx, elsewhere, "hv-2")
        await disable.run(tx, stranger.user_id)
    page = (await boss.get(f"{PAGES}/{row.id}")).text
    assert "2 customers" in page
    assert owner.email in page
    assert stranger.email not in page, "a disabled account gets no mail"
    assert "elsewhere" not in page
    assert "was-here" not in page
    assert page.index("aaa") < page.index("web-00")
    assert "web-21" in (await boss.get(f"{PAGES}/{row.id}?page=2")).text
    assert (await boss.get(f"{PAGES}/999999")).status_code == 404


async def test_hostile_filters_show_a_list(boss: Client, house: House) -> None:
    house.compute.hosts = [machine(1)]
    await sync(house)
    for query in (
        "connection=x",
        "connection=9" * 1,
        "group=%00",
        "connection=1&group=%ff",
        "page=9999999999",
        "page=-1",
    ):
        assert (await boss.get(f"{PAGES}?{query}")).status_code == 200
    assert (await boss.get(f"{PAGES}?connection={'9' * 30}")).status_code == 200


async def test_nobody_but_staff(sign_in: SignIn, owner: Person, house: House) -> None:
    house.compute.hosts = [machine(1)]
    await sync(house)
    row = (await rows(house))[0]
    caller = await sign_in(owner)
    for path in (PAGES, f"{PAGES}/{row.id}", API):
        assert (await caller.get(path)).status_code == 403


async def test_the_simulated_vendor_s_machines(app: App, database: Database, makers: Makers) -> None:
    async with running_simulator() as vendor:
        number = await makers.connection(vendor.url, vendor.token)
        assert app.providers is not None
        outcome = await sync_hypervisors(database, app.providers, number)
        assert (outcome.listed, outcome.error) == (len(vendor.world.hypervisors), None)
        async with database.acquire() as db:
            found, total = await statements.hypervisor_page(db, Wanted(number), Page(1, 100))
        assert total == len(vendor.world.hypervisors)
        assert all(row.memory_allocated_mib is not None and row.group_name for row in found)
