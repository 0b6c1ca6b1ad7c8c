"""The mirror's list: what one complete list of a connection says, and when a server that it lacks is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from hostwright.core.clock import Clock, SystemClock
from hostwright.core.db import Database, Tx
from hostwright.core.logs import error_text
from hostwright.core.providers import Gone, Listing, ProviderError
from hostwright.servers.policy import GONE_AFTER, may_prune
from hostwright.servers.ports import ComputeProvider, Providers
from hostwright.servers.queries import connections, mirror
from hostwright.servers.records import MissingRow
from hostwright.servers.service.common import DATABASE_ERRORS
from hostwright.servers.service.outside import note_changes

log = structlog.get_logger(__name__)

BEAT: Final = 5.0
DEAD_AFTER: Final = timedelta(seconds=30)
KEEP_RUNS: Final = timedelta(days=7)


class MirrorOutcome(msgspec.Struct):
    """What a run did. ``state``: done, failed, or busy when another process runs. ``stopped``: staff have to look."""

    state: str
    listed: int = 0
    created: int = 0
    changed: int = 0
    missing: int = 0
    gone: int = 0
    calls: int = 0
    stopped: bool = False
    error: str | None = None


class RunLost(Exception):
    """Another process took this run for dead and began its own; nothing of ours may be written any more."""


async def run_mirror(
    database: Database, providers: Providers, connection_id: int, *, clock: Clock | None = None
) -> MirrorOutcome:
    """Bring the mirror of a connection up to date with one complete list; one run at a time, whichever process runs it.

    A failure of the vendor changes nothing but the connection's ``last_error``. Never raises a provider error; any
    other error ends the run as failed before it is raised.
    """
    clock = clock or SystemClock()
    run_id = await _claim(database, connection_id, clock)
    if run_id is None:
        return MirrorOutcome("busy")
    begun = clock.now()
    try:
        async with _beating(database, run_id, clock):
            provider = await providers.compute(connection_id)
            listing = await provider.list_servers()
            outcome = await _merge(database, connection_id, run_id, listing, begun, clock)
            await _prune(database, provider, connection_id, run_id, begun, clock, outcome)
            async with database.transaction() as tx:
                await mirror.finish_run.run(
                    tx,
                    run_id,
                    clock.now(),
                    outcome.listed,
                    outcome.created,
                    outcome.changed,
                    outcome.missing,
                    outcome.gone,
                    outcome.calls,
                )
    except ProviderError as error:
        log.warning("mirror.failed", connection_id=connection_id, code=error.code, error=error.message)
        await _fail(database, connection_id, run_id, error.message, clock)
        return MirrorOutcome("failed", error=error.message)
    except RunLost:
        return MirrorOutcome("busy")
    except Exception as error:
        # Ours, so it is raised again; but staff must not see a run that seems to go on.
        with suppress(*DATABASE_ERRORS):
            await _fail(database, connection_id, run_id, f"The mirror broke off: {error_text(error)}", clock)
        raise
    return outcome


async def _fail(database: Database, connection_id: int, run_id: int, message: str, clock: Clock) -> None:
    async with database.transaction() as tx:
        await mirror.fail_run.run(tx, run_id, clock.now(), message)
        await mirror.went_wrong.run(tx, connection_id, message, clock.now())


async def _claim(database: Database, connection_id: int, clock: Clock) -> int | None:
    """The number of a new run; None while another one beats. A run that stopped beating is marked abandoned."""
    now = clock.now()
    async with database.transaction() as tx:
        await mirror.pruning.one(tx, connection_id, lock=True)  # one process at a time looks
        await mirror.abandon_runs.run(tx, connection_id, now - DEAD_AFTER, now)
        if await mirror.running.maybe(tx, connection_id) is not None:
            return None
        await mirror.forget_runs.run(tx, now - KEEP_RUNS)
        return await mirror.start_run.value(tx, connection_id, now)


@asynccontextmanager
async def _beating(database: Database, run_id: int, clock: Clock) -> AsyncGenerator[None]:
    """Say every five seconds that this run goes on."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(BEAT)
            # A beat that is lost does no harm: the next one comes before the run is taken for dead.
            with suppress(*DATABASE_ERRORS):
                async with database.transaction() as tx:
                    await mirror.beat.run(tx, run_id, clock.now())

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _own_run(tx: Tx, run_id: int) -> None:
    if await mirror.still_mine.maybe(tx, run_id) is None:
        raise RunLost


