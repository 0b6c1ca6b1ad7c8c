"""Asking for an action on a server: what was asked is written down, the worker does it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from hostwright.audit.service import record
from hostwright.core.clock import Clock, SystemClock
from hostwright.core.db import Tx
from hostwright.core.jobs import enqueue
from hostwright.core.providers import PowerAction
from hostwright.servers import queries
from hostwright.servers.events import PERFORM_ACTION, ActionRef
from hostwright.servers.policy import ActionPending, deadline_of, require_allowed
from hostwright.servers.queries import actions
from hostwright.servers.records import (
    ActionDetail,
    ActionKind,
    ActionRow,
    ActionState,
    TargetRow,
)
from hostwright.servers.service.common import Actor, announce

LOG_TYPES: Final = {
    ActionKind.RESET_PASSWORD: "security",
    ActionKind.SUSPEND: "security",
    ActionKind.UNSUSPEND: "security",
    ActionKind.CHANGE_OWNER: "security",
    ActionKind.RENAME: "config",
    ActionKind.THROTTLE_CPU: "config",
    ActionKind.INSTALL: "storage",
}


async def request_power(
    tx: Tx, actor: Actor, server: TargetRow, action: PowerAction, *, clock: Clock | None = None
) -> ActionRow:
    """Ask for a power action on a server held ``for update`` (`queries.locked_server`).

    A pending action of the same kind is returned instead of a second one; another kind, or one that the server's former
    customer asked for, raises `ActionPending`, a server that is not active its `Conflict`.
    """
    return await ask(tx, actor, server, ActionKind(action.value), clock=clock)


async def ask(
    tx: Tx,
    actor: Actor,
    server: TargetRow,
    kind: ActionKind,
    detail: ActionDetail | None = None,
    *,
    clock: Clock | None = None,
) -> ActionRow:
    """Ask for anything of a server held ``for update``; what goes on already is returned when it is just the same.

    Raises `ActionPending` while anything else goes on, and the `Conflict` of a state in which this cannot be done.
    """
    detail = detail or ActionDetail()
    pending = await queries.pending_action(tx, server.id)
    same = pending is not None and pending.kind is kind and pending.detail == detail
    if pending is not None and same and pending.customer_id == server.customer_id:
        return pending
    require_allowed(kind, server)
    if pending is not None:
        raise ActionPending
    now = (clock or SystemClock()).now()
    row = await write_down(tx, actor, server, kind, now, detail=detail)
    await enqueue(tx, PERFORM_ACTION, ActionRef(row.id), key=f"{row.id}:0")
    return row


async def write_down(  # noqa: PLR0913  each is a fact of the action
    tx: Tx,
    actor: Actor,
    server: TargetRow,
    kind: ActionKind,
    now: datetime,
    *,
    detail: ActionDetail | None = None,
    sent: bool = False,
) -> ActionRow:
    """Store the action, its line of activity and its audit record; ``sent``: the caller sends it at once."""
    told = msgspec.to_builtins(detail or ActionDetail())
    row = await actions.insert_action.one(
        tx,
        server.id,
        server.customer_id,
        kind,
        ActionState.SENDING if sent else ActionState.QUEUED,
        1 if sent else 0,
        actor.id,
        actor.label,
        now,
        now if sent else None,
        now + deadline_of(kind),
        told,
    )
    action_type = LOG_TYPES.get(kind, "power")
    who = (actor.id, actor.label, None, actor.address)
    await actions.insert_log.run(
        tx, server.id, server.customer_id, kind, action_type, "pending", row.id, *who, now, None
    )
    await actions.look_again.run(tx, server.id, True, now)  # noqa: FBT003  a column's value
    await record(
        tx,
        actor_id=actor.id,
        actor_label=actor.label,
        action=f"server.{kind.value}",
        outcome="done",
        customer_id=server.customer_id,
        object_type="server",
        object_id=str(server.id),
        object_label=server.name,
        detail={**told, "actionId": row.id},
        address=actor.address,
        request_id=actor.request_id,
    )
    await announce(tx, server.id, server.customer_id)
    return row
