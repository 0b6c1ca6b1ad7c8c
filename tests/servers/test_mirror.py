"""The mirror's list: what is written, what is not, and when a server is gone."""

from __future__ import annotations

import asyncio

import pytest

from hostwright.core.db import Scalar
from hostwright.core.providers import (
    Ambiguous,
    Power,
    Refused,
    ServerState,
    Transient,
)
from hostwright.servers import queries
from hostwright.servers.policy import may_prune
from hostwright.servers.service import (
    confirm_pruning,
    link_account,
)

from .helpers import ACTOR, House, addresses_ever, log_actions, version_of
from .mirroring import details, mirror

run_states = Scalar(str, "select state from mirror_runs order by id")
start_dead_run = Scalar(
    int, "insert into mirror_runs (connection_id, started_at, heartbeat_at) values ($1, $2, $2) returning id"
)


async def test_new_servers_find_their_customers(house: House) -> None:
    house.compute.add(1, owner_id=100)
    house.compute.add(2, owner_id=200)
    house.compute.add(3, owner_id=999)
    outcome = await mirror(house)
    assert (outcome.state, outcome.listed, outcome.created, outcome.changed) == ("done", 3, 3, 0)
    assert [(await house.row(n)).customer_id for n in (1, 2, 3)] == [house.customer_id, house.stranger_id, None]
    row = await house.row(1)
    assert (row.power, row.state, row.power_observed_at) == (Power.UNKNOWN, ServerState.ACTIVE, None)
    assert row.list_at == house.clock.now()
    assert await house.texts(log_actions, row.id) == ["found:success"]


async def test_unchanged_servers_are_not_rewritten(house: House) -> None:
    for n in range(1, 4):
        house.compute.add(n)
    await mirror(house)
    before = [await house.texts(version_of, (await house.row(n)).id) for n in (1, 2, 3)]
    house.clock.move(minutes=1)
    house.compute.machines[2].name = "renamed"
    outcome = await mirror(house)
    after = [await house.texts(version_of, (await house.row(n)).id) for n in (1, 2, 3)]
    assert outcome.changed == 1
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True]
    assert (await house.row(2)).name == "renamed"
    # The list says that the other two stand as they stood, without a write.
    assert (await house.row(1)).list_at == house.clock.now()


async def test_a_new_owner_takes_the_server_and_its_addresses(house: House) -> None:
    house.compute.add(1, owner_id=100)
    await mirror(house)
    await details(house)
    server_id = (await house.row(1)).id
    house.clock.move(minutes=5)
    house.compute.machines[1].owner_id = 200
    await mirror(house)
    assert (await house.row(1)).customer_id == house.stranger_id
    assert await house.texts(addresses_ever, server_id) == [
        f"192.0.2.1 {house.customer_id} released",
        f"192.0.2.1 {house.stranger_id}",
    ]


async def test_linking_an_account_adopts_what_is_mirrored(house: House) -> None:
    house.compute.add(1, owner_id=300)
    await mirror(house)
    await details(house)
    async with house.database.transaction() as tx:
        customer_id = await Scalar(int, "insert into customers (name) values ('Late') returning id").value(tx)
        assert await link_account(tx, house.connection_id, customer_id, 300) == 1
    row = await house.row(1)
    assert row.customer_id == customer_id
    assert (await house.texts(addresses_ever, row.id))[-1] == f"192.0.2.1 {customer_id}"


@pytest.mark.parametrize("error", [Transient("away"), Refused("no"), Ambiguous("what")])
async def test_defect_15_a_failing_vendor_changes_nothing(house: House, error: Exception) -> None:
    house.compute.add(1)
    await mirror(house)
    server_id = (await house.row(1)).id
    before = await house.texts(version_of, server_id)
    listed = (await house.row(1)).list_at
    for _ in range(5):
        house.clock.move(minutes=15)
        house.compute.fail["list_servers"] = [error]  # type: ignore[list-item]  # each is a provider error
        outcome = await mirror(house)
        assert outcome.state == "failed"
    assert await house.texts(version_of, server_id) == before
    assert (await house.row(1)).list_at == listed
    async with house.database.acquire() as db:
        health = (await queries.connections_overview(db))[0]
    assert health.last_error == str(error)


async def test_defect_15_missing_from_one_list_is_not_gone(house: House) -> None:
    for n in range(1, 4):
        house.compute.add(n)
    await mirror(house)
    house.clock.move(minutes=1)
    del house.compute.machines[2]
    outcome = await mirror(house)
    assert (outcome.missing, outcome.gone) == (1, 0)
    house.clock.move(minutes=9)
    assert (await mirror(house)).gone == 0
    assert (await house.row(2)).state is ServerState.ACTIVE
    house.clock.move(minutes=1)
    assert (await mirror(house)).gone == 1
    row = await house.row(2)
    assert (row.state, row.power) == (ServerState.GONE, Power.UNKNOWN)
    assert (await house.texts(log_actions, row.id))[-1] == "gone:success"


async def test_defect_15_a_lying_list_takes_nothing(house: House) -> None:
    for n in range(1, 4):
        house.compute.add(n)
    await mirror(house)
    house.compute.hidden = {2}  # not listed, yet it answers
    for _ in range(4):
        house.clock.move(minutes=10)
        assert (await mirror(house)).gone == 0
    assert (await house.row(2)).state is ServerState.ACTIVE
    assert house.compute.count("observe") >= 1


