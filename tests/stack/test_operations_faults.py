"""Each fault on each change of a server, against the simulated VirtFusion: what may be repeated ends with the truth,
and an installation is never sent twice for one intent.
"""

from __future__ import annotations

import pytest

from hostwright.core.providers import ServerState
from hostwright.core.scope import OwnedBy, Scope, Staff
from hostwright.servers import queries
from hostwright.servers.records import ActionDetail, ActionKind, ActionRow, ActionState
from hostwright.servers.service.actions import LOG_STATUS as LOGGED
from hostwright.servers.service.install import Wish, install_choices, request_install
from hostwright.servers.service.power import ask
from hostwright.upstream.virtfusion.simulator.facts import Work
from tests.stack.faults import FAULTS, Meaning, meaning
from tests.stack.installation import ACTOR, Installation
from tests.stack.panel import FIRST_USER, log_lines

STAFF: Scope = Staff("servers.manage")
CALLS = {
    ActionKind.RENAME: ("PUT", "/modify/name", Work.RENAME),
    ActionKind.SUSPEND: ("POST", "/suspend", Work.SUSPEND),
    ActionKind.UNSUSPEND: ("POST", "/unsuspend", Work.UNSUSPEND),
    ActionKind.THROTTLE_CPU: ("PUT", "/modify/cpuThrottle", Work.THROTTLE),
    ActionKind.CHANGE_OWNER: ("PUT", "/owner/", Work.CHANGE_OWNER),
    ActionKind.INSTALL: ("POST", "/build", Work.BUILD),
}
QUICK = {("503", ActionKind.RENAME), ("drop_after", ActionKind.INSTALL), ("500", ActionKind.INSTALL)}
CASES = [
    pytest.param(fault, kind, marks=[] if (fault, kind) in QUICK else [pytest.mark.long])
    for fault in FAULTS
    for kind in CALLS
]
ENDS = {
    Meaning.REFUSED: (ActionState.FAILED, "upstream_refused"),
    Meaning.GONE: (ActionState.FAILED, "upstream_gone"),
    Meaning.BUSY: (ActionState.FAILED, "upstream_unavailable"),
    Meaning.LOST: (ActionState.UNKNOWN, "upstream_answer_lost"),
    Meaning.DONE: (ActionState.SUCCEEDED, None),
}


def end_of(fault: str, kind: ActionKind) -> tuple[ActionState, str | None]:
    """How it ends. Nothing but the answer says how a processor is limited, so without one that stays unknown.

    A change of owner names two things: that one of them is not there says nothing about the server.
    """
    known = meaning(fault)
    if fault == "malformed":
        return ENDS[Meaning.DONE]  # these answers have no body that would be read
    if known is Meaning.GONE and kind is ActionKind.CHANGE_OWNER:
        return ENDS[Meaning.REFUSED]
    return ENDS[Meaning.LOST] if known is Meaning.DONE and kind is ActionKind.THROTTLE_CPU else ENDS[known]


async def asked(house: Installation, external_id: int, kind: ActionKind) -> ActionRow:
    server_id = (await house.row(external_id)).id
    if kind is ActionKind.INSTALL:
        scope = OwnedBy(house.owner.customer_id)
        choices = await install_choices(house.database, house.providers, scope, server_id)
        wish = Wish(choices.templates[0].external_id, "web.example.com")
        return await request_install(house.database, house.providers, ACTOR, scope, server_id, wish, clock=house.time)
    details = {
        ActionKind.RENAME: ActionDetail(name="mail-77"),
        ActionKind.SUSPEND: ActionDetail(reason="Unpaid"),
        ActionKind.UNSUSPEND: ActionDetail(),
        ActionKind.THROTTLE_CPU: ActionDetail(percent=40),
        ActionKind.CHANGE_OWNER: ActionDetail(
            external_user_id=FIRST_USER + 1, customer_id=house.stranger.customer_id, customer_name="Charles Babbage"
        ),
    }
    async with house.database.transaction() as tx:
        server = await queries.locked_server(tx, STAFF, server_id)
        return await ask(tx, ACTOR, server, kind, details[kind], clock=house.time)


async def chosen(house: Installation, kind: ActionKind) -> int:
    """A running server; to lift a suspension, a suspended one."""
    external_id = house.running
    if kind is ActionKind.UNSUSPEND:
        assert (await house.follow(await asked(house, external_id, ActionKind.SUSPEND))).state is ActionState.SUCCEEDED
        house.time.move(minutes=1)
        house.vendor.forget()
    return external_id


async def as_asked(house: Installation, external_id: int, kind: ActionKind) -> bool:
    """Whether the panel shows what was asked for."""
    row = await house.row(external_id)
    return {
        ActionKind.RENAME: row.name == "mail-77",
        ActionKind.SUSPEND: row.state is ServerState.SUSPENDED and row.suspend_reason != "",
        ActionKind.UNSUSPEND: row.state is ServerState.ACTIVE,
        ActionKind.THROTTLE_CPU: row.cpu_throttle == 40,
        ActionKind.CHANGE_OWNER: row.customer_id == house.stranger.customer_id,
        ActionKind.INSTALL: row.state is ServerState.ACTIVE,
    }[kind]


@pytest.mark.parametrize(("fault", "kind"), CASES)
async def test_each_fault_on_each_change(house: Installation, fault: str, kind: ActionKind) -> None:
    external_id = await chosen(house, kind)
    method, path, work = CALLS[kind]
    before = house.effects(external_id, work)
    await house.meets(fault, method, path)
    ended = await house.follow(await asked(house, external_id, kind))
    assert (ended.state, ended.error_code) == end_of(fault, kind), ended.error
    done = house.effects(external_id, work) - before
    known = meaning(fault)
    if kind is ActionKind.INSTALL:
        assert done == (1 if known is Meaning.DONE else 0)
        assert known is Meaning.BUSY or len(house.vendor.requests(f"/servers/{external_id}/build")) == 1
    else:
        assert (done > 0) == (known is Meaning.DONE)
    row = await house.row(external_id)
    assert not row.busy
    assert (await house.values(log_lines, row.id))[-1].endswith(LOGGED[ended.state]) or kind is ActionKind.CHANGE_OWNER
    if ended.state is ActionState.SUCCEEDED:
        assert await as_asked(house, external_id, kind)
    elif kind in {ActionKind.SUSPEND, ActionKind.RENAME, ActionKind.CHANGE_OWNER}:
        assert not await as_asked(house, external_id, kind)

    await house.is_well()
    if ended.state is not ActionState.SUCCEEDED:
        house.time.move(minutes=1)
        again = await house.follow(await asked(house, external_id, kind))
        assert (again.state, again.error_code) == (ActionState.SUCCEEDED, None)
        assert await as_asked(house, external_id, kind)
    house.time.to_the_present()
    assert (await house.mirror()).state == "done"
    await house.details()
    assert await as_asked(house, external_id, kind)
    await house.nothing_is_missing()
