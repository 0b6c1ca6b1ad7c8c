"""What staff and metrics see of the queue: waiting, running and dead jobs, and what may be done with dead ones."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from hostwright.core.db import Command, Db, Query, Scalar, Tx
from hostwright.core.jobs import insert_job
from hostwright.core.paging import Page


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DEAD = "dead"


class JobRow(msgspec.Struct, frozen=True):
    """A job of any state. ``payload`` is JSON; ``attempts`` counts its starts.

    ``state_since`` is when it was queued, last touched by its worker, or given up; ``error`` only dead ones have.
    """

    id: int
    name: str
    attempts: int
    payload: str | None
    due_at: datetime
    state_since: datetime
    error: str | None


class JobCounts(msgspec.Struct, frozen=True):
    """How many jobs there are; ``oldest_due_at`` is since when the first due one waits."""

    queued: int
    running: int
    dead: int
    oldest_due_at: datetime | None


_ALIVE: Final = """
    select j.id, j.entrypoint as name, coalesce(s.starts, 0) as attempts, convert_from(j.payload, 'UTF8') as payload,
        j.execute_after as due_at, case when j.status = 'queued' then j.created else j.updated end as state_since,
        null::text as error
    from pgqueuer j left join job_starts s on s.job_id = j.id
"""
_DEAD: Final = """
    select id, name, attempts, payload::text as payload, died_at as due_at, died_at as state_since, error
    from dead_jobs where replayed_at is null
"""
_lists = {
    JobState.QUEUED: Query(
        JobRow, _ALIVE + " where j.status = 'queued' order by j.execute_after, j.id limit $1 offset $2"
    ),
    JobState.RUNNING: Query(JobRow, _ALIVE + " where j.status = 'picked' order by j.updated, j.id limit $1 offset $2"),
    JobState.DEAD: Query(JobRow, _DEAD + " order by died_at desc, id desc limit $1 offset $2"),
}
_dead = Query(JobRow, _DEAD + " and id = $1")
_counts = Query(
    JobCounts,
    """
    select
        (select count(*) from pgqueuer where status = 'queued') as queued,
        (select count(*) from pgqueuer where status = 'picked') as running,
        (select count(*) from dead_jobs where replayed_at is null) as dead,
        (select min(execute_after) from pgqueuer where status = 'queued' and execute_after <= now()) as oldest_due_at
    """,
)
_dead_count = Scalar(int, "select count(*) from dead_jobs where replayed_at is null")
_mark_replayed = Command("update dead_jobs set replayed_at = now() where id = $1")
_discard = Command("delete from dead_jobs where id = $1")


async def list_jobs(db: Db, state: JobState, page: Page) -> list[JobRow]:
    """Jobs of one state: waiting and running ones in the order of the queue, dead ones newest first."""
    return await _lists[state].all(db, page.limit, page.offset)


async def job_counts(db: Db) -> JobCounts:
    """How many jobs there are by state."""
    return await _counts.one(db)


async def dead_count(db: Db) -> int:
    """How many dead jobs wait for staff."""
    return await _dead_count.value(db)


async def replay(tx: Tx, dead_id: int) -> JobRow:
    """Put a dead job back into the queue with its attempts counted anew, and return it. Locks it; raises `NoRow`."""
    dead = await _dead.one(tx, dead_id, lock=True)
    await insert_job.value(tx, 0, dead.name, (dead.payload or "{}").encode(), None, None)
    await _mark_replayed.run(tx, dead_id)
    return dead


async def discard(tx: Tx, dead_id: int) -> JobRow:
    """Forget a dead job, so that its work is never done, and return it. Locks it; raises `NoRow`."""
    dead = await _dead.one(tx, dead_id, lock=True)
    await _discard.run(tx, dead_id)
    return dead
