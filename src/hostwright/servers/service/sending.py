"""What an action is at the vendor, and what is written when it was seen to be done."""

from __future__ import annotations

from datetime import datetime

from hostwright.core.db import Tx
from hostwright.core.providers import (
    ActionTicket,
    InstallSpec,
    ObservedServer,
    PowerAction,
)
from hostwright.servers.ports import ComputeProvider
from hostwright.servers.queries import actions
from hostwright.servers.records import ActionKind, TargetAction
from hostwright.servers.service.common import announce
from hostwright.servers.service.outside import note_changes

CHANGES_STATE = frozenset({ActionKind.SUSPEND, ActionKind.UNSUSPEND, ActionKind.INSTALL})


async def send(provider: ComputeProvider, target: TargetAction) -> ActionTicket:
    """Ask the vendor for a claimed action. Raises one of the four provider errors."""
    number, detail = target.external_id, target.detail
    match target.kind:
        case ActionKind.RENAME:
            return await provider.rename(number, detail.name)
        case ActionKind.SUSPEND:
            return await provider.suspend(number)
        case ActionKind.UNSUSPEND:
            return await provider.unsuspend(number)
        case ActionKind.THROTTLE_CPU:
            return await provider.throttle_cpu(number, detail.percent)
        case ActionKind.CHANGE_OWNER:
            return await provider.change_owner(number, detail.external_user_id)
        case ActionKind.INSTALL:
            hostname = detail.hostname or None
            spec = InstallSpec(detail.template_id, target.server_name, hostname, detail.ssh_key_ids)
            return await provider.install(number, spec)
        case _:
            return await provider.act(number, PowerAction(target.kind.value))


async def note_seen(tx: Tx, target: TargetAction, seen: ObservedServer, at: datetime) -> None:
    """Store what a look at a server brought, as far as the action is about it."""
    if target.kind in CHANGES_STATE:
        await actions.set_seen.run(tx, target.server_id, at, seen.state, seen.power, seen.name, seen.operating_system)
    elif target.kind is ActionKind.RENAME:
        await actions.set_seen.run(tx, target.server_id, at, None, None, seen.name, None)
    elif seen.power is None or not await actions.set_power.run(tx, target.server_id, seen.power, at):
        return
    if seen.power is not target.power or target.kind in CHANGES_STATE:
        await announce(tx, target.server_id, target.customer_id)


async def take_effect(tx: Tx, target: TargetAction, at: datetime, now: datetime) -> None:
    """Write what an action that was seen to be done changed besides; ``at`` is when it was seen."""
    match target.kind:
        case ActionKind.UNSUSPEND:
            await actions.set_reason.run(tx, target.server_id, None)
        case ActionKind.THROTTLE_CPU:
            await actions.set_throttle.run(tx, target.server_id, target.detail.percent)
        case ActionKind.CHANGE_OWNER:
            # Addresses and what is told from now on belong to the new customer; the log so far stays with the old one.
            changed = await actions.set_owner.all(tx, target.server_id, target.detail.external_user_id, at)
            moved = [row for row in changed if row.customer_id != row.old_customer_id]
            await note_changes(tx, moved, now)
        case _:
            pass
