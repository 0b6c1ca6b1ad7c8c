"""The mirror beside odd answers, older answers and answers that leave something out."""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg
import msgspec
import pytest

from hostwright.core.db import Scalar
from hostwright.core.providers import Listing, ObservedAddress, ObservedServer
from hostwright.servers import service
from hostwright.servers.policy import PruningChanged
from hostwright.servers.service import confirm_pruning
from hostwright.servers.service.details import DetailsOutcome, Seen, store_details
from hostwright.servers.service.mirror import MirrorOutcome

from .helpers import ACTOR, House, addresses_ever, log_actions

detailed = Scalar(int, "select external_id from servers where detailed_at is not null order by 1")
run_states = Scalar(str, "select state || ': ' || coalesce(error, '-') from mirror_runs order by id")
last_error = Scalar(str, "select last_error from connections")
traffic_limit = Scalar(int, "select traffic_limit_gb from servers where external_id = $1")
confirmed = Scalar(bool, "select prune_confirmed_at is not null from connections")


async def mirror(house: House) -> MirrorOutcome:
    return await service.run_mirror(house.database, house.providers, house.connection_id, clock=house.clock)


async def details(house: House) -> DetailsOutcome:
    return await service.refresh_details(
        house.database, house.providers, house.connection_id, budget=100, clock=house.clock, limited=False
    )


async def store(house: House, at: datetime, server: ObservedServer) -> None:
    row = await house.row(server.external_id)
    async with house.database.transaction() as tx:
        await store_details(tx, house.connection_id, [Seen(row.id, at, server)], house.clock.now())


async def test_one_detail_that_cannot_be_stored_does_not_stop_the_others(house: House) -> None:
    for n in range(1, 6):
        house.compute.add(n)
    await mirror(house)
    house.compute.machines[2].system = "Debian\0 13"
    outcome = await details(house)
    assert (outcome.stored, outcome.lost) == (4, 1)
    row = await house.row(2)
    assert (row.operating_system, row.cores) == (None, None)
    assert (await house.row(3)).operating_system == "Debian 13"
    # It has had its turn: the next pass begins with the others.
    async with house.database.acquire() as db:
        assert await detailed.all(db) == [1, 2, 3, 4, 5]
    house.clock.move(minutes=2)
    house.compute.machines[2].system = "Debian 13"
    assert (await details(house)).stored == 5


async def test_an_error_of_ours_ends_the_run_and_is_raised(house: House) -> None:
    house.compute.add(1)
    await mirror(house)
    house.clock.move(minutes=1)
    house.compute.machines[1].name = "a\0b"
    with pytest.raises(asyncpg.PostgresError):
        await mirror(house)
    async with house.database.acquire() as db:
        good, bad = await run_states.all(db)
        assert good == "done: -"
        assert bad.startswith("failed: The mirror broke off: CharacterNotInRepertoireError")
        assert (await last_error.value(db)).startswith("The mirror broke off")
    house.compute.machines[1].name = "ab"
    assert (await mirror(house)).state == "done"  # nothing seems to run still


async def test_an_older_detail_does_not_hand_a_server_back(house: House) -> None:
    machine = house.compute.add(1, owner_id=100)
    await mirror(house)
    await details(house)
    row = await house.row(1)
    house.clock.move(seconds=1)
    asked_at = house.clock.now()
    old = await house.compute.observe(1, power=True)
    machine.owner_id, machine.name = 200, "renamed"
    house.clock.move(seconds=5)
    await mirror(house)
    assert (await house.row(1)).customer_id == house.stranger_id
    await store(house, asked_at, old)
    after = await house.row(1)
    assert (after.customer_id, after.name) == (house.stranger_id, "renamed")
    assert await house.texts(log_actions, row.id) == ["found:success", "owner_changed:success"]
    assert (await house.texts(addresses_ever, row.id))[-1] == f"192.0.2.1 {house.stranger_id}"


async def test_an_older_detail_says_nothing_against_a_list_that_changed_nothing(house: House) -> None:
    machine = house.compute.add(1, owner_id=100)
    await mirror(house)
    house.clock.move(seconds=1)
    asked_at = house.clock.now()
    machine.owner_id = 200  # for a moment
    old = await house.compute.observe(1, power=True)
    machine.owner_id = 100
    house.clock.move(seconds=5)
    assert (await mirror(house)).changed == 0
    await store(house, asked_at, old)
    assert (await house.row(1)).customer_id == house.customer_id


