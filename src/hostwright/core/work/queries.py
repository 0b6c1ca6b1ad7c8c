"""SQL of the worker's machinery."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from hostwright.core.db import Command, Query, Scalar

# One statement, one implicit transaction: a start that is lost in a crash of the database costs nothing, waiting does.
count_start = Scalar(
    int,
    """
    with quick as (select set_config('synchronous_commit', 'off', true))
    insert into job_starts as s (job_id, name) select $1, $2 from quick
    on conflict (job_id) do update set starts = s.starts + 1, started_at = now() returning starts
    """,
)
take_start_back = Command("update job_starts set starts = starts - 1 where job_id = $1 and starts > 0")
# Frees the job's key at once; the queue's own batch comes up to a tenth of a second later.
finish_job = Command(
    """
    with quick as (select set_config('synchronous_commit', 'off', true)),
        gone as (delete from job_starts where job_id = $1)
    delete from pgqueuer using quick where id = $1
    """
)
bury_job = Command("insert into dead_jobs (job_id, name, payload, attempts, error) values ($1, $2, $3, $4, $5)")

# A process whose clock is ahead claims nothing, and what such a one has claimed does not stop the others.
claim_tick = Scalar(
    int,
    """
    insert into schedules as s (name, fired_at) select $1, $2 where $2::timestamptz < now() + interval '1 minute'
    on conflict (name) do update set fired_at = $2 where s.fired_at < $2 or s.fired_at > now() + interval '1 minute'
    returning 1
    """,
)


class StoredEvent(msgspec.Struct, frozen=True):
    """An event that nobody was told of yet."""

    id: int
    name: str
    stream_key: str


class DeliveryRow(msgspec.Struct, frozen=True):
    """One event for one subscriber."""

    id: int
    subscriber: str
    stream_key: str
    state: str
    payload: dict[str, Any]
    created_at: datetime


lock_dispatch = Scalar(int, "select 1 from pg_advisory_xact_lock(hashtextextended('events.dispatch', 0))")
undispatched = Query(
    StoredEvent, "select id, name, stream_key from events where dispatched_at is null order by id limit $1"
)
mark_dispatched = Command("update events set dispatched_at = now() where id = any($1::bigint[])")
insert_delivery = Scalar(
    int,
    """
    insert into event_deliveries (event_id, subscriber, stream_key) values ($1, $2, $3)
    on conflict (event_id, subscriber) do nothing returning id
    """,
)
delivery = Query(
    DeliveryRow,
    """
    select d.id, d.subscriber, d.stream_key, d.state, e.payload, e.created_at
    from event_deliveries d join events e on e.id = d.event_id where d.id = $1
    """,
)
lock_stream = Scalar(int, "select 1 from pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 1))")
earlier_open = Scalar(
    bool,
    """
    select exists (
        select from event_deliveries where subscriber = $1 and stream_key = $2 and state = 'pending' and id < $3
    )
    """,
)
park = Command("update event_deliveries set parked = true, updated_at = now() where id = $1")
begin_delivery = Command("update event_deliveries set attempts = attempts + 1, updated_at = now() where id = $1")
end_delivery = Command("update event_deliveries set state = $2, error = $3, updated_at = now() where id = $1")
wake_next = Scalar(
    int,
    """
    update event_deliveries set parked = false, updated_at = now()
    where parked and id = (
        select id from event_deliveries where subscriber = $1 and stream_key = $2 and state = 'pending'
        order by id limit 1
    )
    returning id
    """,
)

# Retention, 5,000 rows at a time so that no lock is held for long.
CLEANING = (
    Command(
        """
        delete from event_deliveries where id in (
            select id from event_deliveries where state = 'done' and updated_at < now() - interval '7 days' limit 5000)
        """
    ),
    Command(
        """
        delete from events where id in (
            select id from events e where created_at < now() - interval '30 days' and dispatched_at is not null
            and not exists (select from event_deliveries d where d.event_id = e.id and d.state = 'pending') limit 5000)
        """
    ),
    Command(
        """
        delete from pgqueuer_log where id in (
            select id from pgqueuer_log where created < now() - interval '1 day' limit 5000)
        """
    ),
    Command(
        """
        delete from job_starts where job_id in (
            select job_id from job_starts s where started_at < now() - interval '1 hour'
            and not exists (select from pgqueuer q where q.id = s.job_id) limit 5000)
        """
    ),
    Command(
        """
        delete from dead_jobs where id in (
            select id from dead_jobs where replayed_at < now() - interval '30 days' limit 5000)
        """
    ),
    Command(
        """
        delete from rate_limits where key in (
            select key from rate_limits where tat < now() - interval '1 day' limit 5000)
        """
    ),
    Command("delete from workers where seen_at < now() - interval '1 day'"),
    Command("delete from schedules where fired_at < now() - interval '60 days'"),
)
