"""Power actions: asked for once, sent once, followed to their end."""

from __future__ import annotations

import asyncio

import pytest

from hostwright.core.db import NoRow, Scalar
from hostwright.core.providers import (
    Ambiguous,
    Gone,
    Power,
    PowerAction,
    Refused,
    ServerState,
    Transient,
)
from hostwright.core.scope import OwnedBy, Staff
from hostwright.servers import queries
from hostwright.servers.policy import (
    ActionPending,
    ServerBuilding,
    ServerFailed,
    ServerGone,
    ServerSuspended,
)
from hostwright.servers.queries import actions
from hostwright.servers.records import ActionRow, ActionState
from hostwright.servers.service import (
    refresh_details,
    request_power,
    run_mirror,
    sweep_actions,
    watch_action,
)

from .helpers import ACTOR, House, log_actions

all_actions = Scalar(int, "select count(*) from server_actions")
waiting_jobs = Scalar(str, "select dedupe_key from pgqueuer where status = 'queued' order by id")
forget_jobs = Scalar(int, "delete from pgqueuer returning 1")
audited = Scalar(str, "select action || ' by ' || actor_label from audit_log order by id")
set_state = Scalar(int, "update servers set state = $2 where id = $1 returning 1")


@pytest.fixture
async def running(house: House) -> House:
    """A house with one running server, number 1."""
    house.compute.add(1)
    await run_mirror(house.database, house.providers, house.connection_id, clock=house.clock)
    await refresh_details(house.database, house.providers, house.connection_id, budget=9, clock=house.clock)
    house.compute.calls.clear()
    house.clock.move(seconds=1)
    return house


async def ask(house: House, action: PowerAction, *, scope: OwnedBy | Staff | None = None) -> ActionRow:
    server_id = (await house.row(1)).id
    async with house.database.transaction() as tx:
        server = await queries.locked_server(tx, scope or house.scope, server_id)
        return await request_power(tx, ACTOR, server, action, clock=house.clock)


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        (PowerAction.BOOT, Power.STOPPED, Power.RUNNING),
        (PowerAction.SHUTDOWN, Power.RUNNING, Power.STOPPED),
        (PowerAction.POWEROFF, Power.RUNNING, Power.STOPPED),
        (PowerAction.RESTART, Power.RUNNING, Power.RUNNING),  # DEFECT-49: a finished restart runs
    ],
)
async def test_defect_49_an_action_ends_in_what_it_asked_for(
    running: House, action: PowerAction, before: Power, after: Power
) -> None:
    running.compute.machines[1].power = before
    running.compute.steps = 3
    asked = await ask(running, action)
    assert asked.state is ActionState.QUEUED
    assert (await running.row(1)).busy
    await running.perform(asked.id)
    assert (await running.action(asked.id)).state is ActionState.RUNNING
    ended = await running.follow(asked.id)
    assert (ended.state, ended.progress, ended.error) == (ActionState.SUCCEEDED, 100, None)
    row = await running.row(1)
    assert (row.power, row.busy) == (after, False)
    assert row.power_observed_at is not None
    assert row.power_observed_at > ended.requested_at
    assert running.compute.count("act") == 1
    assert (await running.texts(log_actions, row.id))[-1] == f"{action.value}:success"
    async with running.database.acquire() as db:
        assert await audited.all(db) == [f"server.{action.value} by Ada Lovelace"]


async def test_progress_is_shown_while_the_queue_works(running: House) -> None:
    running.compute.steps = 4
    asked = await ask(running, PowerAction.POWEROFF)
    await running.perform(asked.id)
    running.clock.move(seconds=1)
    await watch_action(running.database, running.providers, running.clock, asked.id, 0)
    assert (await running.action(asked.id)).progress == 25


async def test_a_pending_repeat_is_the_same_action(running: House) -> None:
    first = await ask(running, PowerAction.RESTART)
    second = await ask(running, PowerAction.RESTART)
    assert second.id == first.id
    async with running.database.acquire() as db:
        assert await all_actions.value(db) == 1


async def test_another_kind_waits(running: House) -> None:
    await ask(running, PowerAction.RESTART)
    with pytest.raises(ActionPending):
        await ask(running, PowerAction.POWEROFF)


async def test_two_requests_at_once_are_one_action(running: House) -> None:
    asked = await asyncio.gather(*(ask(running, PowerAction.POWEROFF) for _ in range(4)))
    assert len({action.id for action in asked}) == 1


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (ServerState.SUSPENDED, ServerSuspended),
        (ServerState.BUILDING, ServerBuilding),
        (ServerState.FAILED, ServerFailed),
        (ServerState.GONE, ServerGone),
    ],
)
async def test_only_an_active_server_can_be_operated(
    running: House, state: ServerState, error: type[Exception]
) -> None:
    async with running.database.transaction() as tx:
        await set_state.value(tx, (await running.row(1)).id, state)
    with pytest.raises(error):
        await ask(running, PowerAction.BOOT)
    async with running.database.acquire() as db:
        assert await all_actions.value(db) == 0


