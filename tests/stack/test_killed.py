"""Processes killed in the middle of their work: another one finishes it, and nothing is done twice."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest

from hostwright.core.db import Command, Scalar, Tx
from hostwright.core.providers import PowerAction
from hostwright.core.scope import OwnedBy
from hostwright.servers import queries, service
from hostwright.servers.records import ActionState
from hostwright.upstream.virtfusion.simulator import World, WorldPlan
from hostwright.upstream.virtfusion.simulator.facts import Work
from tests.stack.installation import ACTOR, latest_action, run_states
from tests.stack.panel import FIRST_USER, PLAN, Panel, gone_servers, running_panel
from tests.stack.vendor import Vendor
from tests.support.stack import until

pytestmark = [pytest.mark.long]

OFF, DOWN, AGAIN, ON = PowerAction.POWEROFF, PowerAction.SHUTDOWN, PowerAction.RESTART, PowerAction.BOOT

lock_servers = Scalar(int, "select id from servers where id = any($1::bigint[]) order by id for update")
waiters = Scalar(
    int, "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
)
in_state = Scalar(int, "select count(*) from server_actions where state = $1")
bring_deadlines_near = Command("update server_actions set deadline = now() + interval '20 seconds'")
age_heartbeats = Command("update mirror_runs set heartbeat_at = heartbeat_at - interval '31 seconds'")
age_sending = Command("update server_actions set sent_at = sent_at - interval '3 minutes' where state = 'sending'")
still_busy = Scalar(int, "select count(*) from servers where id = any($1::bigint[]) and busy")
power_lines = Scalar(
    int, "select count(*) from server_log where server_id = any($1::bigint[]) and action_type = 'power'"
)
names = Scalar(str, "select name from servers order by external_id")
distinct_ids = Scalar(int, "select count(distinct external_id) from servers")


class Story:
    """Actions that one worker begins, one per kind, and another one finishes."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.servers: dict[PowerAction, int] = {}
        self.actions: dict[PowerAction, int] = {}

    async def ask(self, *kinds: PowerAction) -> None:
        """Ask for each kind of action on a server of its own."""
        async with self.panel.database.transaction() as tx:
            await self._ask(tx, *kinds)

    async def _ask(self, tx: Tx, *kinds: PowerAction) -> None:
        for kind in kinds:
            external_id = self.servers[kind] = self.panel.fresh()
            if kind is ON:
                self.panel.vendor.world.servers[external_id].running = False
            server_id = await self.panel.server_id(external_id)
            server = await queries.locked_server(tx, OwnedBy(self.panel.owner.customer_id), server_id)
            self.actions[kind] = (await service.request_power(tx, ACTOR, server, kind)).id

    @asynccontextmanager
    async def asked_and_held(self, *kinds: PowerAction) -> AsyncGenerator[None]:
        """Ask for actions, and hold their servers' rows from the same moment on: who comes next has to wait."""
        async with AsyncExitStack() as stack:
            async with self.panel.database.transaction() as tx:
                await self._ask(tx, *kinds)
                holding = asyncio.create_task(stack.enter_async_context(self.held_rows()))
                await self.somebody_waits(1)
            await holding
            yield

    async def all_in(self, state: ActionState) -> None:
        """Wait until every action is in a state."""

        async def there() -> bool:
            return await self.panel.value(in_state, state) == len(self.actions)

        await until(there)

    async def all_received(self) -> None:
        """Wait until the vendor has got every action."""

        async def there() -> bool:
            return len(self.panel.vendor.requests("/power/")) == len(self.actions)

        await until(there)

    async def replace_the_worker(self) -> None:
        """Kill the one, start another."""
        await self.panel.workers[-1].kill()
        await self.panel.start(workers=1)

    @asynccontextmanager
    async def held_rows(self) -> AsyncGenerator[None]:
        """Hold the rows of all servers, so that whoever decides about an action waits."""
        ids = [await self.panel.server_id(one) for one in self.servers.values()]
        async with self.panel.database.transaction() as tx:
            await lock_servers.all(tx, ids)
            yield

    async def somebody_waits(self, number: int) -> None:
        """Wait until so many wait for a row."""

        async def there() -> bool:
            return await self.panel.value(waiters) >= number

        await until(there)

    async def ends(self, expected: dict[PowerAction, ActionState], sent: int) -> None:
        """Every action ends as expected, and was sent so often; nothing is left busy."""
        for kind, state in expected.items():
            ended = await self.panel.ended(self.actions[kind])
            assert (kind, ended.state) == (kind, state), ended
        for kind, external_id in self.servers.items():
            if kind is not ON:
                assert (kind, self.panel.sent(external_id, "")) == (kind, sent)
                assert self.panel.vendor.world.count(external_id, Work(kind.value)) == sent
        ids = [await self.panel.server_id(one) for one in self.servers.values()]
        assert await self.panel.value(still_busy, ids) == 0
        assert await self.panel.value(power_lines, ids) == len(ids)
        assert await self.panel.value(gone_servers) == 0


