"""One action for many servers: each is asked for alone, so that one that cannot does not keep the others."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from hostwright.core.clock import Clock
from hostwright.core.db import Database, Db, NoRow, Tx
from hostwright.core.errors import AppError, Conflict, FieldProblem, Invalid, NotFound
from hostwright.core.providers import ServerState
from hostwright.core.scope import Scope
from hostwright.servers import queries
from hostwright.servers.policy import ActionPending, require_allowed, require_use
from hostwright.servers.queries import operations
from hostwright.servers.records import (
    ActionKind,
    ActionRow,
    TargetRow,
)
from hostwright.servers.schemas.operations import MOST_AT_ONCE
from hostwright.servers.service.common import Actor
from hostwright.servers.service.operations import reason_of, suspend_server
from hostwright.servers.service.power import ask

FOR_CUSTOMERS: Final = frozenset({ActionKind.BOOT, ActionKind.SHUTDOWN, ActionKind.RESTART, ActionKind.POWEROFF})
FOR_STAFF: Final = FOR_CUSTOMERS | {ActionKind.SUSPEND, ActionKind.UNSUSPEND}


class SelectionChanged(Conflict):
    code = "selection_changed"
    default_message = "Some of these servers changed since you looked. Nothing was done. Look again."


class Outcome(msgspec.Struct, frozen=True):
    """What became of one server, or would. ``action`` is None in a dry run and when it was refused."""

    server_id: int
    name: str | None
    action: ActionRow | None = None
    refusal: AppError | None = None


class Wish(msgspec.Struct, frozen=True):
    """What is asked of each. ``seen`` is that of a dry run; ``reason`` is for a suspension."""

    kind: ActionKind
    seen: str | None = None
    reason: str | None = None


class Outcomes(msgspec.Struct, frozen=True):
    """What became of each, and what they were like: ``seen`` changes when any of them does."""

    items: list[Outcome]
    seen: str

    @property
    def taken(self) -> int:
        """How many were not refused."""
        return sum(1 for item in self.items if item.refusal is None)


def selection_of(server_ids: Sequence[int]) -> list[int]:
    """Which servers are meant, each once, in their order; raises `Invalid` for none or too many."""
    chosen = list(dict.fromkeys(server_ids))
    if not 1 <= len(chosen) <= MOST_AT_ONCE:
        raise Invalid([FieldProblem("ids", "must name 1 to 50 servers")])
    return chosen


async def dry_run(db: Db, scope: Scope, server_ids: Sequence[int], kind: ActionKind) -> Outcomes:
    """What would become of each server, without doing anything."""
    chosen = selection_of(server_ids)
    found = await operations.targets_of(db, scope, chosen)
    pending = {row.server_id: row for row in await queries.pending_actions(db, list(found))}
    items = [_foresee(number, found.get(number), pending.get(number), kind) for number in chosen]
    return Outcomes(items, _seen(chosen, found, pending))


def _foresee(number: int, server: TargetRow | None, pending: ActionRow | None, kind: ActionKind) -> Outcome:
    if server is None:
        return Outcome(number, None, refusal=NotFound())
    same = pending is not None and pending.kind is kind and pending.customer_id == server.customer_id
    try:
        if not same:
            require_allowed(kind, server)
            if pending is not None:
                return Outcome(number, server.name, refusal=ActionPending())
            require_use(kind, server)
    except Conflict as refusal:
        return Outcome(number, server.name, refusal=refusal)
    return Outcome(number, server.name)


def _seen(chosen: Sequence[int], found: dict[int, TargetRow], pending: dict[int, ActionRow]) -> str:
    """A fingerprint of what was looked at: which servers, in which state, with what going on."""
    facts: list[str] = []
    for number in sorted(chosen):
        server, action = found.get(number), pending.get(number)
        facts.append(
            f"{number}:{server.customer_id}:{server.state}:{server.power}:{action.id if action else ''}"
            if server
            else f"{number}:-"
        )
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]


async def run_bulk(
    database: Database,
    actor: Actor,
    scope: Scope,
    server_ids: Sequence[int],
    wish: Wish,
    *,
    clock: Clock | None = None,
) -> Outcomes:
    """Ask for the same of each server, each in a transaction of its own; what is refused says why.

    Raises `SelectionChanged` when they are not as they were at ``seen`` any more; nothing was asked for then.
    """
    if wish.kind is ActionKind.SUSPEND:
        wish = msgspec.structs.replace(wish, reason=reason_of(wish.reason))
    async with database.acquire() as db:
        before = await dry_run(db, scope, server_ids, wish.kind)
    if wish.seen is not None and wish.seen != before.seen:
        raise SelectionChanged
    items: list[Outcome] = []
    for planned in before.items:
        try:
            async with database.transaction() as tx:
                server = await queries.locked_server(tx, scope, planned.server_id)
                items.append(Outcome(server.id, server.name, await _ask(tx, actor, server, wish, clock)))
        except (NoRow, Conflict) as refusal:
            items.append(Outcome(planned.server_id, planned.name, refusal=refusal))
    return Outcomes(items, before.seen)


async def _ask(tx: Tx, actor: Actor, server: TargetRow, wish: Wish, clock: Clock | None) -> ActionRow:
    if wish.kind is ActionKind.SUSPEND:
        return await suspend_server(tx, actor, server, wish.reason, clock=clock)
    if server.state is ServerState.ACTIVE:
        require_use(wish.kind, server)
    return await ask(tx, actor, server, wish.kind, clock=clock)