async def test_defect_15_nothing_is_gone_while_the_check_is_bad(house: House) -> None:
    house.compute.add(1)
    house.compute.add(2)
    await mirror(house)
    del house.compute.machines[2]
    house.compute.healthy = False
    for _ in range(4):
        house.clock.move(minutes=10)
        assert (await mirror(house)).gone == 0
    house.compute.healthy = True
    house.clock.move(minutes=1)
    assert (await mirror(house)).gone == 1


async def test_a_404_on_a_detail_is_only_a_hint(house: House) -> None:
    house.compute.add(1)
    await mirror(house)
    del house.compute.machines[1]
    assert await details(house) == 0
    assert (await house.row(1)).state is ServerState.ACTIVE


def test_two_per_cent_and_at_least_five_stop_the_mirror() -> None:
    assert may_prune(4, 10)
    assert not may_prune(5, 10)
    assert may_prune(5, 250)
    assert not may_prune(6, 250)
    assert may_prune(100, 5000)
    assert not may_prune(101, 5000)


async def test_too_many_missing_stop_the_mirror_until_staff_agree(house: House) -> None:
    for n in range(1, 21):
        house.compute.add(n)
    await mirror(house)
    for n in range(1, 7):
        del house.compute.machines[n]
    house.clock.move(minutes=1)
    await mirror(house)
    house.clock.move(minutes=11)
    outcome = await mirror(house)
    assert (outcome.gone, outcome.stopped) == (0, True)
    house.clock.move(minutes=1)
    assert (await mirror(house)).gone == 0
    async with house.database.transaction() as tx:
        health = (await queries.connections_overview(tx))[0]
        assert health.prune_count == 6
        assert health.prune_stopped_at is not None
        assert await confirm_pruning(tx, ACTOR, house.connection_id, 6)
    house.clock.move(minutes=1)
    assert (await mirror(house)).gone == 6
    async with house.database.acquire() as db:
        assert (await queries.connections_overview(db))[0].prune_stopped_at is None


async def test_staff_agree_to_what_they_saw_and_to_no_more(house: House) -> None:
    for n in range(1, 41):
        house.compute.add(n)
    await mirror(house)
    for n in range(1, 7):
        del house.compute.machines[n]
    house.clock.move(minutes=1)
    await mirror(house)
    house.clock.move(minutes=11)
    await mirror(house)
    async with house.database.transaction() as tx:
        await confirm_pruning(tx, ACTOR, house.connection_id, 6)
    house.compute.hidden = set(range(7, 30))
    house.compute.machines = {n: m for n, m in house.compute.machines.items() if n >= 30}
    # The agreement holds for the six; by the time the rest is due they are done.
    house.clock.move(minutes=1)
    assert (await mirror(house)).gone == 6
    house.clock.move(minutes=11)
    outcome = await mirror(house)
    assert (outcome.gone, outcome.stopped) == (0, True)


async def test_an_empty_list_takes_nothing(house: House) -> None:
    for n in range(1, 11):
        house.compute.add(n)
    await mirror(house)
    house.compute.machines.clear()
    house.clock.move(minutes=1)
    await mirror(house)
    house.clock.move(minutes=11)
    outcome = await mirror(house)
    assert (outcome.missing, outcome.gone, outcome.stopped) == (10, 0, True)


async def test_a_gone_server_comes_back(house: House) -> None:
    house.compute.add(1)
    machine = house.compute.add(2)
    await mirror(house)
    await details(house)
    del house.compute.machines[2]
    house.clock.move(minutes=1)
    await mirror(house)
    house.clock.move(minutes=11)
    await mirror(house)
    server_id = (await house.row(2)).id
    assert await house.texts(addresses_ever, server_id) == [f"192.0.2.2 {house.customer_id} released"]
    house.compute.machines[2] = machine
    house.clock.move(minutes=1)
    await mirror(house)
    row = await house.row(2)
    assert (row.id, row.state) == (server_id, ServerState.ACTIVE)
    await details(house)
    assert len(await house.texts(addresses_ever, server_id)) == 2
    assert (await house.texts(log_actions, server_id))[-1] == "returned:success"


async def test_one_run_at_a_time_and_a_killed_one_is_abandoned(house: House) -> None:
    house.compute.add(1)
    async with house.database.transaction() as tx:
        await start_dead_run.value(tx, house.connection_id, house.clock.now())
    assert (await mirror(house)).state == "busy"
    house.clock.move(seconds=31)
    assert (await mirror(house)).state == "done"
    async with house.database.acquire() as db:
        assert await run_states.all(db) == ["abandoned", "done"]


async def test_two_runs_at_once_list_once(house: House) -> None:
    house.compute.add(1)
    hold = asyncio.Event()

    async def wait(call: str) -> None:
        if call == "list_servers":
            await hold.wait()

    house.compute.before = wait
    first = asyncio.create_task(mirror(house))
    while not house.compute.calls:
        await asyncio.sleep(0.01)
    assert (await mirror(house)).state == "busy"
    hold.set()
    assert (await first).state == "done"
    assert house.compute.count("list_servers") == 1


async def test_a_run_that_was_given_up_writes_nothing(house: House) -> None:
    house.compute.add(1)

    async def stolen(call: str) -> None:
        if call == "list_servers" and house.compute.count("list_servers") == 1:
            house.clock.move(seconds=40)
            house.compute.before = None
            async with house.database.transaction() as tx:
                await Scalar(str, "update mirror_runs set state = 'abandoned' returning state").value(tx)

    house.compute.before = stolen
    assert (await mirror(house)).state == "busy"
    async with house.database.acquire() as db:
        assert await Scalar(int, "select count(*) from servers").value(db) == 0
