"""Installing a system anew: what may be installed, once, and how it is known to have ended."""

from __future__ import annotations

import asyncio

import pytest

from hostwright.core.db import NoRow, Scalar
from hostwright.core.errors import Invalid, TooManyRequests
from hostwright.core.providers import (
    ActionTicket,
    Ambiguous,
    InstallSpec,
    PowerAction,
    Refused,
    ServerState,
    SshKey,
    SystemTemplate,
    Transient,
)
from hostwright.core.scope import OwnedBy, Staff
from hostwright.servers import queries
from hostwright.servers.policy import ActionPending, ServerSuspended
from hostwright.servers.records import ActionKind, ActionRow, ActionState
from hostwright.servers.service import refresh_details, request_power, run_mirror, sweep_actions
from hostwright.servers.service.common import UpstreamAway
from hostwright.servers.service.install import Wish, hostname_of, request_install

from .helpers import ACTOR, House, log_actions

all_actions = Scalar(int, "select count(*) from server_actions")
set_state = Scalar(int, "update servers set state = $2 where id = $1 returning 1")
DEBIAN = SystemTemplate(11, "Debian", "Debian", "13", "minimal", windows=False, ended=False)
UBUNTU = SystemTemplate(12, "Ubuntu", "Ubuntu", "24.04", "", windows=False, ended=False)
MINE = SshKey(71, "laptop", "ssh-ed25519 AAAA", enabled=True, created_at=None)
THEIRS = SshKey(72, "theirs", "ssh-ed25519 BBBB", enabled=True, created_at=None)


@pytest.fixture
async def running(house: House) -> House:
    """A house with one running server, number 1, that Debian and Ubuntu fit on."""
    house.compute.add(1, name="web-01")
    house.compute.systems = [DEBIAN, UBUNTU]
    house.compute.keys = {100: [MINE], 200: [THEIRS]}
    await run_mirror(house.database, house.providers, house.connection_id, clock=house.clock)
    await refresh_details(house.database, house.providers, house.connection_id, budget=9, clock=house.clock)
    house.compute.calls.clear()
    house.clock.move(seconds=1)
    return house


async def ask(house: House, wish: Wish, scope: OwnedBy | Staff | None = None) -> ActionRow:
    number = (await house.row(1)).id
    return await request_install(
        house.database, house.providers, ACTOR, scope or house.scope, number, wish, clock=house.clock
    )


async def count(house: House) -> int:
    async with house.database.acquire() as db:
        return await all_actions.value(db)


async def test_an_installation_is_followed_to_its_end(running: House) -> None:
    asked = await ask(running, Wish(11, "web.example.com", [71, 71]))
    assert (asked.detail.template, asked.detail.hostname, asked.detail.ssh_key_ids) == (
        "Debian 13 minimal",
        "web.example.com",
        (71,),
    )
    await running.perform(asked.id)
    machine = running.compute.machines[1]
    assert machine.installed == InstallSpec(11, "web-01", "web.example.com", (71,))
    running.clock.move(seconds=30)
    await running.follow(asked.id, turns=3)
    assert (await running.action(asked.id)).state is ActionState.RUNNING
    assert (await running.row(1)).state is ServerState.BUILDING
    machine.state, machine.system = ServerState.ACTIVE, "Debian 13 (minimal)"
    ended = await running.follow(asked.id)
    assert (ended.state, ended.progress, ended.error) == (ActionState.SUCCEEDED, 100, None)
    row = await running.row(1)
    assert (row.state, row.operating_system, row.busy) == (ServerState.ACTIVE, "Debian 13 (minimal)", False)
    assert running.compute.count("install") == 1
    assert await running.texts(log_actions, row.id) == ["found:success", "install:success"]


async def test_the_queue_tells_the_progress(running: House) -> None:
    async def queued(external_id: int, spec: InstallSpec) -> ActionTicket:
        del spec
        running.compute.queue[700] = (0, None)
        running.compute.machines[external_id].state = ServerState.BUILDING
        return ActionTicket(700)

    running.compute.install = queued  # type: ignore[method-assign]
    running.compute.steps = 4
    asked = await ask(running, Wish(11))
    await running.perform(asked.id)
    await running.follow(asked.id, turns=2)
    assert (await running.action(asked.id)).progress == 50
    running.compute.machines[1].state = ServerState.ACTIVE
    assert (await running.follow(asked.id)).state is ActionState.SUCCEEDED


async def test_a_failed_installation_says_so_and_can_be_tried_again(running: House) -> None:
    asked = await ask(running, Wish(11))
    await running.perform(asked.id)
    await running.follow(asked.id, turns=2)
    running.compute.machines[1].state = ServerState.FAILED
    ended = await running.follow(asked.id)
    assert (ended.state, ended.error_code) == (ActionState.FAILED, "install_failed")
    assert (await running.row(1)).state is ServerState.FAILED
    again = await ask(running, Wish(12))
    assert again.id != asked.id


