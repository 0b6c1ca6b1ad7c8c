"""One action for many servers: each for itself, seen before it is done, partly refused."""

from __future__ import annotations

import pytest

from hostwright.core.db import Scalar
from hostwright.core.errors import Invalid
from hostwright.core.providers import Power, PowerAction, ServerState
from hostwright.core.scope import Scope, Staff
from hostwright.servers import queries
from hostwright.servers.queries import actions
from hostwright.servers.records import ActionKind
from hostwright.servers.service import refresh_details, request_power, run_mirror
from hostwright.servers.service.bulk import Outcomes, SelectionChanged, Wish, dry_run, run_bulk

from .helpers import ACTOR, House

STAFF = Staff("servers.manage")
all_actions = Scalar(int, "select count(*) from server_actions")
set_state = Scalar(int, "update servers set state = $2 where id = $1 returning 1")
reasons = Scalar(str, "select suspend_reason from servers where suspend_reason is not null order by id")


@pytest.fixture
async def three(house: House) -> House:
    """A house with three running servers, and a fourth that is somebody else's."""
    for number in (1, 2, 3):
        house.compute.add(number)
    house.compute.add(4, owner_id=200)
    await run_mirror(house.database, house.providers, house.connection_id, clock=house.clock)
    await refresh_details(house.database, house.providers, house.connection_id, budget=9, clock=house.clock)
    return house


async def numbers(house: House, *external_ids: int) -> list[int]:
    return [(await house.row(number)).id for number in external_ids]


async def run(house: House, ids: list[int], wish: Wish, scope: Scope | None = None) -> Outcomes:
    return await run_bulk(house.database, ACTOR, scope or house.scope, ids, wish, clock=house.clock)


async def count(house: House) -> int:
    async with house.database.acquire() as db:
        return await all_actions.value(db)


def codes(outcomes: Outcomes) -> list[str | None]:
    return [item.refusal.code if item.refusal else None for item in outcomes.items]


async def test_partial_failure_is_normal(three: House) -> None:
    """Suspended, busy with something else, somebody else's, unknown: each says why, the rest goes on."""
    one, two, third, other = await numbers(three, 1, 2, 3, 4)
    async with three.database.transaction() as tx:
        await set_state.value(tx, two, ServerState.SUSPENDED)
        server = await queries.locked_server(tx, three.scope, third)
        await request_power(tx, ACTOR, server, PowerAction.SHUTDOWN, clock=three.clock)
    done = await run(three, [one, two, third, other, 2**62], Wish(ActionKind.RESTART))
    assert codes(done) == [None, "server_suspended", "action_pending", "not_found", "not_found"]
    assert [item.name for item in done.items][3:] == [None, None]
    assert done.taken == 1
    assert await count(three) == 2


async def test_what_is_as_wanted_already_is_left_out(three: House) -> None:
    """Alone it may still be asked for: the power that was seen last may be a minute old."""
    three.compute.machines[2].power = Power.STOPPED
    three.clock.move(minutes=2)
    await refresh_details(three.database, three.providers, three.connection_id, budget=9, clock=three.clock)
    ids = await numbers(three, 1, 2)
    for kind, expected in (
        (ActionKind.BOOT, ["already_running", None]),
        (ActionKind.SHUTDOWN, [None, "already_stopped"]),
        (ActionKind.POWEROFF, [None, "already_stopped"]),
        (ActionKind.RESTART, [None, None]),
    ):
        async with three.database.acquire() as db:
            assert codes(await dry_run(db, three.scope, ids, kind)) == expected
    assert codes(await run(three, ids, Wish(ActionKind.SHUTDOWN))) == [None, "already_stopped"]
    assert await count(three) == 1
    async with three.database.transaction() as tx:
        server = await queries.locked_server(tx, three.scope, ids[1])
        await request_power(tx, ACTOR, server, PowerAction.SHUTDOWN, clock=three.clock)


async def test_asking_again_returns_what_goes_on(three: House) -> None:
    ids = await numbers(three, 1, 2)
    first = await run(three, ids, Wish(ActionKind.POWEROFF))
    again = await run(three, [*ids, *ids], Wish(ActionKind.POWEROFF))
    assert [item.action.id if item.action else 0 for item in again.items] == [
        item.action.id if item.action else 0 for item in first.items
    ]
    assert await count(three) == 2


async def test_a_dry_run_does_nothing(three: House) -> None:
    ids = await numbers(three, 1, 2, 4)
    async with three.database.acquire() as db:
        found = await dry_run(db, three.scope, ids, ActionKind.RESTART)
    assert (codes(found), found.taken) == ([None, None, "not_found"], 2)
    assert await count(three) == 0


@pytest.mark.parametrize("change", ["power", "state", "pending"])
async def test_what_changed_since_it_was_seen_is_not_done(three: House, change: str) -> None:
    ids = await numbers(three, 1, 2)
    async with three.database.acquire() as db:
        seen = (await dry_run(db, STAFF, ids, ActionKind.SUSPEND)).seen
    async with three.database.transaction() as tx:
        if change == "state":
            await set_state.value(tx, ids[1], ServerState.FAILED)
        elif change == "power":
            await actions.set_power.run(tx, ids[1], Power.STOPPED, three.clock.now())
        else:
            server = await queries.locked_server(tx, STAFF, ids[1])
            await request_power(tx, ACTOR, server, PowerAction.RESTART, clock=three.clock)
    before = await count(three)
    with pytest.raises(SelectionChanged):
        await run(three, ids, Wish(ActionKind.SUSPEND, seen, "Unpaid"), STAFF)
    assert await count(three) == before


async def test_staff_suspend_many_with_a_reason(three: House) -> None:
    ids = await numbers(three, 1, 4)
    with pytest.raises(Invalid):
        await run(three, ids, Wish(ActionKind.SUSPEND, None, "  "), STAFF)
    assert await count(three) == 0
    async with three.database.acquire() as db:
        seen = (await dry_run(db, STAFF, ids, ActionKind.SUSPEND)).seen
    done = await run(three, ids, Wish(ActionKind.SUSPEND, seen, "Abuse report"), STAFF)
    assert codes(done) == [None, None]
    async with three.database.acquire() as db:
        assert await reasons.all(db) == ["Abuse report", "Abuse report"]


@pytest.mark.parametrize("ids", [[], list(range(1, 52))])
async def test_none_and_too_many_are_refused(three: House, ids: list[int]) -> None:
    with pytest.raises(Invalid):
        await run(three, ids, Wish(ActionKind.BOOT))
    assert await count(three) == 0
