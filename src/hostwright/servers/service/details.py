"""The mirror's details: one call per server within the connection's budget, those that matter now first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec
import structlog

from hostwright.core.clock import Clock, SystemClock
from hostwright.core.db import Database, Tx
from hostwright.core.limits import check_limit
from hostwright.core.logs import error_text
from hostwright.core.providers import Gone, ObservedServer, ProviderError, Refused
from hostwright.servers.ports import ComputeProvider, Providers
from hostwright.servers.queries import mirror
from hostwright.servers.records import DueRow
from hostwright.servers.service.common import call_budget
from hostwright.servers.service.outside import note_changes

log = structlog.get_logger(__name__)

AT_ONCE: Final = 8
BATCH: Final = 50
NOT_STORABLE: Final = ("22", "23")  # classes of SQLSTATE: a value that is none, a constraint
FAILURES: Final = 5  # in a row: the vendor is away, the rest would only wait


class DetailsOutcome(msgspec.Struct):
    """What a pass did. ``lost``: calls that brought nothing."""

    calls: int = 0
    stored: int = 0
    changed: int = 0
    lost: int = 0
    error: str | None = None


class Seen(msgspec.Struct, frozen=True):
    """One server as it was when it was asked for."""

    server_id: int
    at: datetime
    server: ObservedServer


class Pass:
    """One pass over the servers that are due."""

    def __init__(self, database: Database, provider: ComputeProvider, connection_id: int, clock: Clock) -> None:
        self.database = database
        self.provider = provider
        self.connection_id = connection_id
        self.clock = clock
        self.outcome = DetailsOutcome()
        self.seen: list[Seen] = []
        self.dead_ends: list[int] = []
        self.failures = 0
        self.storing = asyncio.Lock()

    async def run(self, due: Sequence[DueRow], rate: int | None) -> DetailsOutcome:
        """Ask for each of ``due``, a few at once; ``rate`` is the calls a minute that all processes share."""
        waiting = iter(due)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, len(due))):
                group.create_task(self._work(waiting, rate))
        await self._store()
        return self.outcome

    async def _work(self, waiting: Any, rate: int | None) -> None:
        for row in waiting:
            if self.failures >= FAILURES or not await self._may_call(rate):
                return
            await self._ask(row)
            if len(self.seen) >= BATCH:
                await self._store()

    async def _may_call(self, rate: int | None) -> bool:
        if rate is None:
            return True
        budget = call_budget(self.connection_id, rate)
        async with self.database.acquire() as db:
            return await check_limit(db, budget.key, per=budget.per, burst=budget.burst) is not None

    async def _ask(self, row: DueRow) -> None:
        at = self.clock.now()
        self.outcome.calls += 1
        try:
            server = await self.provider.observe(row.external_id, power=True)
        except (Gone, Refused) as error:
            # A hint only: what is gone is decided by complete lists. It takes its place at the end of the row again.
            self.outcome.lost += 1
            self.dead_ends.append(row.id)
            log.info("mirror.detail_refused", server_id=row.id, code=error.code)
        except ProviderError as error:
            self.outcome.lost += 1
            self.failures += 1
            self.outcome.error = error.message
        else:
            self.failures = 0
            self.seen.append(Seen(row.id, at, server))

    async def _store(self) -> None:
        async with self.storing:
            seen, self.seen = self.seen, []
            dead_ends, self.dead_ends = self.dead_ends, []
            if not seen and not dead_ends:
                return
            try:
                await self._write(seen, dead_ends)
            except asyncpg.PostgresError as error:
                log.warning("mirror.details_one_by_one", connection_id=self.connection_id, error=error_text(error))
                await self._write((), dead_ends)
                for one in seen:
                    await self._write_alone(one)

    async def _write(self, seen: Sequence[Seen], dead_ends: Sequence[int]) -> None:
        """All of it or nothing. Dead ends go first: they change no total, and their rows are locked before one is."""
        now = self.clock.now()
        async with self.database.transaction() as tx:
            await mirror.take_turns.value(tx)
            await mirror.tried.run(tx, dead_ends, now)
            self.outcome.changed += await store_details(tx, self.connection_id, seen, now)
        self.outcome.stored += len(seen)

    async def _write_alone(self, one: Seen) -> None:
        """What the database cannot hold is a dead end: the others must not wait behind it."""
        try:
            await self._write([one], ())
        except asyncpg.PostgresError as error:
            if not (error.sqlstate or "").startswith(NOT_STORABLE):
                raise
            self.outcome.lost += 1
            log.warning("mirror.detail_not_storable", server_id=one.server_id, error=error_text(error))
            await self._write((), [one.server_id])


async def refresh_details(
    database: Database,
    providers: Providers,
    connection_id: int,
    *,
    budget: int | None = None,
    clock: Clock | None = None,
    limited: bool = True,
) -> DetailsOutcome:
    """Read details of at most ``budget`` servers (by default ten seconds' share of the connection's calls per minute).

    Pending ones first, then those somebody looks at, never read ones, the oldest. ``limited`` False leaves the shared
    budget alone. A failing vendor changes nothing but the connection's ``last_error``.
    """
    clock = clock or SystemClock()
    async with database.acquire() as db:
        connection = await mirror.pruning.one(db, connection_id)
        wanted = max(1, connection.calls_per_minute // 6) if budget is None else budget
        due = await mirror.due.all(db, connection_id, clock.now(), wanted)
    if not due or not connection.enabled:
        return DetailsOutcome()
    try:
        provider = await providers.compute(connection_id)
    except ProviderError as error:
        return DetailsOutcome(error=error.message)
    work = Pass(database, provider, connection_id, clock)
    outcome = await work.run(due, connection.calls_per_minute if limited else None)
    if outcome.error is not None and work.failures:
        async with database.transaction() as tx:
            await mirror.went_wrong.run(tx, connection_id, outcome.error, clock.now())
    return outcome


def _primary(server: ObservedServer, version: int) -> str | None:
    fitting = [address for address in server.addresses or () if address.version == version]
    return next((address.address for address in fitting if address.primary), fitting[0].address if fitting else None)


def _columns(seen: Sequence[Seen]) -> list[list[Any]]:
    """One list per column, as `merge_details` takes them after the connection."""
    rows = [
        (
            one.server_id,
            one.at,
            one.server.external_owner_id,
            one.server.name,
            one.server.hostname,
            one.server.state.value,
            one.server.power.value if one.server.power else None,
            one.server.busy,
            one.server.cores,
            one.server.memory_mib,
            one.server.disk_gib,
            one.server.traffic_limit_gb,
            one.server.operating_system,
            one.server.package,
            one.server.hypervisor,
            one.server.location_id,
            _primary(one.server, 4),
            _primary(one.server, 6),
            one.server.addresses is not None,
        )
        for one in seen
    ]
    return [list(column) for column in zip(*rows, strict=True)]


async def store_details(tx: Tx, connection_id: int, seen: Sequence[Seen], now: datetime) -> int:
    """Write what was seen of several servers at once; returns how many changed in a way that people see.

    A server whose details were asked for later than here is left as it is.
    """
    if not seen:
        return 0
    await mirror.take_turns.value(tx)
    places = {one.server.location_id: one.server.location_name for one in seen if one.server.location_name}
    places.pop(None, None)
    await mirror.upsert_locations.run(tx, connection_id, list(places), list(places.values()))
    await mirror.lock_servers.all(tx, [one.server_id for one in seen])
    stored = await mirror.merge_details.all(tx, connection_id, *_columns(seen))
    changed = [
        row
        for row in stored
        if (row.state, row.power, row.customer_id) != (row.old_state, row.old_power, row.old_customer_id)
    ]
    await note_changes(tx, changed, now)
    await _store_addresses(tx, {row.id for row in stored}, seen, now)
    return len(changed)


async def _store_addresses(tx: Tx, stored: set[int], seen: Sequence[Seen], now: datetime) -> None:
    """Close addresses that a server does not have any more and open new ones; not told is not none."""
    told = sorted(one.server_id for one in seen if one.server_id in stored and one.server.addresses is not None)
    held = {
        (one.server_id, address.address): address
        for one in seen
        if one.server_id in stored
        for address in one.server.addresses or ()
    }
    server_ids = [server_id for server_id, _ in held]
    addresses = [address for _, address in held]
    await mirror.release_addresses.run(tx, told, server_ids, now, addresses)
    versions = [address.version for address in held.values()]
    primary = [address.primary for address in held.values()]
    await mirror.open_addresses.run(tx, told, server_ids, now, addresses, versions, primary)
