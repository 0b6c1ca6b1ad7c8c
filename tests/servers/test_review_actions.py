"""Actions that nobody goes on with, databases that fail in the middle of a reset, and whose activity is whose."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from hostwright.core.clock import SystemClock
from hostwright.core.db import Command, NoRow, Scalar
from hostwright.core.db.pool import PoolExhausted
from hostwright.core.errors import TooManyRequests
from hostwright.core.jobs import JobBinding
from hostwright.core.providers import Ambiguous, PowerAction
from hostwright.core.scope import OwnedBy, Staff
from hostwright.identity.schemas import MANAGE_SERVERS
from hostwright.servers import queries, service
from hostwright.servers.events import PERFORM_ACTION, WATCH_ACTION, ActionRef, WatchRef
from hostwright.servers.jobs import work
from hostwright.servers.policy import ACTION_DEADLINE, ActionPending
from hostwright.servers.queries import LogFilter
from hostwright.servers.records import ActionRow, ActionState
from hostwright.servers.service import (
    AnswerLost,
    perform_action,
    read_traffic,
    request_power,
    reset_password,
    sweep_actions,
)

from .helpers import ACTOR, PASSWORD, START, House, MemoryProviders

last_action = Scalar(int, "select max(id) from server_actions")
jobs = Scalar(str, "select dedupe_key from pgqueuer where status = 'queued' order by id")
forget_jobs = Command("delete from pgqueuer")
rate_keys = Scalar(str, "select key from rate_limits order by key")
STAFF = Staff(MANAGE_SERVERS)


@pytest.fixture
async def running(house: House) -> House:
    house.compute.add(1)
    await service.run_mirror(house.database, house.providers, house.connection_id, clock=house.clock)
    await service.refresh_details(house.database, house.providers, house.connection_id, clock=house.clock)
    house.compute.calls.clear()
    return house


async def ask(house: House, action: PowerAction, scope: OwnedBy | None = None) -> ActionRow:
    async with house.database.transaction() as tx:
        server = await queries.locked_server(tx, scope or house.scope, (await house.row(1)).id)
        return await request_power(tx, ACTOR, server, action, clock=house.clock)


def break_database(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the vendor's call on nobody gets a transaction."""

    def none() -> Any:
        raise PoolExhausted

    async def before(call: str) -> None:
        if call == "reset_password":
            monkeypatch.setattr(house.database, "transaction", none)

    house.compute.before = before


async def reset(house: House, server_id: int) -> Any:
    return await reset_password(house.database, house.providers, ACTOR, house.scope, server_id, clock=house.clock)


