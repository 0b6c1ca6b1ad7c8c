"""What servers do: sampled while somebody looks, kept for 30 days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog

from hostwright.core.clock import Clock, SystemClock
from hostwright.core.db import Database, Db, Tx
from hostwright.core.jobs import enqueue
from hostwright.core.limits import check_limit
from hostwright.core.providers import ProviderError, ResourceSample, ServerState
from hostwright.servers.events import SAMPLE, ServerRef
from hostwright.servers.ports import Providers
from hostwright.servers.queries import usage
from hostwright.servers.queries.usage import LookedAt, LookRow, PointRow
from hostwright.servers.schemas.usage import Range
from hostwright.servers.service.common import call_budget

EACH: Final = timedelta(seconds=9)  # pages ask every ten seconds, and are a little early now and then
LOOKED_LONG_AGO: Final = timedelta(minutes=1)
KEPT: Final = timedelta(days=30)
BATCH: Final = 5000
# How long a stretch is, and from which age on.
THINNED: Final = (
    (timedelta(minutes=1), timedelta(hours=1)),
    (timedelta(minutes=10), timedelta(days=1)),
)
# How long a stretch of the graph is, and how many of them there are.
STEPS: Final = {
    Range.HOUR: (timedelta(seconds=30), 120),
    Range.SIX_HOURS: (timedelta(minutes=2), 180),
    Range.DAY: (timedelta(minutes=10), 144),
    Range.WEEK: (timedelta(hours=1), 168),
    Range.MONTH: (timedelta(hours=4), 180),
}
MOST: Final = 2**62  # of what a vendor counts: no machine gets there, and the database holds it
ORIGIN: Final = datetime(2000, 1, 1, tzinfo=UTC)

log = structlog.get_logger(__name__)


class Usage(msgspec.Struct, frozen=True):
    """What a server did in a range, in stretches of ``step``, oldest first; None for one that nobody looked at yet."""

    range: Range
    step: timedelta
    look: LookRow | None
    points: list[PointRow]


async def look_at(tx: Tx, server_id: int, *, clock: Clock | None = None) -> bool:
    """Say that somebody looks at a server's usage: it is sampled once every ten seconds, whoever looks.

    True when this look asked for a sample.
    """
    now = (clock or SystemClock()).now()
    if await usage.ask.maybe(tx, server_id, now, EACH) is None:
        return False
    await enqueue(tx, SAMPLE, ServerRef(server_id), key=str(server_id))
    return True


async def usage_of(db: Db, server_id: int, wanted: Range, *, clock: Clock | None = None) -> Usage:
    """What a server that the caller was let see did."""
    step, count = STEPS[wanted]
    now = (clock or SystemClock()).now()
    last = now - (now - ORIGIN) % step
    points = await usage.points.all(db, server_id, last - step * (count - 1), step, count)
    return Usage(wanted, step, await usage.look_of.maybe(db, server_id), points)


async def take_sample(database: Database, providers: Providers, clock: Clock, server_id: int) -> bool:
    """Sample a server now, within its connection's calls; whether one was stored. A failure is noted, never retried.

    A job that comes late does nothing: whoever looked has gone.
    """
    async with database.acquire() as db:
        server = await usage.looked_at.maybe(db, server_id)
        if server is None or server.state is not ServerState.ACTIVE or clock.now() - server.asked_at > LOOKED_LONG_AGO:
            return False
        budget = call_budget(server.connection_id, server.calls_per_minute)
        if await check_limit(db, budget.key, per=budget.per, burst=budget.burst) is None:
            return False
    at = clock.now()
    sample = await _sample(providers, server, server_id)
    async with database.transaction() as tx:
        if sample is None:
            await usage.failed.run(tx, server_id, at)
            return False
        await usage.sampled.run(tx, server_id, at)
        return await store_sample(tx, server_id, at, sample)


async def _sample(providers: Providers, server: LookedAt, server_id: int) -> ResourceSample | None:
    try:
        provider = await providers.compute(server.connection_id)
        return await provider.sample(server.external_id)
    except ProviderError as error:
        log.info("usage.not_sampled", server_id=server_id, code=error.code)
        return None


def _storable(value: int | None) -> int | None:
    return None if value is None else min(value, MOST)


async def store_sample(tx: Tx, server_id: int, at: datetime, sample: ResourceSample) -> bool:
    """Keep a sample; one that tells nothing about the running machine is not kept."""
    seen = (sample.cpu_percent, sample.memory_used_mib, sample.disk_read_bytes, sample.disk_written_bytes)
    if all(figure is None for figure in seen) and sample.disk_used_gib is None:
        return False
    written = await usage.insert_sample.run(
        tx,
        server_id,
        at,
        sample.cpu_percent,
        _storable(sample.memory_used_mib),
        _storable(sample.memory_mib),
        _storable(sample.disk_read_bytes),
        _storable(sample.disk_written_bytes),
        sample.disk_used_gib,
        sample.disk_gib,
    )
    return written == 1


async def tidy_samples(database: Database, clock: Clock) -> None:
    """Thin out what is old and forget what is older, in short transactions; only whole stretches are touched."""
    now = clock.now()
    for step, age in THINNED:
        until = now - age
        until -= (until - ORIGIN) % step
        changed = BATCH
        while changed >= BATCH:
            async with database.transaction() as tx:
                changed = await usage.thin_out.run(tx, step, int(step.total_seconds()), until)
    removed = BATCH
    while removed >= BATCH:
        async with database.transaction() as tx:
            removed = await usage.forget.run(tx, now - KEPT)