async def test_a_lost_answer_is_never_sent_again(running: House) -> None:
    """Taken, though the answer was lost: the server is seen building."""
    running.compute.lost["install"] = [Ambiguous("lost")]
    asked = await ask(running, Wish(11))
    await running.perform(asked.id)
    await running.follow(asked.id, turns=2)
    stands = await running.action(asked.id)
    assert (stands.state, stands.error_code, stands.progress) == (ActionState.RUNNING, None, 1)
    running.clock.move(minutes=20)
    running.compute.machines[1].state = ServerState.ACTIVE
    assert (await running.follow(asked.id)).state is ActionState.SUCCEEDED
    assert running.compute.count("install") == 1


async def test_a_lost_answer_to_nothing_ends_unknown(running: House) -> None:
    running.compute.fail["install"] = [Ambiguous("lost")]
    asked = await ask(running, Wish(11))
    await running.perform(asked.id)
    ended = await running.follow(asked.id, turns=90, step=2)
    assert (ended.state, ended.error_code) == (ActionState.UNKNOWN, "upstream_answer_lost")
    assert "Look before you try again" in (ended.error or "")
    assert running.compute.count("install") == 1
    assert (await running.row(1)).state is ServerState.ACTIVE


async def test_a_worker_that_died_while_sending_does_not_install_twice(running: House) -> None:
    asked = await ask(running, Wish(11))

    async def die(call: str) -> None:
        if call == "install":
            raise KeyboardInterrupt

    running.compute.before = die
    with pytest.raises(KeyboardInterrupt):
        await running.perform(asked.id)
    running.compute.before = None
    running.clock.move(minutes=3)
    await sweep_actions(running.database, running.clock)
    await running.perform(asked.id)
    ended = await running.follow(asked.id, turns=90, step=2)
    assert ended.state is ActionState.UNKNOWN
    assert running.compute.count("install") == 1  # the one that died


async def test_only_what_the_vendor_lists_and_own_keys(running: House) -> None:
    for wish, fields in (
        (Wish(99), ["templateId"]),
        (Wish(11, None, [72]), ["sshKeyIds"]),
        (Wish(0, None, [71, 72]), ["templateId", "sshKeyIds"]),
        (Wish(11, "no dot"), ["hostname"]),
        (Wish(11, "web"), ["hostname"]),
    ):
        with pytest.raises(Invalid) as refused:
            await ask(running, wish)
        assert [problem.field for problem in refused.value.problems] == fields
    assert await count(running) == 0
    assert running.compute.count("install") == 0


def test_host_names() -> None:
    assert hostname_of(" Web.Example.COM. ") == "web.example.com"
    assert hostname_of(None) == ""
    for bad in ("-a.b", "a..b", "a_b.c", "a.b/c", "x" * 64 + ".de", "a.b\n"[:-1] + "\x00", "ä.de"):
        with pytest.raises(Invalid):
            hostname_of(bad)


async def test_defect_02_nobody_installs_a_strangers_server(running: House) -> None:
    with pytest.raises(NoRow):
        await ask(running, Wish(11), OwnedBy(running.stranger_id))
    assert running.compute.calls == []
    assert await count(running) == 0


async def test_staff_put_the_customers_keys_on_it(running: House) -> None:
    asked = await ask(running, Wish(12, None, [71]), Staff("servers.manage"))
    assert asked.customer_id == running.customer_id
    with pytest.raises(Invalid):
        await ask(running, Wish(12, None, [72]), Staff("servers.manage"))


async def test_three_in_an_hour(running: House) -> None:
    for _ in range(3):
        asked = await ask(running, Wish(11))
        running.compute.fail["install"] = [Refused("no", status=422)]
        await running.perform(asked.id)
    with pytest.raises(TooManyRequests):
        await ask(running, Wish(11))
    assert await count(running) == 3


async def test_a_suspended_or_busy_server_is_not_installed(running: House) -> None:
    number = (await running.row(1)).id
    async with running.database.transaction() as tx:
        server = await queries.locked_server(tx, running.scope, number)
        await request_power(tx, ACTOR, server, PowerAction.RESTART, clock=running.clock)
    with pytest.raises(ActionPending):
        await ask(running, Wish(11))
    async with running.database.transaction() as tx:
        await set_state.value(tx, number, ServerState.SUSPENDED)
    with pytest.raises(ServerSuspended):
        await ask(running, Wish(11))
    assert running.compute.count("install") == 0


async def test_twice_at_once_is_one(running: House) -> None:
    asked = await asyncio.gather(*(ask(running, Wish(11)) for _ in range(3)))
    assert len({action.id for action in asked}) == 1
    assert asked[0].kind is ActionKind.INSTALL


async def test_a_vendor_that_is_away_installs_nothing(running: House) -> None:
    running.compute.fail["templates"] = [Transient("away")]
    with pytest.raises(UpstreamAway):
        await ask(running, Wish(11))
    assert await count(running) == 0