async def test_a_password_that_was_changed_is_shown_though_the_database_fails(
    running: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server_id = (await running.row(1)).id
    with monkeypatch.context() as patch:
        break_database(running, patch)
        new = await reset(running, server_id)
    assert (new.username, new.password) == ("root", PASSWORD)
    assert PASSWORD not in capsys.readouterr().out
    assert (await running.action(new.action_id)).state is ActionState.SENDING
    running.clock.move(minutes=3)
    assert await sweep_actions(running.database, running.clock) == 1
    assert (await running.action(new.action_id)).state is ActionState.UNKNOWN
    assert not (await running.row(1)).busy


async def test_a_lost_answer_is_told_though_the_database_fails(running: House, monkeypatch: pytest.MonkeyPatch) -> None:
    server_id = (await running.row(1)).id
    running.compute.fail["reset_password"] = [Ambiguous("lost")]
    with monkeypatch.context() as patch:
        break_database(running, patch)
        with pytest.raises(AnswerLost, match="may have been changed"):
            await reset(running, server_id)
    running.clock.move(minutes=3)
    assert await sweep_actions(running.database, running.clock) == 1
    async with running.database.acquire() as db:
        action = await running.action(await last_action.value(db))
    assert (action.state, action.error_code) == (ActionState.UNKNOWN, "upstream_answer_lost")


class SlowClock:
    """Half a minute passes between any two looks at it."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        self.time += timedelta(seconds=30)
        return self.time


async def test_a_claim_that_grew_old_is_not_sent_but_queued_anew(running: House) -> None:
    asked = await ask(running, PowerAction.RESTART)
    async with running.database.transaction() as tx:
        await forget_jobs.run(tx)
    await perform_action(running.database, running.providers, SlowClock(), asked.id)
    assert running.compute.count("act") == 0
    action = await running.action(asked.id)
    assert (action.state, action.attempts) == (ActionState.QUEUED, 1)
    async with running.database.acquire() as db:
        assert await jobs.all(db) == [f"servers.perform_action:{asked.id}:1"]
    await running.perform(asked.id)
    assert running.compute.count("act") == 1


def bindings() -> dict[str, JobBinding]:
    made = work(MemoryProviders(None)).bindings  # type: ignore[arg-type]  # nothing is asked of it
    return {binding.job.name: binding for binding in made}


@pytest.mark.parametrize(
    ("sent", "state", "code"),
    [(False, ActionState.FAILED, "upstream_unavailable"), (True, ActionState.UNKNOWN, "deadline")],
)
async def test_a_job_that_is_given_up_ends_its_action(
    running: House, sent: bool, state: ActionState, code: str
) -> None:
    asked = await ask(running, PowerAction.POWEROFF)
    if sent:
        await running.perform(asked.id)
    name, payload = (WATCH_ACTION.name, WatchRef(asked.id, 3)) if sent else (PERFORM_ACTION.name, ActionRef(asked.id))
    give_up = bindings()[name].on_dead
    assert give_up is not None
    for _ in range(2):  # the second time there is nothing left to end
        async with running.database.transaction() as tx:
            await give_up(tx, payload, "it failed")
    action = await running.action(asked.id)
    assert (action.state, action.error_code) == (state, code)
    assert action.finished_at is not None
    assert action.finished_at <= SystemClock().now()
    assert not (await running.row(1)).busy


@pytest.mark.parametrize("sent", [False, True])
async def test_the_sweep_ends_what_is_long_overdue(running: House, sent: bool) -> None:
    asked = await ask(running, PowerAction.POWEROFF)
    if sent:
        await running.perform(asked.id)
    running.clock.move(seconds=ACTION_DEADLINE.total_seconds() + 61)
    async with running.database.transaction() as tx:
        await forget_jobs.run(tx)
    assert await sweep_actions(running.database, running.clock) == 1
    assert (await running.action(asked.id)).state is (ActionState.UNKNOWN if sent else ActionState.FAILED)
    assert await sweep_actions(running.database, running.clock) == 0
    async with running.database.acquire() as db:
        assert await jobs.all(db) == []  # nothing is queued for it any more


async def hand_over(house: House) -> None:
    house.compute.machines[1].owner_id = 200
    house.clock.move(minutes=2)
    await service.run_mirror(house.database, house.providers, house.connection_id, clock=house.clock)
    assert (await house.row(1)).customer_id == house.stranger_id


async def test_a_new_customer_reads_nothing_of_the_former_one(running: House) -> None:
    asked = await ask(running, PowerAction.POWEROFF)
    await running.perform(asked.id)
    await running.follow(asked.id)
    server_id = asked.server_id
    theirs = OwnedBy(running.stranger_id)
    async with running.database.acquire() as db:
        lines = [line.action for line in await queries.activity(db, running.scope, server_id, LogFilter())]
        assert lines == ["poweroff", "found"]
        assert (await queries.action_for(db, running.scope, server_id, asked.id)).id == asked.id
    await hand_over(running)
    async with running.database.acquire() as db:
        lines = [line.action for line in await queries.activity(db, theirs, server_id, LogFilter())]
        assert lines == ["owner_changed"]
        assert await queries.latest_action(db, theirs, server_id) is None
        with pytest.raises(NoRow):
            await queries.action_for(db, theirs, server_id, asked.id)
        with pytest.raises(NoRow):  # it is not the former one's server any more
            await queries.action_for(db, running.scope, server_id, asked.id)
        everything = [line.action for line in await queries.activity(db, STAFF, server_id, LogFilter())]
        assert everything == ["owner_changed", "poweroff", "found"]
        found = await queries.latest_action(db, STAFF, server_id)
        assert found is not None
        assert found.id == asked.id


async def test_what_the_former_customer_asked_for_is_not_shown_while_it_goes_on(running: House) -> None:
    asked = await ask(running, PowerAction.RESTART)
    await hand_over(running)
    theirs = OwnedBy(running.stranger_id)
    async with running.database.acquire() as db:
        assert await queries.pending_for(db, theirs, asked.server_id) is None
        pending = await queries.pending_for(db, STAFF, asked.server_id)
        assert pending is not None
        assert pending.id == asked.id
    with pytest.raises(ActionPending):
        await ask(running, PowerAction.RESTART, theirs)


async def test_traffic_is_read_twelve_times_a_minute_at_most(running: House) -> None:
    server_id = (await running.row(1)).id
    for _ in range(12):
        await read_traffic(running.database, running.providers, running.scope, server_id)
    with pytest.raises(TooManyRequests):
        for _ in range(3):  # one more may have come free meanwhile
            await read_traffic(running.database, running.providers, running.scope, server_id)
    assert running.compute.count("traffic") < 15


async def test_traffic_spends_the_calls_of_its_connection(running: House) -> None:
    server_id = (await running.row(1)).id
    async with running.database.transaction() as tx:
        await Command("update connections set calls_per_minute = 6").run(tx)
        await Command("delete from rate_limits").run(tx)
    await read_traffic(running.database, running.providers, running.scope, server_id)
    with pytest.raises(TooManyRequests) as caught:
        await read_traffic(running.database, running.providers, running.scope, server_id)
    assert 1 <= caught.value.retry_after <= 10
    assert running.compute.count("traffic") == 1
    async with running.database.acquire() as db:
        assert await rate_keys.all(db) == [f"traffic:{server_id}", f"virtfusion:{running.connection_id}"]