async def test_a_stranger_finds_no_server(running: House) -> None:
    with pytest.raises(NoRow):
        await ask(running, PowerAction.POWEROFF, scope=OwnedBy(running.stranger_id))
    asked = await ask(running, PowerAction.POWEROFF, scope=Staff("servers.manage"))
    async with running.database.acquire() as db:
        with pytest.raises(NoRow):
            await queries.action_for(db, OwnedBy(running.stranger_id), asked.server_id, asked.id)
        with pytest.raises(NoRow):
            await queries.server_for(db, OwnedBy(running.stranger_id), asked.server_id)


async def test_a_busy_vendor_is_asked_again(running: House) -> None:
    running.compute.fail["act"] = [Transient("The server is locked", status=423), Transient("away")]
    asked = await ask(running, PowerAction.POWEROFF)
    await running.perform(asked.id)
    waiting = await running.action(asked.id)
    assert (waiting.state, waiting.attempts) == (ActionState.QUEUED, 1)
    ended = await running.follow(asked.id)
    assert (ended.state, ended.attempts) == (ActionState.SUCCEEDED, 3)
    assert (await running.row(1)).power is Power.STOPPED


async def test_a_vendor_that_stays_away_ends_it_at_the_deadline(running: House) -> None:
    running.compute.fail["act"] = [Transient("VirtFusion does not answer.") for _ in range(200)]
    asked = await ask(running, PowerAction.POWEROFF)
    await running.perform(asked.id)
    ended = await running.follow(asked.id, step=10)
    assert (ended.state, ended.error_code) == (ActionState.FAILED, "upstream_unavailable")
    assert ended.error == "VirtFusion does not answer. Nothing was done."
    row = await running.row(1)
    assert (row.power, row.busy) == (Power.RUNNING, False)


async def test_a_refusal_shows_the_vendors_words(running: House) -> None:
    running.compute.fail["act"] = [Refused("The server is being migrated")]
    asked = await ask(running, PowerAction.POWEROFF)
    await running.perform(asked.id)
    ended = await running.action(asked.id)
    assert (ended.state, ended.error) == (ActionState.FAILED, "The server is being migrated")
    assert running.compute.count("act") == 1


async def test_a_404_fails_the_action_and_not_the_server(running: House) -> None:
    running.compute.fail["act"] = [Gone("VirtFusion does not know this server")]
    asked = await ask(running, PowerAction.POWEROFF)
    await running.perform(asked.id)
    assert (await running.action(asked.id)).state is ActionState.FAILED
    assert (await running.row(1)).state is ServerState.ACTIVE


async def test_a_failed_queue_item_fails_the_action(running: House) -> None:
    asked = await ask(running, PowerAction.POWEROFF)
    await running.perform(asked.id)
    running.compute.queue_error = "libvirt: domain is locked"
    ended = await running.follow(asked.id)
    assert (ended.state, ended.error) == (ActionState.FAILED, "libvirt: domain is locked")


@pytest.mark.parametrize("action", list(PowerAction))
async def test_a_lost_answer_is_observed_and_never_sent_again(running: House, action: PowerAction) -> None:
    if action is PowerAction.BOOT:
        running.compute.machines[1].power = Power.STOPPED
    running.compute.act_lost = [Ambiguous("the answer was lost")]
    asked = await ask(running, action)
    await running.perform(asked.id)
    ended = await running.follow(asked.id)
    assert running.compute.count("act") == 1
    # Whether a running server was restarted cannot be seen.
    wanted = ActionState.UNKNOWN if action is PowerAction.RESTART else ActionState.SUCCEEDED
    assert ended.state is wanted
    stopped = action in (PowerAction.SHUTDOWN, PowerAction.POWEROFF)
    assert (await running.row(1)).power is (Power.STOPPED if stopped else Power.RUNNING)


@pytest.mark.parametrize("action", [PowerAction.POWEROFF, PowerAction.SHUTDOWN, PowerAction.RESTART])
async def test_a_request_that_never_arrived_ends_unknown(running: House, action: PowerAction) -> None:
    running.compute.fail["act"] = [Ambiguous("the answer was lost")]
    asked = await ask(running, action)
    await running.perform(asked.id)
    ended = await running.follow(asked.id, turns=80, step=2)
    assert ended.state is ActionState.UNKNOWN
    assert running.compute.count("act") == 1
    assert (await running.texts(log_actions, asked.server_id))[-1] == f"{action.value}:unknown"


