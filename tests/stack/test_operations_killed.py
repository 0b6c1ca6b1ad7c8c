"""A worker killed while it sends a change of a server: another one finds out how that went, nothing is done twice."""

from __future__ import annotations

import pytest

from hostwright.core.crypto import Keyring
from hostwright.core.db import Command, Scalar
from hostwright.core.scope import OwnedBy, Staff
from hostwright.servers import queries
from hostwright.servers.records import ActionDetail, ActionKind, ActionRow, ActionState
from hostwright.servers.service.actions import LOG_STATUS as LOGGED
from hostwright.servers.service.install import Wish, install_choices, request_install
from hostwright.servers.service.power import ask
from hostwright.upstream.factory import connection_providers
from hostwright.upstream.virtfusion.simulator import WorldPlan
from hostwright.upstream.virtfusion.simulator.facts import Work
from tests.stack.installation import ACTOR
from tests.stack.panel import FIRST_USER, Panel, log_lines
from tests.support.app import KEYS, config_of
from tests.support.stack import until

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]

CALLS = {
    ActionKind.RENAME: ("/modify/name", Work.RENAME),
    ActionKind.SUSPEND: ("/suspend", Work.SUSPEND),
    ActionKind.THROTTLE_CPU: ("/modify/cpuThrottle", Work.THROTTLE),
    ActionKind.CHANGE_OWNER: ("/owner/", Work.CHANGE_OWNER),
    ActionKind.INSTALL: ("/build", Work.BUILD),
}
# It was complete before and is complete afterwards: whether it was installed meanwhile nobody tells.
ENDS = {ActionKind.INSTALL: (ActionState.UNKNOWN, "upstream_answer_lost")}
busy = Scalar(bool, "select busy from servers where id = $1")
bring_deadline_near = Command("update server_actions set deadline = now() + interval '1 second' where id = $1")
age_sending = Command("update server_actions set sent_at = sent_at - interval '3 minutes' where state = 'sending'")


async def asked(panel: Panel, server_id: int, kind: ActionKind) -> ActionRow:
    if kind is ActionKind.INSTALL:
        scope = OwnedBy(panel.owner.customer_id)
        config = config_of(panel.database.dsn)
        async with connection_providers(config, panel.database, Keyring.parse(KEYS)) as providers:
            choices = await install_choices(panel.database, providers, scope, server_id)
            wish = Wish(choices.templates[0].external_id, "web.example.com")
            return await request_install(panel.database, providers, ACTOR, scope, server_id, wish)
    details = {
        ActionKind.RENAME: ActionDetail(name="mail-77"),
        ActionKind.SUSPEND: ActionDetail(reason="Unpaid"),
        ActionKind.THROTTLE_CPU: ActionDetail(percent=40),
        ActionKind.CHANGE_OWNER: ActionDetail(
            external_user_id=FIRST_USER + 1, customer_id=panel.stranger.customer_id, customer_name="Charles Babbage"
        ),
    }
    async with panel.database.transaction() as tx:
        server = await queries.locked_server(tx, Staff("servers.manage"), server_id)
        return await ask(tx, ACTOR, server, kind, details[kind])


@pytest.mark.parametrize("kind", CALLS)
async def test_a_worker_killed_while_it_sends_a_change(lonely: Panel, kind: ActionKind) -> None:
    path, work = CALLS[kind]
    external_id = lonely.fresh()
    server_id = await lonely.server_id(external_id)
    lonely.vendor.forget()
    lonely.vendor.world.plan = WorldPlan(speed=20.0)
    await lonely.start(workers=1)
    lonely.vendor.faults([{"mode": "delay", "path": path, "delayMs": 2000}])
    action = await asked(lonely, server_id, kind)
    await until(lambda: received(lonely, path))
    await lonely.workers[-1].kill()
    lonely.vendor.faults([])
    async with lonely.database.transaction() as tx:
        assert await age_sending.run(tx) == 1
    await lonely.start(workers=1)
    if kind is ActionKind.INSTALL:
        await until(lambda: follows(lonely, action.id))
        async with lonely.database.transaction() as tx:
            await bring_deadline_near.run(tx, action.id)
    ended = await lonely.ended(action.id)
    assert (ended.state, ended.error_code) == ENDS.get(kind, (ActionState.SUCCEEDED, None))
    # Nothing tells how a processor is limited, and to limit it twice is to limit it once.
    assert lonely.vendor.world.count(external_id, work) == (2 if kind is ActionKind.THROTTLE_CPU else 1)
    assert not await lonely.value(busy, server_id)
    assert (await lonely.values(log_lines, server_id)).count(f"{kind.value}:{LOGGED[ended.state]}") == 1


async def follows(panel: Panel, action_id: int) -> bool:
    return (await panel.action(action_id)).state is ActionState.RUNNING


async def received(panel: Panel, path: str) -> bool:
    return bool(panel.vendor.requests(path))