@pytest.fixture
async def story(lonely: Panel) -> Story:
    """A company with one worker."""
    lonely.vendor.forget()
    await lonely.start(workers=1)
    return Story(lonely)


@asynccontextmanager
async def deaf(vendor: Vendor) -> AsyncGenerator[None]:
    """A vendor that neither refuses nor takes connections."""
    await vendor.go_away()
    with closing(socket.create_server(("127.0.0.1", vendor.port), backlog=0)):
        # Two connections that nobody accepts fill the queue; the next one waits.
        opened = [await asyncio.open_connection("127.0.0.1", vendor.port)]
        yield
        for _, writer in opened:
            writer.close()
    await vendor.come()


async def test_a_worker_killed_before_it_claimed_an_action(story: Story) -> None:
    async with story.asked_and_held(OFF, DOWN, AGAIN):
        await story.somebody_waits(3)
        await story.panel.workers[-1].kill()
    await story.panel.start(workers=1)
    await story.ends(dict.fromkeys((OFF, DOWN, AGAIN), ActionState.SUCCEEDED), sent=1)


async def test_a_worker_killed_after_the_claim_and_before_sending(story: Story) -> None:
    async with deaf(story.panel.vendor):
        await story.ask(OFF, DOWN, AGAIN, ON)
        await story.all_in(ActionState.SENDING)
        await story.panel.workers[-1].kill()
    await story.panel.start(workers=1)
    await story.all_in(ActionState.RUNNING)
    async with story.panel.database.transaction() as tx:
        await bring_deadlines_near.run(tx)
    expected = dict.fromkeys((OFF, DOWN, AGAIN), ActionState.UNKNOWN) | {ON: ActionState.SUCCEEDED}
    await story.ends(expected, sent=0)
    assert story.panel.sent(story.servers[ON], "boot") == 1


async def test_a_worker_killed_while_it_sends(story: Story) -> None:
    story.panel.vendor.faults([{"mode": "delay", "method": "POST", "delayMs": 2000}])
    await story.ask(OFF, DOWN, AGAIN)
    await story.all_received()
    await story.replace_the_worker()
    await story.ends({OFF: ActionState.SUCCEEDED, DOWN: ActionState.SUCCEEDED, AGAIN: ActionState.UNKNOWN}, sent=1)


async def test_a_worker_killed_between_the_answer_and_writing_it_down(story: Story) -> None:
    story.panel.vendor.faults([{"mode": "delay", "method": "POST", "delayMs": 1500}])
    await story.ask(OFF, DOWN, AGAIN)
    await story.all_received()
    async with story.held_rows():
        await story.somebody_waits(3)
        assert {one.outcome for one in story.panel.vendor.requests("/power/")} == {"200"}
        await story.panel.workers[-1].kill()
    await story.panel.start(workers=1)
    await story.ends({OFF: ActionState.SUCCEEDED, DOWN: ActionState.SUCCEEDED, AGAIN: ActionState.UNKNOWN}, sent=1)