async def test_a_boot_is_sent_again_only_after_it_was_seen_stopped(running: House) -> None:
    running.compute.machines[1].power = Power.STOPPED
    running.compute.fail["act"] = [Ambiguous("the answer was lost")]
    asked = await ask(running, PowerAction.BOOT)
    await running.perform(asked.id)
    running.compute.calls.clear()
    ended = await running.follow(asked.id)
    assert ended.state is ActionState.SUCCEEDED
    names = [name for name, _ in running.compute.calls]
    assert names.count("act") == 1
    assert names.index("observe") < names.index("act")


@pytest.mark.parametrize("action", [PowerAction.POWEROFF, PowerAction.RESTART])
async def test_a_worker_killed_between_sending_and_outcome_does_not_send_again(
    running: House, action: PowerAction
) -> None:
    asked = await ask(running, action)
    async with running.database.transaction() as tx:
        await actions.claim.run(tx, asked.id, running.clock.now())
    # The vendor did it; then the worker was killed. The next worker gets the same job.
    running.compute.do(1, action)
    await running.perform(asked.id)
    ended = await running.follow(asked.id)
    assert running.compute.count("act") == 0
    assert ended.state is (ActionState.UNKNOWN if action is PowerAction.RESTART else ActionState.SUCCEEDED)


async def test_a_system_that_ignores_shutdown_is_told_plainly(running: House) -> None:
    running.compute.machines[1].shuts_down = False
    asked = await ask(running, PowerAction.SHUTDOWN)
    await running.perform(asked.id)
    ended = await running.follow(asked.id, turns=100, step=2)
    assert ended.state is ActionState.FAILED
    assert ended.error == "The system did not shut down. Power off forces it."
    assert ended.finished_at is not None
    assert 120 <= (ended.finished_at - ended.requested_at).total_seconds() <= 130


async def test_a_vendor_away_while_watching_is_only_waited_for(running: House) -> None:
    asked = await ask(running, PowerAction.POWEROFF)
    await running.perform(asked.id)
    running.compute.fail["action_progress"] = [Transient("away") for _ in range(5)]
    running.compute.fail["observe"] = [Transient("away") for _ in range(5)]
    ended = await running.follow(asked.id)
    assert ended.state is ActionState.SUCCEEDED


async def test_a_forgotten_queue_item_is_settled_by_the_server_itself(running: House) -> None:
    asked = await ask(running, PowerAction.POWEROFF)
    await running.perform(asked.id)
    running.compute.queue.clear()
    running.compute.machines[1].power = Power.STOPPED
    assert (await running.follow(asked.id)).state is ActionState.SUCCEEDED


async def test_an_action_whose_end_nobody_sees_ends_unknown(running: House) -> None:
    asked = await ask(running, PowerAction.POWEROFF)
    await running.perform(asked.id)
    running.compute.fail["action_progress"] = [Transient("away") for _ in range(500)]
    ended = await running.follow(asked.id, turns=70, step=10)
    assert ended.state is ActionState.UNKNOWN
    assert not (await running.row(1)).busy


async def test_a_lost_watch_is_taken_up_again(running: House) -> None:
    asked = await ask(running, PowerAction.POWEROFF)
    await running.perform(asked.id)
    async with running.database.transaction() as tx:
        await forget_jobs.all(tx)
    assert await sweep_actions(running.database, running.clock) == 1
    assert await sweep_actions(running.database, running.clock) == 0  # the first one waits already
    async with running.database.acquire() as db:
        assert len(await waiting_jobs.all(db)) == 1


async def test_two_chains_of_watches_become_one(running: House) -> None:
    running.compute.steps = 50
    asked = await ask(running, PowerAction.POWEROFF)
    await running.perform(asked.id)
    for turn in (0, 1, 0, 1):
        await watch_action(running.database, running.providers, running.clock, asked.id, turn)
    async with running.database.acquire() as db:
        keys = [key for key in await waiting_jobs.all(db) if "watch" in key]
    assert len(keys) == len(set(keys)) <= 2


async def test_an_older_look_does_not_overwrite_a_newer_power(running: House) -> None:
    """A detail that was asked for before the power-off must not bring the old power back."""
    asked = await ask(running, PowerAction.POWEROFF)

    async def meanwhile(call: str) -> None:
        if call == "observe" and running.compute.before is not None:
            running.compute.before = None
            stale = running.compute.machines[1].power
            await running.perform(asked.id)
            await running.follow(asked.id)
            running.compute.machines[1].power = stale  # what this look brings is from before

    running.clock.move(minutes=2)
    running.compute.before = meanwhile
    await refresh_details(running.database, running.providers, running.connection_id, budget=9, clock=running.clock)
    assert (await running.row(1)).power is Power.STOPPED