async def _merge(
    database: Database, connection_id: int, run_id: int, listing: Listing, begun: datetime, clock: Clock
) -> MirrorOutcome:
    """Write what differs from a complete list, in one transaction."""
    servers = listing.servers
    columns: list[list[object]] = [
        [server.external_id for server in servers],
        [server.external_uuid for server in servers],
        [server.external_owner_id for server in servers],
        [server.name for server in servers],
        [server.state.value for server in servers],
        [server.created_at for server in servers],
    ]
    async with database.transaction() as tx:
        await _own_run(tx, run_id)
        await mirror.take_turns.value(tx)
        # Before the others: it changes no total, and whoever holds one must not wait for a server.
        missing = await mirror.mark_missing.run(tx, connection_id, begun, columns[0])
        changed = await mirror.merge_changed.all(tx, connection_id, begun, *columns)
        created = await mirror.merge_new.all(tx, connection_id, begun, *columns)
        await note_changes(tx, [*changed, *created], clock.now())
        # What a complete list shows stood so when it was begun.
        await mirror.listed_well.run(tx, connection_id, begun, clock.now())
    return MirrorOutcome(
        "done", len(servers), created=len(created), changed=len(changed), missing=missing, calls=listing.calls
    )


async def _prune(  # noqa: PLR0913  what one run knows
    database: Database,
    provider: ComputeProvider,
    connection_id: int,
    run_id: int,
    begun: datetime,
    clock: Clock,
    outcome: MirrorOutcome,
) -> None:
    """Take servers for gone: missing from two complete lists ten minutes apart, 404 for their id, and a good check."""
    candidates = await _candidates(database, connection_id, run_id, begun, outcome)
    if not candidates:
        return
    check = await provider.check()
    outcome.calls += 1
    if not check.ok:
        log.warning("mirror.pruning_put_off", connection_id=connection_id, problem=check.problem)
        return
    gone = [row.id for row in candidates if await _is_gone(provider, row, outcome)]
    async with database.transaction() as tx:
        await _own_run(tx, run_id)
        await mirror.take_turns.value(tx)
        changed = await mirror.mark_gone.all(tx, gone, clock.now())
        await mirror.release_all.run(tx, [row.id for row in changed], clock.now())
        await mirror.pruning_settled.run(tx, connection_id)
        await note_changes(tx, changed, clock.now())
    outcome.gone = len(changed)


async def _candidates(
    database: Database, connection_id: int, run_id: int, begun: datetime, outcome: MirrorOutcome
) -> Sequence[MissingRow]:
    """Servers missing for long enough; none when they are too many and staff have not agreed."""
    async with database.transaction() as tx:
        await _own_run(tx, run_id)
        missing = await mirror.long_missing.all(tx, connection_id, begun - GONE_AFTER)
        if not missing:
            if outcome.missing == 0:
                await mirror.pruning_settled.run(tx, connection_id)
            return []
        state = await mirror.pruning.one(tx, connection_id, lock=True)
        agreed = state.prune_confirmed_at is not None and len(missing) <= state.prune_count
        standing = await mirror.standing.value(tx, connection_id)
        if agreed or (may_prune(len(missing), standing) and state.prune_stopped_at is None):
            return missing
        await mirror.stop_pruning.run(tx, connection_id, begun, len(missing))
    outcome.stopped = True
    log.error("mirror.pruning_stopped", connection_id=connection_id, missing=len(missing), standing=standing)
    return []


async def _is_gone(provider: ComputeProvider, row: MissingRow, outcome: MirrorOutcome) -> bool:
    """Whether the vendor says 404 for this id; any other failure is no answer."""
    outcome.calls += 1
    try:
        await provider.observe(row.external_id, power=False)
    except Gone:
        return True
    except ProviderError as error:
        log.warning("mirror.gone_unproved", server_id=row.id, code=error.code)
    return False


async def enabled_connections(database: Database) -> list[int]:
    """The attached systems to mirror."""
    async with database.acquire() as db:
        return await connections.enabled_connections.all(db)
