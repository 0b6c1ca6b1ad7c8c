"""The mirror's details: what one answer about a server fills in, and who is asked for first."""

from __future__ import annotations

import asyncio

from hostwright.core.db import Scalar
from hostwright.core.providers import ObservedAddress, Power, ServerState, Transient
from hostwright.servers.service import refresh_details

from .helpers import House, addresses_ever, log_actions
from .mirroring import details, mirror


async def test_details_fill_the_row(house: House) -> None:
    house.compute.add(1)
    await mirror(house)
    assert await details(house) == 1
    row = await house.row(1)
    assert (row.cores, row.memory_mib, row.disk_gib, row.operating_system) == (2, 2048, 40, "Debian 13")
    assert (row.location, row.primary_ipv4, row.power) == ("Frankfurt", "192.0.2.1", Power.RUNNING)
    assert row.power_observed_at == house.clock.now()


async def test_an_unknown_power_overwrites_only_when_it_was_said(house: House) -> None:
    machine = house.compute.add(1)
    await mirror(house)
    await details(house)
    told = (await house.row(1)).power_observed_at
    house.clock.move(minutes=2)
    machine.power = None
    await details(house)
    row = await house.row(1)
    assert (row.power, row.power_observed_at) == (Power.RUNNING, told)
    house.clock.move(minutes=2)
    machine.power = Power.UNKNOWN
    await details(house)
    row = await house.row(1)
    assert (row.power, row.power_observed_at) == (Power.UNKNOWN, house.clock.now())


async def test_what_happens_outside_the_panel_is_written_down(house: House) -> None:
    machine = house.compute.add(1)
    await mirror(house)
    await details(house)
    house.clock.move(minutes=2)
    machine.power = Power.STOPPED
    await details(house)
    house.clock.move(minutes=2)
    machine.state = ServerState.SUSPENDED
    await mirror(house)
    server_id = (await house.row(1)).id
    assert await house.texts(log_actions, server_id) == ["found:success", "stopped:success", "suspended:success"]


async def test_address_history_is_closed_not_deleted(house: House) -> None:
    machine = house.compute.add(1)
    await mirror(house)
    await details(house)
    house.clock.move(minutes=2)
    machine.addresses = [
        ObservedAddress("192.0.2.77", 4, primary=True),
        ObservedAddress("2001:db8:1::/64", 6, primary=False),
    ]
    await details(house)
    server_id = (await house.row(1)).id
    assert await house.texts(addresses_ever, server_id) == [
        f"192.0.2.1 {house.customer_id} released",
        f"192.0.2.77 {house.customer_id}",
        f"2001:db8:1::/64 {house.customer_id}",
    ]


async def test_viewed_servers_come_first_within_the_budget(house: House) -> None:
    for n in range(1, 31):
        house.compute.add(n)
    await mirror(house)
    row = await house.row(23)
    async with house.database.transaction() as tx:
        viewed = Scalar(int, "update servers set viewed_at = $2 where id = $1 returning 1")
        await viewed.value(tx, row.id, house.clock.now())
    await refresh_details(house.database, house.providers, house.connection_id, budget=5, clock=house.clock)
    asked = [number for call, number in house.compute.calls if call == "observe"]
    assert len(asked) == 5
    assert 23 in asked


async def test_the_budget_is_shared_by_all_processes(house: House) -> None:
    for n in range(1, 301):
        house.compute.add(n)
    await mirror(house)
    passes = [
        refresh_details(house.database, house.providers, house.connection_id, budget=300, clock=house.clock)
        for _ in range(3)
    ]
    await asyncio.gather(*passes)
    assert 100 <= house.compute.count("observe") <= 115  # a burst of a sixth of 600, and what refills meanwhile


async def test_a_vendor_that_goes_away_ends_the_pass(house: House) -> None:
    for n in range(1, 101):
        house.compute.add(n)
    await mirror(house)
    house.compute.fail["observe"] = [Transient("away") for _ in range(100)]
    outcome = await refresh_details(
        house.database, house.providers, house.connection_id, budget=100, clock=house.clock, limited=False
    )
    assert outcome.error == "away"
    assert outcome.calls < 20
