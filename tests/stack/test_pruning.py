"""When a server is gone, by the real client's eyes: missing from two complete lists ten minutes apart, 404 for its id,
and a connection that is checked and good. Whatever is less than that is *unknown*, and takes nothing away.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hostwright.app import App
from hostwright.core.db import Database, Scalar
from hostwright.core.providers import Power, ServerState
from hostwright.servers.service import MirrorOutcome, confirm_pruning
from hostwright.upstream.virtfusion.simulator import WorldPlan
from tests.stack.faults import FAULTS, Meaning, meaning
from tests.stack.installation import ACTOR, Installation, Stands, running_installation, versions
from tests.stack.panel import FIRST_USER, log_lines
from tests.support.app import Makers

states = Scalar(str, "select external_id::text from servers where state = 'gone' order by external_id")
held = Scalar(int, "select count(*) from server_addresses where server_id = $1 and released_at is null")
ever = Scalar(int, "select count(*) from server_addresses where server_id = $1")


async def two_lists(house: Installation, *, apart: float = 10) -> MirrorOutcome:
    """Two complete lists so many minutes apart; the second one's outcome."""
    house.time.move(minutes=1)
    assert (await house.mirror()).gone == 0
    house.time.move(minutes=apart)
    return await house.mirror()


async def test_defect_15_a_deleted_server_is_gone_after_two_lists_ten_minutes_apart(
    house: Installation, stands: Stands
) -> None:
    external_id = house.running
    server_id = (await house.row(external_id)).id
    house.world.remove(external_id)
    assert (await two_lists(house, apart=9.9)).gone == 0
    assert (await house.row(external_id)).state is ServerState.ACTIVE
    house.time.move(seconds=6)
    outcome = await house.mirror()
    assert (outcome.missing, outcome.gone, outcome.stopped) == (1, 1, False)
    row = await house.row(external_id)
    assert (row.state, row.power, row.busy) == (ServerState.GONE, Power.UNKNOWN, False)
    assert await house.values(states) == [str(external_id)]
    # Who had which address stays known.
    assert await house.value(held, server_id) == 0
    assert await house.value(ever, server_id) >= 1
    assert (await house.values(log_lines, server_id))[-1] == "gone:success"
    items = (await stands.program.get("/api/user/servers")).json()["items"]
    assert server_id not in [item["id"] for item in items]


async def test_defect_15_a_server_that_a_list_leaves_out_but_that_answers_is_not_gone(house: Installation) -> None:
    external_id = house.running
    house.world.unlisted = frozenset({external_id})
    for _ in range(4):
        outcome = await two_lists(house)
        assert (outcome.state, outcome.gone) == ("done", 0)
    assert (await house.row(external_id)).state is ServerState.ACTIVE
    assert house.sent(external_id, "power/") == 0
    assert len(house.vendor.requests(f"/servers/{external_id}")) >= 4
    house.world.unlisted = frozenset()
    house.time.move(minutes=1)
    await house.mirror()
    await house.nothing_is_missing()


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if meaning(fault) is not Meaning.GONE])
async def test_defect_15_no_other_answer_than_404_says_gone(house: Installation, fault: str) -> None:
    external_id = house.running
    house.world.unlisted = frozenset({external_id})
    await house.meets(fault, "GET", f"/servers/{external_id}$")
    outcome = await two_lists(house)
    assert (outcome.state, outcome.missing, outcome.gone) == ("done", 1, 0)
    assert (await house.row(external_id)).state is ServerState.ACTIVE
    await house.is_well()
    house.world.remove(external_id)
    house.time.move(minutes=2)
    assert (await house.mirror()).gone == 1