async def test_a_worker_killed_while_it_follows_an_action(story: Story) -> None:
    story.panel.vendor.world.plan = WorldPlan(speed=0.3)
    await story.ask(OFF, DOWN, AGAIN)
    await story.all_in(ActionState.RUNNING)
    await story.replace_the_worker()
    await story.ends(dict.fromkeys((OFF, DOWN, AGAIN), ActionState.SUCCEEDED), sent=1)


async def test_a_web_process_killed_while_it_resets_a_password(lonely: Panel) -> None:
    await lonely.start(webs=1, workers=1)
    external_id = lonely.fresh()
    server_id = await lonely.server_id(external_id)
    program = await lonely.program(lonely.owner)
    lonely.vendor.faults([{"mode": "delay", "method": "POST", "delayMs": 1000}])
    asking = asyncio.create_task(program.post(f"/api/user/servers/{server_id}/reset-password"))

    async def received() -> bool:
        return bool(lonely.vendor.requests("/resetPassword"))

    await until(received)
    await lonely.webs[0].kill()
    (answer,) = await asyncio.gather(asking, return_exceptions=True)
    assert isinstance(answer, Exception)
    async with lonely.database.transaction() as tx:
        assert await age_sending.run(tx) == 1
    ended = await lonely.ended(await lonely.value(latest_action, server_id))
    assert (ended.state, ended.error_code) == (ActionState.UNKNOWN, "upstream_answer_lost")

    async def done_once() -> bool:
        return lonely.vendor.world.count(external_id, Work.RESET_PASSWORD) == 1

    await until(done_once)
    assert await lonely.value(still_busy, [server_id]) == 0


@pytest.fixture
async def large(own_dsn: str, tmp_path: Path) -> AsyncIterator[Panel]:
    """Four hundred and fifty servers on three pages, none of them mirrored yet."""
    world = World(WorldPlan(servers=450, users=PLAN.users, first_users=(5, 2), build_minutes=600))
    async with running_panel(own_dsn, tmp_path, world=world) as found:
        yield found


async def the_next_run_completes(panel: Panel, before: list[str]) -> None:
    """Another worker's run, once the killed one has been silent for long enough."""
    async with panel.database.transaction() as tx:
        await age_heartbeats.run(tx)
    panel.vendor.faults([])
    await panel.start(workers=1)

    async def done() -> bool:
        return await panel.values(run_states) == [*before, "abandoned", "done"]

    await until(done)
    assert await panel.values(names) == [one.name for one in panel.vendor.world.listed]
    assert await panel.value(distinct_ids) == 450
    assert await panel.value(gone_servers) == 0


async def test_a_worker_killed_while_it_reads_the_list(large: Panel) -> None:
    large.vendor.faults([{"mode": "delay", "method": "GET", "path": "/servers$", "delayMs": 800}])
    await large.start(workers=1)

    async def on_the_second_page() -> bool:
        return len(large.vendor.requests("/api/v1/servers")) >= 2

    await until(on_the_second_page)
    await large.workers[-1].kill()
    assert await large.values(run_states) == ["running"]
    assert await large.values(names) == []
    await the_next_run_completes(large, [])


async def test_a_worker_killed_while_it_writes_the_list_down(large: Panel) -> None:
    await large.mirror(details=False)
    before = await large.values(names)
    changed = [one for one in large.vendor.world.listed if one.owner_id != FIRST_USER]
    for one in changed:
        one.name = f"renamed-{one.id}"
    large.vendor.world.add(FIRST_USER, "new")
    held = await large.server_id(changed[-1].id)
    async with large.database.transaction() as tx:
        await lock_servers.all(tx, [held])
        await large.start(workers=1)

        async def it_waits() -> bool:
            return await large.value(waiters) >= 1

        await until(it_waits)
        await large.workers[-1].kill()

    async def nobody_waits() -> bool:
        return await large.value(waiters) == 0

    await until(nobody_waits)
    assert await large.values(names) == before
    large.vendor.world.remove(max(large.vendor.world.servers))
    await the_next_run_completes(large, ["done"])
