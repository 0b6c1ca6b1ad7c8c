"""Names, suspensions, processor limits and owners: asked for once, done once, seen before they are believed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from hostwright.core.db import NoRow, Scalar, Tx
from hostwright.core.errors import Invalid
from hostwright.core.providers import Ambiguous, Power, PowerAction, Refused, ServerState, Transient
from hostwright.core.scope import OwnedBy, Scope, Staff
from hostwright.servers import queries
from hostwright.servers.policy import ActionPending, NotSuspended, ServerGone, ServerSuspended
from hostwright.servers.queries import operations as looks
from hostwright.servers.records import ActionRow, ActionState, TargetRow
from hostwright.servers.service import mirror as mirroring
from hostwright.servers.service import (
    perform_action,
    refresh_details,
    request_power,
    run_mirror,
    sweep_actions,
)
from hostwright.servers.service.operations import (
    NoAccount,
    SameOwner,
    change_owner,
    name_of,
    rename_server,
    suspend_server,
    throttle_server,
    unsuspend_server,
)

from .helpers import ACTOR, House, addresses_ever, log_actions

STAFF = Staff("servers.manage")
audited = Scalar(str, "select action from audit_log order by id")
reason_of = Scalar(str, "select suspend_reason from servers where id = $1")
set_state = Scalar(int, "update servers set state = $2 where id = $1 returning 1")
no_account = Scalar(int, "delete from compute_accounts where customer_id = $1 returning 1")


@pytest.fixture
async def running(house: House) -> House:
    """A house with one running server, number 1."""
    house.compute.add(1, name="web-01")
    await run_mirror(house.database, house.providers, house.connection_id, clock=house.clock)
    await refresh_details(house.database, house.providers, house.connection_id, budget=9, clock=house.clock)
    house.compute.calls.clear()
    house.clock.move(seconds=1)
    return house


type Ask = Callable[[Tx, TargetRow], Awaitable[ActionRow]]


async def ask(house: House, asking: Ask, scope: Scope = STAFF) -> ActionRow:
    server_id = (await house.row(1)).id
    async with house.database.transaction() as tx:
        server = await queries.locked_server(tx, scope, server_id)
        return await asking(tx, server)


def rename(house: House, name: str) -> Ask:
    return lambda tx, server: rename_server(tx, ACTOR, server, name, clock=house.clock)


def suspend(house: House, reason: str) -> Ask:
    return lambda tx, server: suspend_server(tx, ACTOR, server, reason, clock=house.clock)


def unsuspend(house: House) -> Ask:
    return lambda tx, server: unsuspend_server(tx, ACTOR, server, clock=house.clock)


def throttle(house: House, percent: int) -> Ask:
    return lambda tx, server: throttle_server(tx, ACTOR, server, percent, clock=house.clock)


def give_to(house: House, customer_id: int) -> Ask:
    return lambda tx, server: change_owner(tx, ACTOR, server, customer_id, clock=house.clock)


async def done(house: House, asking: Ask, scope: Scope = STAFF) -> ActionRow:
    asked = await ask(house, asking, scope)
    await house.perform(asked.id)
    return await house.follow(asked.id)


# --- names


async def test_a_name_is_shown_once_the_vendor_has_it(running: House) -> None:
    asked = await ask(running, rename(running, "  mail server "), running.scope)
    assert asked.detail.name == "mail server"
    assert (await running.row(1)).name == "web-01"
    await running.perform(asked.id)
    ended = await running.follow(asked.id)
    assert (ended.state, ended.error) == (ActionState.SUCCEEDED, None)
    assert running.compute.machines[1].name == "mail server"
    row = await running.row(1)
    assert (row.name, row.busy) == ("mail server", False)
    assert running.compute.count("rename") == 1
    assert (await running.texts(log_actions, row.id))[-1] == "rename:success"
    async with running.database.acquire() as db:
        assert await audited.all(db) == ["server.rename"]


async def test_an_older_list_does_not_put_the_old_name_back(running: House) -> None:
    """A list that was begun before the renaming ends after it."""
    old = await running.compute.list_servers()
    begun = running.clock.now()
    running.clock.move(seconds=2)
    await done(running, rename(running, "mail"))
    async with running.database.transaction() as tx:
        listed = [
            list(column)
            for column in zip(
                *(
                    (s.external_id, s.external_uuid, s.external_owner_id, s.name, s.state, s.created_at)
                    for s in old.servers
                ),
                strict=True,
            )
        ]
        await mirroring.mirror.merge_changed.all(tx, running.connection_id, begun, *listed)
    assert (await running.row(1)).name == "mail"
    running.clock.move(minutes=1)
    running.compute.machines[1].name = "changed outside"
    await run_mirror(running.database, running.providers, running.connection_id, clock=running.clock)
    assert (await running.row(1)).name == "changed outside"


@pytest.mark.parametrize("name", ["", "   ", "a" * 64, "a\x00b", "a\nb", "a\u202eb", "a\u2066b", "\ud800"])
async def test_a_name_that_cannot_be_shown_is_refused(running: House, name: str) -> None:
    with pytest.raises(Invalid):
        await ask(running, rename(running, name))
    assert running.compute.calls == []
    async with running.database.acquire() as db:
        assert await audited.all(db) == []


def test_names_of_all_languages_are_fine() -> None:
    assert name_of("Größe Ω 東京 🚀") == "Größe Ω 東京 🚀"
    assert len(name_of("x" * 63)) == 63


async def test_a_lost_answer_to_a_renaming_is_seen_or_sent_again(running: House) -> None:
    running.compute.lost["rename"] = [Ambiguous("lost")]
    ended = await done(running, rename(running, "one"))
    assert (ended.state, running.compute.count("rename")) == (ActionState.SUCCEEDED, 1)
    running.compute.fail["rename"] = [Ambiguous("lost before it was done")]
    ended = await done(running, rename(running, "two"))
    assert (ended.state, running.compute.count("rename")) == (ActionState.SUCCEEDED, 3)
    assert (await running.row(1)).name == "two"


async def test_a_vendor_that_says_done_and_does_nothing_is_told(running: House) -> None:
    async def forgetful(external_id: int, name: str) -> object:
        await running.compute._enter("rename", external_id)
        return running.compute._answered("rename")

    running.compute.rename = forgetful  # type: ignore[method-assign,assignment]
    asked = await ask(running, rename(running, "mail"))
    await running.perform(asked.id)
    ended = await running.follow(asked.id, turns=60, step=5)
    assert (ended.state, ended.error_code) == (ActionState.FAILED, "no_effect")
    assert (await running.row(1)).name == "web-01"


async def test_the_same_name_twice_at_once_is_one_action(running: House) -> None:
    asked = await asyncio.gather(*(ask(running, rename(running, "mail")) for _ in range(3)))
    assert len({action.id for action in asked}) == 1
    with pytest.raises(ActionPending):
        await ask(running, rename(running, "other"))


async def test_defect_02_a_stranger_reaches_no_operation(running: House) -> None:
    with pytest.raises(NoRow):
        await ask(running, rename(running, "mine"), OwnedBy(running.stranger_id))
    assert running.compute.calls == []
    assert (await running.texts(log_actions, (await running.row(1)).id)) == ["found:success"]


# --- suspension


async def test_a_suspension_stops_the_server_and_keeps_its_reason(running: House) -> None:
    ended = await done(running, suspend(running, " Unpaid invoice 2026-0042 "))
    assert ended.state is ActionState.SUCCEEDED
    row = await running.row(1)
    assert (row.state, row.power, row.suspend_reason) == (
        ServerState.SUSPENDED,
        Power.STOPPED,
        "Unpaid invoice 2026-0042",
    )
    with pytest.raises(ServerSuspended):
        await ask(running, lambda tx, s: request_power(tx, ACTOR, s, PowerAction.BOOT, clock=running.clock))
    with pytest.raises(ServerSuspended):
        await ask(running, suspend(running, "again"))
    ended = await done(running, unsuspend(running))
    assert ended.state is ActionState.SUCCEEDED
    row = await running.row(1)
    assert (row.state, row.suspend_reason) == (ServerState.ACTIVE, None)
    assert (await running.texts(log_actions, row.id)) == ["found:success", "suspend:success", "unsuspend:success"]


async def test_the_mirror_does_not_tell_what_the_panel_did_as_news(running: House) -> None:
    asked = await ask(running, suspend(running, "Abuse report"))
    await running.perform(asked.id)
    running.clock.move(seconds=1)
    await run_mirror(running.database, running.providers, running.connection_id, clock=running.clock)
    await refresh_details(running.database, running.providers, running.connection_id, budget=9, clock=running.clock)
    await running.follow(asked.id)
    row = await running.row(1)
    assert (await running.texts(log_actions, row.id)) == ["found:success", "suspend:success"]
    assert row.suspend_reason == "Abuse report"


async def test_a_suspension_lifted_outside_forgets_its_reason(running: House) -> None:
    await done(running, suspend(running, "Unpaid"))
    running.clock.move(minutes=5)
    running.compute.machines[1].state = ServerState.ACTIVE
    await run_mirror(running.database, running.providers, running.connection_id, clock=running.clock)
    row = await running.row(1)
    assert (row.state, row.suspend_reason) == (ServerState.ACTIVE, None)
    assert (await running.texts(log_actions, row.id))[-1] == "unsuspended:success"


async def test_a_refused_suspension_leaves_no_reason(running: House) -> None:
    running.compute.fail["suspend"] = [Refused("not allowed", status=403)]
    ended = await done(running, suspend(running, "Unpaid"))
    assert (ended.state, ended.error) == (ActionState.FAILED, "not allowed")
    row = await running.row(1)
    assert (row.state, row.suspend_reason) == (ServerState.ACTIVE, None)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
async def test_a_suspension_needs_a_reason(running: House, reason: str) -> None:
    with pytest.raises(Invalid):
        await ask(running, suspend(running, reason))
    assert running.compute.calls == []


async def test_a_suspension_waits_for_what_goes_on(running: House) -> None:
    await ask(running, lambda tx, s: request_power(tx, ACTOR, s, PowerAction.RESTART, clock=running.clock))
    with pytest.raises(ActionPending):
        await ask(running, suspend(running, "Unpaid"))
    assert (await running.row(1)).suspend_reason is None


async def test_only_a_suspended_server_can_be_let_go(running: House) -> None:
    with pytest.raises(NotSuspended):
        await ask(running, unsuspend(running))
    async with running.database.transaction() as tx:
        await set_state.value(tx, (await running.row(1)).id, ServerState.GONE)
    with pytest.raises(ServerGone):
        await ask(running, unsuspend(running))


async def test_a_busy_vendor_is_asked_again(running: House) -> None:
    running.compute.fail["suspend"] = [Transient("busy", status=423), Transient("busy", status=423)]
    ended = await done(running, suspend(running, "Unpaid"))
    assert (ended.state, running.compute.count("suspend")) == (ActionState.SUCCEEDED, 3)


# --- processor


async def test_a_limit_is_kept_once_it_was_answered(running: House) -> None:
    asked = await ask(running, throttle(running, 40))
    await running.perform(asked.id)
    assert (await running.action(asked.id)).state is ActionState.SUCCEEDED
    assert ((await running.row(1)).cpu_throttle, running.compute.machines[1].throttle) == (40, 40)
    await done(running, throttle(running, 0))
    assert (await running.row(1)).cpu_throttle == 0


async def test_a_limit_whose_answer_was_lost_is_sent_again(running: House) -> None:
    running.compute.fail["throttle_cpu"] = [Ambiguous("lost")]
    ended = await done(running, throttle(running, 75))
    assert (ended.state, running.compute.count("throttle_cpu")) == (ActionState.SUCCEEDED, 2)
    assert (await running.row(1)).cpu_throttle == 75


# --- owner


async def test_a_server_changes_hands_with_its_addresses(running: House) -> None:
    ended = await done(running, give_to(running, running.stranger_id))
    assert ended.state is ActionState.SUCCEEDED
    assert running.compute.machines[1].owner_id == 200
    row = await running.row(1)
    assert row.customer_id == running.stranger_id
    assert await running.texts(addresses_ever, row.id) == [
        f"192.0.2.1 {running.customer_id} released",
        f"192.0.2.1 {running.stranger_id}",
    ]
    async with running.database.acquire() as db:
        new = await queries.activity(db, OwnedBy(running.stranger_id), row.id, queries.LogFilter())
        assert [line.action for line in new] == ["owner_changed"]
        assert await queries.latest_action(db, OwnedBy(running.stranger_id), row.id) is None
        assert await queries.latest_action(db, running.scope, row.id) is not None


async def test_an_owner_without_an_account_there_is_refused(running: House) -> None:
    with pytest.raises(SameOwner):
        await ask(running, give_to(running, running.customer_id))
    async with running.database.transaction() as tx:
        await no_account.value(tx, running.stranger_id)
    with pytest.raises(NoAccount):
        await ask(running, give_to(running, running.stranger_id))
    assert running.compute.calls == []
    assert (await running.row(1)).customer_id == running.customer_id


async def test_a_lost_change_of_owner_is_observed(running: House) -> None:
    running.compute.lost["change_owner"] = [Ambiguous("lost")]
    ended = await done(running, give_to(running, running.stranger_id))
    assert (ended.state, running.compute.count("change_owner")) == (ActionState.SUCCEEDED, 1)
    assert (await running.row(1)).customer_id == running.stranger_id


async def test_accounts_are_found_by_name_and_number(running: House) -> None:
    async with running.database.acquire() as db:
        found = await looks.accounts_named(db, running.connection_id, "SOMEBODY")
        assert [(a.customer_id, a.external_user_id) for a in found] == [(running.stranger_id, 200)]
        found = await looks.accounts_named(db, running.connection_id, str(running.customer_id))
        assert running.customer_id in [a.customer_id for a in found]
        assert await looks.accounts_named(db, running.connection_id, "%") == []


# --- killed half-way


async def test_a_worker_that_died_while_sending_is_looked_after(running: House) -> None:
    """Claimed and never answered: observed first, and sent again since that changes nothing."""
    asked = await ask(running, suspend(running, "Unpaid"))

    async def die(call: str) -> None:
        if call == "suspend":
            raise KeyboardInterrupt

    running.compute.before = die
    with pytest.raises(KeyboardInterrupt):
        await perform_action(running.database, running.providers, running.clock, asked.id)
    running.compute.before = None
    running.clock.move(minutes=3)
    await sweep_actions(running.database, running.clock)
    await running.perform(asked.id)
    ended = await running.follow(asked.id)
    assert ended.state is ActionState.SUCCEEDED
    assert (await running.row(1)).state is ServerState.SUSPENDED


async def test_defect_49_a_finished_restart_is_running(running: House) -> None:
    """Whatever the vendor's queue calls it: what was seen of the machine afterwards decides."""
    ended = await done(running, lambda tx, s: request_power(tx, ACTOR, s, PowerAction.RESTART, clock=running.clock))
    assert ended.state is ActionState.SUCCEEDED
    assert (await running.row(1)).power is Power.RUNNING
