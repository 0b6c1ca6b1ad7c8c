"""Which machines carry servers, taken over from complete lists within the connection's call budget."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import structlog

from hostwright.audit.service import record
from hostwright.core.clock import Clock, SystemClock
from hostwright.core.db import Database, Tx
from hostwright.core.errors import NotFound
from hostwright.core.jobs import enqueue
from hostwright.core.limits import check_limit, retry_after
from hostwright.core.providers import Capacity, ObservedHypervisor, ProviderError
from hostwright.servers.events import HYPERVISORS, ConnectionRef
from hostwright.servers.ports import Providers
from hostwright.servers.queries import connections as attached
from hostwright.servers.queries import hypervisors as statements
from hostwright.servers.service.common import Actor, call_budget

log = structlog.get_logger(__name__)


class HypervisorsOutcome(msgspec.Struct):
    """What a sync did. ``wait``: seconds until the budget allows it; ``stale``: a newer list was taken over."""

    listed: int = 0
    changed: int = 0
    missing: int = 0
    wait: float = 0.0
    stale: bool = False
    error: str | None = None


async def sync_hypervisors(
    database: Database, providers: Providers, connection_id: int, *, clock: Clock | None = None, limited: bool = True
) -> HypervisorsOutcome:
    """Read all hypervisors of a connection. A failing vendor changes nothing but ``hypervisors_error``."""
    clock = clock or SystemClock()
    if limited and (wait := await _pay(database, connection_id)):
        return HypervisorsOutcome(wait=wait)
    begun = clock.now()
    try:
        listed = await (await providers.compute(connection_id)).hypervisors()
    except NotFound:
        return HypervisorsOutcome()  # removed meanwhile
    except ProviderError as error:
        log.warning("hypervisors.not_listed", connection_id=connection_id, code=error.code)
        async with database.transaction() as tx:
            await statements.list_failed.run(tx, connection_id, begun, error.message)
        return HypervisorsOutcome(error=error.message)
    async with database.transaction() as tx:
        return await take_over(tx, connection_id, listed, begun)


async def _pay(database: Database, connection_id: int) -> float:
    """Take what the calls cost from the budget: the list, and each group that is known. Else the seconds to wait."""
    async with database.acquire() as db:
        row = await attached.connection.maybe(db, connection_id)
        if row is None or not row.enabled:
            return 0.0
        budget = call_budget(connection_id, row.calls_per_minute)
        calls = 1 + await statements.groups_known.value(db, connection_id)
        for _ in range(min(calls, budget.burst)):
            if await check_limit(db, budget.key, per=budget.per, burst=budget.burst) is None:
                return max(1.0, await retry_after(db, budget.key, per=budget.per, burst=budget.burst))
    return 0.0


async def take_over(
    tx: Tx, connection_id: int, listed: Sequence[ObservedHypervisor], begun: datetime
) -> HypervisorsOutcome:
    """Write what differs from a complete list that was begun then; an older list than the last one is left alone."""
    if not await statements.begin_list.run(tx, connection_id, begun):
        return HypervisorsOutcome(stale=True)
    outcome = HypervisorsOutcome(listed=len(listed))
    unlike = list({one.external_id: one for one in listed}.values())
    outcome.changed = await statements.merge.run(tx, connection_id, begun, *_columns(unlike))
    outcome.missing = await statements.mark_missing.run(tx, connection_id, begun, [one.external_id for one in unlike])
    return outcome


def _columns(listed: Sequence[ObservedHypervisor]) -> list[list[Any]]:
    """One list per column, as `merge` takes them after the connection and the time."""
    rows = [
        (
            one.external_id,
            one.name,
            one.group_id,
            one.group_name,
            one.enabled,
            one.maintenance,
            *_pair(one.servers),
            *_pair(one.memory_mib),
            *_pair(one.cores),
            *_pair(one.storage_gib),
        )
        for one in listed
    ]
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(14)]


def _pair(capacity: Capacity | None) -> tuple[int | None, int | None]:
    return (None, None) if capacity is None else (capacity.allocated, capacity.limit)


async def queue_sync(tx: Tx, actor: Actor) -> tuple[list[int], list[int]]:
    """Have every connection that is on listed anew: those now queued, and those that wait or run already."""
    queued: list[int] = []
    waiting: list[int] = []
    for connection_id in await attached.enabled_connections.all(tx):
        fresh = await enqueue(tx, HYPERVISORS, ConnectionRef(connection_id), key=str(connection_id))
        (queued if fresh else waiting).append(connection_id)
    await record(
        tx,
        actor_id=actor.id,
        actor_label=actor.label,
        action="hypervisors.sync_requested",
        outcome="done",
        detail={"queued": queued, "waiting": waiting},
        address=actor.address,
        request_id=actor.request_id,
    )
    return queued, waiting
