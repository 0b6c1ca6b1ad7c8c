"""What changed outside the panel: a line of activity, a word to open pages, and whose addresses are whose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from hostwright.core.db import Tx
from hostwright.core.providers import Power, ServerState
from hostwright.servers.queries import actions, mirror
from hostwright.servers.records import ChangedRow
from hostwright.servers.service.common import announce

VENDOR: Final = "VirtFusion"
MANY: Final = 500  # a first mirror: nobody looks at these servers yet

BECAME: Final = {
    ServerState.SUSPENDED: "suspended",
    ServerState.BUILDING: "building",
    ServerState.FAILED: "build_failed",
    ServerState.GONE: "gone",
}


def happened(row: ChangedRow) -> str | None:
    """The line of activity for a change, None when there is nothing to tell or the panel itself did it."""
    if row.old_state is None:
        return "found"
    if row.state is not row.old_state:
        if row.ordered and row.state is not ServerState.GONE:
            return None
        if row.state is not ServerState.ACTIVE:
            return BECAME[row.state]
        return {
            ServerState.SUSPENDED: "unsuspended",
            ServerState.GONE: "returned",
            ServerState.BUILDING: "built",
        }.get(row.old_state, "active")
    if row.customer_id != row.old_customer_id:
        return "owner_changed"
    if row.acted or row.power is row.old_power or row.old_power is Power.UNKNOWN:
        return None
    return {Power.RUNNING: "started", Power.STOPPED: "stopped", Power.UNKNOWN: "power_unknown"}[row.power]


async def note_changes(tx: Tx, changes: Sequence[ChangedRow], now: datetime) -> None:
    """Write down and announce what the mirror changed, in the transaction that changed it."""
    lines = [(row, action) for row in changes if (action := happened(row)) is not None]
    await actions.insert_log.many(
        tx,
        [
            (row.id, row.customer_id, action, "state", "success", None, None, VENDOR, None, None, now, now)
            for row, action in lines
        ],
    )
    moved = [row.id for row in changes if row.old_state is not None and row.customer_id != row.old_customer_id]
    if moved:
        await mirror.hand_over.run(tx, moved, now)
    lifted = [row.id for row in changes if row.old_state is ServerState.SUSPENDED and row.state is ServerState.ACTIVE]
    if lifted:
        await actions.forget_reasons.run(tx, lifted)
    for row in changes if len(changes) <= MANY else ():
        await announce(tx, row.id, row.customer_id, row.old_customer_id)