async def test_defect_15_a_token_that_is_refused_meanwhile_takes_nothing(house: Installation, stands: Stands) -> None:
    external_id = house.running
    house.world.remove(external_id)
    house.time.move(minutes=1)
    assert (await house.mirror()).missing == 1
    before = await house.values(versions)
    await house.meets("401", "*", "")
    for _ in range(3):
        house.time.move(minutes=11)
        assert (await house.mirror()).state == "failed"
        await house.details()
    assert await house.values(states) == []
    assert (await house.health()).last_error is not None
    await stands.check(external_id)
    assert len(await house.values(versions)) == len(before) == 12


async def test_defect_15_a_check_that_fails_puts_pruning_off(house: Installation) -> None:
    external_id = house.running
    house.world.remove(external_id)
    await house.meets("403", "GET", "/connect$")
    outcome = await two_lists(house)
    assert (outcome.state, outcome.missing, outcome.gone) == ("done", 1, 0)
    assert house.vendor.requests(f"/servers/{external_id}") == []  # not even asked for
    await house.is_well()
    house.time.move(minutes=1)
    assert (await house.mirror()).gone == 1


async def test_defect_15_a_server_that_comes_back_is_the_same_one(house: Installation) -> None:
    external_id = house.running
    server_id = (await house.row(external_id)).id
    kept = house.world.servers[external_id]
    house.world.remove(external_id)
    assert (await two_lists(house)).gone == 1
    house.world.servers[external_id] = kept
    house.time.move(minutes=1)
    await house.mirror()
    await house.details()
    row = await house.row(external_id)
    assert (row.id, row.state, row.power) == (server_id, ServerState.ACTIVE, Power.RUNNING)
    assert await house.value(held, server_id) >= 1
    assert (await house.values(log_lines, server_id))[-1] == "returned:success"


async def test_defect_21_like_a_list_that_shows_one_customers_servers_takes_nobody_elses(
    house: Installation, stands: Stands
) -> None:
    """A token that was narrowed to one customer: everything else looks deleted, in the list and one by one."""
    others = [one.id for one in house.world.servers.values() if one.owner_id != FIRST_USER]
    assert len(others) == 7
    for number in others:
        house.world.servers[number].hidden = True
    for _ in range(3):
        outcome = await two_lists(house)
        assert (outcome.missing, outcome.gone, outcome.stopped) == (7, 0, True)
    assert await house.values(states) == []
    health = await house.health()
    assert health.prune_count == 7
    assert health.prune_stopped_at is not None
    await stands.check(house.running)


@pytest.fixture
async def large(database: Database, app: App, makers: Makers) -> AsyncIterator[Installation]:
    """Three hundred servers: two in a hundred are six."""
    plan = WorldPlan(servers=300, users=2, first_users=(3,), build_minutes=600)
    async with running_installation(database, app, makers, plan) as found:
        yield found


@pytest.mark.long
async def test_defect_21_like_more_than_two_in_a_hundred_ask_staff_first(large: Installation) -> None:
    numbers = sorted(large.world.servers)
    for number in numbers[:6]:
        large.world.remove(number)
    outcome = await two_lists(large)
    assert (outcome.gone, outcome.stopped) == (6, False)  # six of three hundred go without a question

    for number in numbers[6:13]:
        large.world.remove(number)
    outcome = await two_lists(large)
    assert (outcome.missing, outcome.gone, outcome.stopped) == (7, 0, True)
    calls = len(large.vendor.requests("/connect"))
    large.time.move(minutes=1)
    assert (await large.mirror()).gone == 0
    assert len(large.vendor.requests("/connect")) == calls  # stopped: nobody is asked for

    async with large.database.transaction() as tx:
        assert await confirm_pruning(tx, ACTOR, large.connection_id, 7, clock=large.time)
    large.world.remove(numbers[13])  # what staff agreed to, and no more
    large.time.move(minutes=1)
    outcome = await large.mirror()
    assert (outcome.gone, outcome.stopped) == (7, False)
    assert await large.values(states) == [str(number) for number in numbers[:13]]
    assert (await large.health()).prune_stopped_at is None
    large.time.move(minutes=11)
    assert (await large.mirror()).gone == 1
