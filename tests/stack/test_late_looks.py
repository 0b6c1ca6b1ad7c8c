"""What was seen before an action ended and is written down after it must not say that the action goes on."""

from __future__ import annotations

import asyncio

from hostwright.core.db import Scalar
from hostwright.core.providers import Power, PowerAction
from hostwright.servers.queries import actions
from hostwright.servers.records import ActionState
from hostwright.servers.service.actions import finish
from hostwright.servers.service.details import Seen, store_details
from tests.stack.installation import Installation
from tests.support.stack import until

waiters = Scalar(
    int, "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
)


async def seen_busy(house: Installation, external_id: int) -> Seen:
    """A server that the vendor has something to do for, as it was a moment ago."""
    provider = await house.providers.compute(house.connection_id)
    look = Seen((await house.row(external_id)).id, house.time.now(), await provider.observe(external_id, power=True))
    assert look.server.busy
    house.time.move(seconds=1)
    return look


async def store(house: Installation, look: Seen) -> None:
    async with house.database.transaction() as tx:
        await store_details(tx, house.connection_id, [look], house.time.now())


async def test_a_look_from_before_an_action_ended_leaves_the_server_free(house: Installation) -> None:
    external_id = house.running
    asked = await house.step(await house.ask(external_id, PowerAction.POWEROFF))
    look = await seen_busy(house, external_id)
    assert (await house.follow(asked)).state is ActionState.SUCCEEDED
    await store(house, look)
    row = await house.row(external_id)
    assert (row.busy, row.power) == (False, Power.STOPPED)


async def test_an_action_that_ends_while_details_wait_for_it_has_ended_for_them(house: Installation) -> None:
    external_id = house.running
    asked = await house.step(await house.ask(external_id, PowerAction.POWEROFF))
    look = await seen_busy(house, external_id)
    async with house.database.transaction() as tx:
        target = await actions.target.one(tx, asked.id, lock=True)
        await finish(tx, target, ActionState.SUCCEEDED, house.time.now())
        storing = asyncio.create_task(store(house, look))

        async def it_waits() -> bool:
            return await house.value(waiters) > 0

        await until(it_waits)
    await storing
    assert not (await house.row(external_id)).busy


async def test_a_server_that_is_busy_with_something_else_is_shown_so(house: Installation) -> None:
    external_id = house.running
    assert (await house.do(external_id, PowerAction.RESTART)).state is ActionState.SUCCEEDED
    house.time.move(seconds=1)
    provider = await house.providers.compute(house.connection_id)
    await provider.act(external_id, PowerAction.RESTART)  # somebody else, at the vendor
    await store(house, await seen_busy(house, external_id))
    assert (await house.row(external_id)).busy