async def test_an_older_list_does_not_hand_a_server_back(house: House) -> None:
    machine = house.compute.add(1, owner_id=100)
    await mirror(house)
    house.clock.move(minutes=1)
    read = house.compute.list_servers

    async def slow() -> Listing:
        listing = await read()  # read with the old owner
        machine.owner_id, machine.name = 200, "renamed"
        house.clock.move(seconds=10)
        await details(house)
        house.clock.move(seconds=10)
        return listing

    house.compute.list_servers = slow  # type: ignore[method-assign]  # this one reading takes long
    await mirror(house)
    row = await house.row(1)
    assert (row.customer_id, row.name) == (house.stranger_id, "renamed")
    house.compute.list_servers = read  # type: ignore[method-assign]
    machine.owner_id = 100
    house.clock.move(minutes=1)
    await mirror(house)
    assert (await house.row(1)).customer_id == house.customer_id  # a newer one is believed


async def test_an_older_detail_changes_no_addresses(house: House) -> None:
    machine = house.compute.add(1)
    await mirror(house)
    await details(house)
    house.clock.move(seconds=10)
    asked_at = house.clock.now()
    old = await house.compute.observe(1, power=True)
    house.clock.move(seconds=60)
    machine.addresses = [ObservedAddress("192.0.2.77", 4, primary=True)]
    await details(house)
    server_id = (await house.row(1)).id
    now = await house.texts(addresses_ever, server_id)
    await store(house, asked_at, old)
    assert await house.texts(addresses_ever, server_id) == now
    assert (await house.row(1)).primary_ipv4 == "192.0.2.77"


async def test_what_is_not_told_stays(house: House) -> None:
    house.compute.add(1)
    await mirror(house)
    await details(house)
    before = await house.row(1)
    told = await house.compute.observe(1, power=True)
    house.clock.move(minutes=2)
    await store(
        house,
        house.clock.now(),
        msgspec.structs.replace(told, hostname=None, addresses=None, traffic_limit_gb=None, cores=None),
    )
    row = await house.row(1)
    assert (row.hostname, row.primary_ipv4, row.cores) == (before.hostname, "192.0.2.1", 2)
    assert await house.texts(addresses_ever, row.id) == [f"192.0.2.1 {house.customer_id}"]
    async with house.database.acquire() as db:
        assert await traffic_limit.value(db, 1) == 1000
    house.clock.move(minutes=2)
    await store(house, house.clock.now(), msgspec.structs.replace(told, hostname="", addresses=[], traffic_limit_gb=0))
    row = await house.row(1)
    assert (row.hostname, row.primary_ipv4, row.primary_ipv6) == (None, None, None)
    assert await house.texts(addresses_ever, row.id) == [f"192.0.2.1 {house.customer_id} released"]
    async with house.database.acquire() as db:
        assert await traffic_limit.value(db, 1) == 0


async def test_a_server_without_a_readable_date_was_made_when_it_was_found(house: House) -> None:
    house.compute.add(1)
    read = house.compute.list_servers

    async def undated() -> Listing:
        listing = await read()
        servers = [msgspec.structs.replace(server, created_at=None) for server in listing.servers]
        return Listing(servers, listing.calls)

    house.compute.list_servers = undated  # type: ignore[method-assign]  # a vendor with odd dates
    assert (await mirror(house)).created == 1
    assert (await house.row(1)).created_at == house.clock.now()


async def test_staff_agree_to_the_number_that_they_saw(house: House) -> None:
    for n in range(1, 41):
        house.compute.add(n)
    await mirror(house)
    house.compute.hidden = set(range(1, 7))
    house.clock.move(minutes=1)
    await mirror(house)
    house.clock.move(minutes=11)
    assert (await mirror(house)).stopped
    house.compute.hidden = set(range(1, 10))
    house.clock.move(minutes=1)
    await mirror(house)
    house.clock.move(minutes=11)
    await mirror(house)  # nine by now, while a page still shows six
    async with house.database.transaction() as tx:
        with pytest.raises(PruningChanged, match=r"The number changed\. Look again\."):
            await confirm_pruning(tx, ACTOR, house.connection_id, 6)
    async with house.database.transaction() as tx:
        assert not await confirmed.value(tx)
        assert await confirm_pruning(tx, ACTOR, house.connection_id, 9)
        assert await confirmed.value(tx)


async def test_a_list_is_as_old_as_its_beginning(house: House) -> None:
    """The fallback for names: a list that began before the details were asked for leaves them alone."""
    house.compute.add(1, name="first")
    await mirror(house)
    seen = msgspec.structs.replace(await house.compute.observe(1, power=True), name="second")
    await store(house, house.clock.now() + timedelta(seconds=30), seen)
    house.clock.move(seconds=10)
    await mirror(house)
    assert (await house.row(1)).name == "second"
    house.clock.move(seconds=30)
    await mirror(house)
    assert (await house.row(1)).name == "first"
