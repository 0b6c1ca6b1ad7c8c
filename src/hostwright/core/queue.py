"""What staff and metrics see of the queue: waiting, running and dead jobs, and what may be done with dead ones."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from hostwright.core.db import Command, Db, Query, Tx
from hostwright.core.jobs import insert_job
from hostwright.core.paging import Page


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DEAD = "dead"


class JobRow(msgspec.Struct, frozen=True):
    """A job of any state. ``due_at`` is when it may run, or when it was given up; ``error`` only for dead ones."""

    id: int
    name: str
    attempts: int
    payload: str
    created_at: datetime
    due_at: datetime
    error: str | None


class JobCounts(msgspec.Struct, frozen=True):
    """How many jobs there are; ``oldest_due_at`` is since when the first due one waits."""

    queued: int
    running: int
    dead: int
    oldest_due_at: datetime | None


_ALIVE = """
    select j.id, j.entrypoint as name, coalesce(s.starts, 0) as attempts, convert_from(j.payload, 'UTF8') as payload,
        j.created as created_at, j.execute_after as due_at, null::text as error
    from pgqueuer j left join job_starts s on s.job_id = j.id
"""
queued_jobs = Query(JobRow, _ALIVE + " where j.status = 'queued' order by j.execute_after, j.id limit $1 offset $2")
running_jobs = Query(JobRow, _ALIVE + " where j.status = 'picked' order by j.updated, j.id limit $1 offset $2")
dead_jobs = Query(
    JobRow,
    """
    select id, name, attempts, payload::text as payload, died_at as created_at, died_at as due_at, error
    from dead_jobs where replayed_at is null order by died_at desc, id desc limit $1 offset $2
    """,
)
counts = Query(
    JobCounts,
    """
    select
        (select count(*) from pgqueuer where status = 'queued') as queued,
        (select count(*) from pgqueuer where status = 'picked') as running,
        (select count(*) from dead_jobs where replayed_at is null) as dead,
        (select min(execute_after) from pgqueuer where status = 'queued' and execute_after <= now()) as oldest_due_at
    """,
)


class _Dead(msgspec.Struct, frozen=True):
    name: str
    payload: str


_replayed = Query(
    _Dead,
    """
    update dead_jobs set replayed_at = now() where id = $1 and replayed_at is null
    returning name, payload::text as payload
    """,
)
_discard = Command("delete from dead_jobs where id = $1 and replayed_at is null")


async def list_jobs(db: Db, state: JobState, page: Page) -> list[JobRow]:
    """Jobs of one state: waiting and running ones in the order of the queue, dead ones newest first."""
    query = {JobState.QUEUED: queued_jobs, JobState.RUNNING: running_jobs, JobState.DEAD: dead_jobs}[state]
    return await query.all(db, page.limit, page.offset)


async def job_counts(db: Db) -> JobCounts:
    """How many jobs there are by state."""
    return await counts.one(db)


async def replay(tx: Tx, dead_id: int) -> bool:
    """Put a dead job back into the queue with its attempts counted anew; False when it is not there any more."""
    dead = await _replayed.maybe(tx, dead_id)
    if dead is None:
        return False
    await insert_job.value(tx, 0, dead.name, dead.payload.encode(), None, None)
    return True


async def discard(tx: Tx, dead_id: int) -> bool:
    """Forget a dead job: its work is never done; False when it is not there any more."""
    return await _discard.run(tx, dead_id) > 0
