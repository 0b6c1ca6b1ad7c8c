"""Transactions over many servers, side by side: none may end in a deadlock, and the totals stay exact."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec
import pytest

from hostwright.core.db import Command, Database, Query, Scalar, Tx
from hostwright.core.providers import Power, ServerState
from hostwright.servers import queries, service
from hostwright.servers.queries import actions, mirror
from hostwright.servers.records import ServerCount
from hostwright.servers.service import link_account
from hostwright.servers.service.details import Seen, store_details

from .helpers import House
from .locks import lock_server, somebody_waits

ids = Scalar(int, "select id from servers order by id")
real_counts = Query(ServerCount, "select state, power, count(*) as n from servers group by 1, 2 order by state, power")
kept_counts = Query(
    ServerCount, "select state, power, n from server_counts where customer_id = -1 and n <> 0 order by state, power"
)
reverse_heap = Command("update servers set mirrored_at = mirrored_at where id = $1")
forget_views = Command("update servers set viewed_at = null")
viewed = Scalar(int, "select count(*) from servers where viewed_at is not null")


async def exact(database: Database) -> None:
    async with database.acquire() as db:
        assert await kept_counts.all(db) == await real_counts.all(db)


async def mirrored(house: House, number: int) -> list[int]:
    for n in range(1, number + 1):
        house.compute.add(n)
    await service.run_mirror(house.database, house.providers, house.connection_id, clock=house.clock)
    house.clock.move(minutes=1)
    async with house.database.acquire() as db:
        return await ids.all(db)


async def seen(house: House, external_id: int) -> Seen:
    row = await house.row(external_id)
    return Seen(row.id, house.clock.now(), await house.compute.observe(external_id, power=True))


async def stored(house: House, tx: Tx, one: Seen) -> None:
    await store_details(tx, house.connection_id, [one], house.clock.now())


async def test_two_transactions_over_many_servers_take_turns(house: House) -> None:
    """Each changes one total, and then the one that the other holds: the review's experiment."""
    first, *_ = await mirrored(house, 3)
    async with house.database.transaction() as tx:
        await actions.set_power.run(tx, first, Power.RUNNING, house.clock.now())
    for machine in house.compute.machines.values():
        machine.state = ServerState.SUSPENDED
    looks = [await seen(house, n) for n in (1, 2, 3)]
    # Elsewhere than the others: a place in common would make it wait before it holds a total.
    paris = msgspec.structs.replace(looks[1].server, location_id="2", location_name="Paris")
    looks[1] = msgspec.structs.replace(looks[1], server=paris)

    async def other() -> None:
        async with house.database.transaction() as tx:
            await stored(house, tx, looks[1])  # from active and unknown to suspended and running

    async with house.database.transaction() as tx:
        await stored(house, tx, looks[0])  # to suspended and running
        task = asyncio.create_task(other())
        await somebody_waits(house.database)
        await stored(house, tx, looks[2])  # from active and unknown
    await task
    await exact(house.database)


async def test_a_list_waits_for_a_server_before_it_changes_a_total(house: House) -> None:
    """A power action holds a server that the list misses, and then changes a total that the list changes, too."""
    first, second = await mirrored(house, 2)
    async with house.database.transaction() as tx:
        await actions.set_power.run(tx, first, Power.RUNNING, house.clock.now())
        await actions.set_power.run(tx, second, Power.RUNNING, house.clock.now())
    house.compute.machines[1].state = ServerState.SUSPENDED
    house.compute.hidden = {2}
    house.clock.move(minutes=1)
    async with house.database.transaction() as tx:
        await lock_server.value(tx, second)
        run = asyncio.create_task(
            service.run_mirror(house.database, house.providers, house.connection_id, clock=house.clock)
        )
        await somebody_waits(house.database)
        await actions.set_power.run(tx, second, Power.STOPPED, house.clock.now())
    outcome = await run
    assert (outcome.state, outcome.changed, outcome.missing) == ("done", 1, 1)
    await exact(house.database)


async def test_details_wait_for_a_dead_end_before_they_change_a_total(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    _, second = await mirrored(house, 2)
    house.compute.machines[1].state = ServerState.SUSPENDED
    house.compute.machines.pop(2)
    async with house.database.transaction() as tx:
        await lock_server.value(tx, second)
        run = asyncio.create_task(
            service.refresh_details(house.database, house.providers, house.connection_id, clock=house.clock)
        )
        await somebody_waits(house.database)
        await actions.set_power.run(tx, second, Power.STOPPED, house.clock.now())
    assert (await run).stored == 1
    assert "one_by_one" not in capsys.readouterr().out
    await exact(house.database)


async def test_a_link_takes_its_turn(house: House) -> None:
    await mirrored(house, 2)
    look = await seen(house, 1)

    async def link() -> int:
        async with house.database.transaction() as tx:
            customer = await Scalar(int, "insert into customers (name) values ('Late') returning id").value(tx)
            return await link_account(tx, house.connection_id, customer, 300)

    async with house.database.transaction() as tx:
        await stored(house, tx, look)
        task = asyncio.create_task(link())
        await somebody_waits(house.database)
    assert await task == 0


async def _held_from_the_end(house: House, numbers: list[int], call: Any) -> None:
    """``call`` reaches the first row and waits there, while the holder of the last takes the first: no deadlock."""
    async with house.database.transaction() as tx:
        await lock_server.value(tx, numbers[0])
        task = asyncio.create_task(call())
        await somebody_waits(house.database)
        for number in numbers[1:]:
            await lock_server.value(tx, number)
    await task


async def _turned_round(house: House, number: int) -> list[int]:
    """Servers whose order in the table is not that of their ids."""
    numbers = await mirrored(house, number)
    for one in reversed(numbers):
        async with house.database.transaction() as tx:
            await reverse_heap.run(tx, one)
    return numbers


@pytest.mark.parametrize("what", ["tried", "missing"])
async def test_rows_are_locked_in_the_order_of_their_ids(house: House, what: str) -> None:
    numbers = await _turned_round(house, 12)
    at: datetime = house.clock.now()

    async def call() -> None:
        async with house.database.transaction() as tx:
            if what == "tried":
                assert await mirror.tried.run(tx, numbers, at) == 12
            else:
                # An index would give them in this order by chance.
                await tx.execute("set local enable_indexscan = off")
                await tx.execute("set local enable_bitmapscan = off")
                assert await mirror.mark_missing.run(tx, house.connection_id, at, [0]) == 12

    await _held_from_the_end(house, numbers, call)


async def test_a_look_waits_for_nobody(house: House) -> None:
    numbers = await _turned_round(house, 12)
    async with house.database.transaction() as tx:
        await forget_views.run(tx)
    async with house.database.transaction() as tx:
        await lock_server.value(tx, numbers[3])
        async with asyncio.timeout(10), house.database.acquire() as db:
            await queries.touch_viewed(db, numbers)
            assert await viewed.value(db) == 11
    async with house.database.acquire() as db:
        await queries.touch_viewed(db, numbers)
        assert await viewed.value(db) == 12
