"""Asking for a power action: what was asked is written down, the worker does it."""

from __future__ import annotations

from datetime import datetime

from hostwright.audit.service import record
from hostwright.core.clock import Clock, SystemClock
from hostwright.core.db import Tx
from hostwright.core.jobs import enqueue
from hostwright.core.providers import PowerAction
from hostwright.servers import queries
from hostwright.servers.events import PERFORM_ACTION, ActionRef
from hostwright.servers.policy import ACTION_DEADLINE, ActionPending, require_operable
from hostwright.servers.queries import actions
from hostwright.servers.records import ActionKind, ActionRow, ActionState, TargetRow
from hostwright.servers.service.common import Actor, announce


async def request_power(
    tx: Tx, actor: Actor, server: TargetRow, action: PowerAction, *, clock: Clock | None = None
) -> ActionRow:
    """Ask for a power action on a server held ``for update`` (`queries.locked_server`).

    A pending action of the same kind is returned instead of a second one; another kind, or one that the server's former
    customer asked for, raises `ActionPending`, a server that is not active its `Conflict`.
    """
    require_operable(server)
    kind = ActionKind(action.value)
    pending = await queries.pending_action(tx, server.id)
    if pending is not None:
        if pending.kind is kind and pending.customer_id == server.customer_id:
            return pending
        raise ActionPending
    now = (clock or SystemClock()).now()
    row = await write_down(tx, actor, server, kind, now)
    await enqueue(tx, PERFORM_ACTION, ActionRef(row.id), key=f"{row.id}:0")
    return row


async def write_down(
    tx: Tx, actor: Actor, server: TargetRow, kind: ActionKind, now: datetime, *, sent: bool = False
) -> ActionRow:
    """Store the action, its line of activity and its audit record; ``sent``: the caller sends it at once."""
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
        now + ACTION_DEADLINE,
    )
    action_type = "security" if kind is ActionKind.RESET_PASSWORD else "power"
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
        detail={"actionId": row.id},
        address=actor.address,
        request_id=actor.request_id,
    )
    await announce(tx, server.id, server.customer_id)
    return row
