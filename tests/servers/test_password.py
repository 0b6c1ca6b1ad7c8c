"""Resetting a password: shown once, stored nowhere."""

from __future__ import annotations

import pytest

from hostwright.core.db import NoRow, Scalar
from hostwright.core.errors import TooManyRequests
from hostwright.core.providers import (
    Ambiguous,
    Gone,
    PowerAction,
    ProviderError,
    Refused,
    ServerState,
    Transient,
)
from hostwright.core.scope import OwnedBy
from hostwright.servers import queries
from hostwright.servers.policy import ActionPending, ServerGone, ServerSuspended
from hostwright.servers.records import ActionState
from hostwright.servers.schemas import NewPassword
from hostwright.servers.service import (
    AnswerLost,
    UpstreamAway,
    UpstreamRefused,
    read_traffic,
    refresh_details,
    request_power,
    reset_password,
    run_mirror,
)

from .helpers import ACTOR, PASSWORD, House, log_actions

last_action = Scalar(int, "select max(id) from server_actions")
set_state = Scalar(int, "update servers set state = $2 where id = $1 returning 1")


@pytest.fixture
async def running(house: House) -> House:
    house.compute.add(1)
    await run_mirror(house.database, house.providers, house.connection_id, clock=house.clock)
    await refresh_details(house.database, house.providers, house.connection_id, budget=9, clock=house.clock)
    return house


async def reset(house: House, scope: OwnedBy | None = None) -> NewPassword:
    server_id = (await house.row(1)).id
    return await reset_password(
        house.database, house.providers, ACTOR, scope or house.scope, server_id, clock=house.clock
    )


async def test_the_password_is_shown_once_and_stored_nowhere(
    running: House, capsys: pytest.CaptureFixture[str]
) -> None:
    new = await reset(running)
    assert (new.username, new.password) == ("root", PASSWORD)
    assert PASSWORD not in repr(new)
    action = await running.action(new.action_id)
    assert action.state is ActionState.RUNNING
    assert (await running.row(1)).busy
    ended = await running.follow(new.action_id)
    assert ended.state is ActionState.SUCCEEDED
    assert not (await running.row(1)).busy
    async with running.database.acquire() as db:
        tables = await db.fetch(
            "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
        )
        for (table,) in tables:
            whole_rows = f'select t::text from "{table}" t where t::text like $1'
            found = await db.fetch(whole_rows, f"%{PASSWORD}%")
            assert found == [], table
        jobs = await db.fetch("select convert_from(payload, 'utf8') from pgqueuer")
    assert all(PASSWORD not in (text or "") for (text,) in jobs)
    output = capsys.readouterr()
    assert PASSWORD not in output.out + output.err
    assert (await running.texts(log_actions, action.server_id))[-1] == "reset_password:success"


@pytest.mark.parametrize(
    ("error", "raised", "state"),
    [
        (Transient("away"), UpstreamAway, ActionState.FAILED),
        (Refused("no"), UpstreamRefused, ActionState.FAILED),
        (Gone("what"), ServerGone, ActionState.FAILED),
        (Ambiguous("lost"), AnswerLost, ActionState.UNKNOWN),
    ],
)
async def test_a_failed_reset_says_whether_the_password_may_have_changed(
    running: House, error: ProviderError, raised: type[Exception], state: ActionState
) -> None:
    running.compute.fail["reset_password"] = [error]
    with pytest.raises(raised) as caught:
        await reset(running)
    async with running.database.acquire() as db:
        action = await running.action(await last_action.value(db))
    assert action.state is state
    assert not (await running.row(1)).busy
    if raised is AnswerLost:
        assert caught.value.args[0] == "The answer was lost, so the password may have been changed. Reset it again."
        assert (AnswerLost.code, AnswerLost.status) == ("upstream_answer_lost", 502)


async def test_no_password_for_a_suspended_server_or_a_stranger(running: House) -> None:
    with pytest.raises(NoRow):
        await reset(running, OwnedBy(running.stranger_id))
    async with running.database.transaction() as tx:
        await set_state.value(tx, (await running.row(1)).id, ServerState.SUSPENDED)
    with pytest.raises(ServerSuspended):
        await reset(running)
    assert running.compute.count("reset_password") == 0


async def test_no_password_while_something_goes_on(running: House) -> None:
    async with running.database.transaction() as tx:
        server = await queries.locked_server(tx, running.scope, (await running.row(1)).id)
        await request_power(tx, ACTOR, server, PowerAction.RESTART, clock=running.clock)
    with pytest.raises(ActionPending):
        await reset(running)


async def test_five_resets_in_ten_minutes(running: House) -> None:
    for _ in range(5):
        new = await reset(running)
        await running.follow(new.action_id)
    with pytest.raises(TooManyRequests):
        await reset(running)


async def test_windows_has_another_main_account(running: House) -> None:
    running.compute.machines[1].system = "Windows Server 2025"
    running.clock.move(minutes=2)
    await refresh_details(running.database, running.providers, running.connection_id, budget=9, clock=running.clock)
    assert (await reset(running)).username == "Administrator"


async def test_traffic_is_read_or_said_to_be_away(running: House) -> None:
    server_id = (await running.row(1)).id
    months = await read_traffic(running.database, running.providers, running.scope, server_id)
    assert [month.total_bytes for month in months] == [3]
    with pytest.raises(NoRow):
        await read_traffic(running.database, running.providers, OwnedBy(running.stranger_id), server_id)
    running.compute.fail["traffic"] = [Transient("away")]
    with pytest.raises(UpstreamAway) as caught:
        await read_traffic(running.database, running.providers, running.scope, server_id)
    assert caught.value.status == 503
