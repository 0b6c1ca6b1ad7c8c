"""SQL of the admin pages."""

from __future__ import annotations

from typing import Final

from hostwright.admin.records import DeadJob, JobCounts, MirrorRun, Process, WaitingJob
from hostwright.core.db import Command, Query, Scalar

WAITING: Final = """
    select j.id, j.entrypoint as name, coalesce(s.starts, 0) as attempts, convert_from(j.payload, 'UTF8') as payload,
        j.created as created_at, j.execute_after as due_at, j.updated as touched_at
    from pgqueuer j left join job_starts s on s.job_id = j.id
"""

queued_jobs = Query(
    WaitingJob, WAITING + " where j.status = 'queued' order by j.execute_after, j.id limit $1 offset $2"
)
running_jobs = Query(WaitingJob, WAITING + " where j.status = 'picked' order by j.updated, j.id limit $1 offset $2")
dead_jobs = Query(
    DeadJob,
    """
    select id, name, attempts, payload::text as payload, error, died_at
    from dead_jobs where replayed_at is null order by died_at desc, id desc limit $1 offset $2
    """,
)
job_counts = Query(
    JobCounts,
    """
    select
        (select count(*) from pgqueuer where status = 'queued') as queued,
        (select count(*) from pgqueuer where status = 'picked') as running,
        (select count(*) from dead_jobs where replayed_at is null) as dead,
        (select min(execute_after) from pgqueuer where status = 'queued' and execute_after <= now()) as oldest_due_at
    """,
)
dead_count = Scalar(int, "select count(*) from dead_jobs where replayed_at is null")
dead_job = Query(
    DeadJob,
    """
    select id, name, attempts, payload::text as payload, error, died_at
    from dead_jobs where id = $1 and replayed_at is null
    """,
)
mirror_runs = Query(
    MirrorRun,
    """
    select c.id as connection_id, c.name, c.last_list_at, c.last_error, c.last_error_at, c.prune_stopped_at,
        r.state, r.listed, r.changed, r.detailed, r.calls, r.error, r.started_at, r.finished_at
    from connections c
    left join lateral (select * from mirror_runs where connection_id = c.id order by id desc limit 1) r on true
    order by c.name, c.id
    """,
)
processes = Query(
    Process,
    """
    select role, host, pid, version, started_at, seen_at
    from workers where seen_at > now() - interval '1 minute' order by role, started_at
    """,
)

# The queue's own table: what `core.jobs.enqueue` does, with the payload that the dead job had.
requeue = Command(
    "insert into pgqueuer (priority, entrypoint, payload, status) values (0, $1, convert_to($2, 'UTF8'), 'queued')"
)
mark_replayed = Command("update dead_jobs set replayed_at = now() where id = $1")
discard_dead = Command("delete from dead_jobs where id = $1")
