"""Samples of what servers do: taken while somebody looks, thinned out with age, read as points of a graph."""

from __future__ import annotations

from datetime import datetime

import msgspec

from hostwright.core.db import Command, Query, Scalar
from hostwright.core.providers import ServerState


class LookRow(msgspec.Struct, frozen=True):
    """How sampling a server goes. ``failing_since``: the vendor has not answered for it since then."""

    asked_at: datetime
    sampled_at: datetime | None
    failing_since: datetime | None


class LookedAt(msgspec.Struct, frozen=True):
    """A server to sample."""

    connection_id: int
    external_id: int
    state: ServerState
    asked_at: datetime
    calls_per_minute: int


class PointRow(msgspec.Struct, frozen=True):
    """A stretch of time: what is None was not seen in it. Rates in bytes a second."""

    at: datetime
    cpu_percent: float | None
    memory_used_mib: float | None
    memory_mib: int | None
    read_rate: float | None
    write_rate: float | None
    disk_used_gib: float | None
    disk_gib: float | None


# One of all who look at the same moment gets a row: it asks for the sample.
ask = Scalar(
    int,
    """insert into server_looks as l (server_id, asked_at) values ($1, $2)
    on conflict (server_id) do update set asked_at = $2 where l.asked_at <= $2::timestamptz - $3::interval
    returning server_id""",
)
look_of = Query(LookRow, "select asked_at, sampled_at, failing_since from server_looks where server_id = $1")
looked_at = Query(
    LookedAt,
    """select s.connection_id, s.external_id, s.state, l.asked_at, c.calls_per_minute
    from server_looks l join servers s on s.id = l.server_id join connections c on c.id = s.connection_id
    where l.server_id = $1""",
)
sampled = Command("update server_looks set sampled_at = $2, failing_since = null where server_id = $1")
failed = Command("update server_looks set failing_since = coalesce(failing_since, $2) where server_id = $1")
insert_sample = Command(
    """insert into server_samples (server_id, taken_at, cpu_percent, memory_used_mib, memory_mib, disk_read_bytes,
        disk_written_bytes, disk_used_gib, disk_gib)
    select $1, $2, $3, $4, $5, $6, $7, $8, $9 from servers where id = $1
    on conflict (server_id, taken_at) do nothing"""
)

# $1 server, $2 when the first stretch begins, $3 how long each is, $4 how many. Counters that fell began anew with a
# start of the machine, and between two samples that stand far apart nobody looked: neither has a rate.
points = Query(
    PointRow,
    """with raw as (
        select taken_at, span, cpu_percent, memory_used_mib, memory_mib, disk_read_bytes, disk_written_bytes,
            disk_used_gib, disk_gib, lag(disk_read_bytes) over w as read_before, lag(disk_written_bytes) over w
            as written_before, lag(taken_at) over w as before
        from server_samples
        where server_id = $1 and taken_at >= $2::timestamptz - interval '30 minutes'
            and taken_at < $2::timestamptz + $3::interval * $4::int
        window w as (order by taken_at)
    ), rated as (
        select *, extract(epoch from taken_at - before) as seconds,
            taken_at - before <= greatest(interval '45 seconds', span * interval '3 seconds') as close
        from raw
    ), stretched as (
        select date_bin($3::interval, taken_at, $2::timestamptz) as at, avg(cpu_percent) as cpu,
            avg(memory_used_mib) as memory_used, max(memory_mib) as memory,
            avg((disk_read_bytes - read_before) / seconds)
                filter (where close and seconds > 0 and disk_read_bytes >= read_before) as read_rate,
            avg((disk_written_bytes - written_before) / seconds)
                filter (where close and seconds > 0 and disk_written_bytes >= written_before) as write_rate,
            avg(disk_used_gib) as disk_used, max(disk_gib) as disk
        from rated where taken_at >= $2 group by 1
    )
    select $2::timestamptz + $3::interval * g.n as at, s.cpu::float8 as cpu_percent,
        s.memory_used::float8 as memory_used_mib, s.memory as memory_mib, s.read_rate::float8, s.write_rate::float8,
        s.disk_used::float8 as disk_used_gib, s.disk::float8 as disk_gib
    from generate_series(0, $4::int - 1) as g (n)
    left join stretched s on s.at = $2::timestamptz + $3::interval * g.n order by g.n""",
)

# $1 how long a stretch is, $2 the same in seconds, $3 until when. The last of each stretch stays, since counters go on
# from it; what is not a counter becomes the mean of the stretch.
thin_out = Command(
    """with stretches as (
        select server_id, date_bin($1::interval, taken_at, timestamptz '2000-01-01 00:00+00') as begins,
            max(taken_at) as kept, avg(cpu_percent) as cpu, avg(memory_used_mib) as memory_used,
            avg(disk_used_gib) as disk_used
        from server_samples where span < $2::smallint and taken_at < $3 group by 1, 2 limit 5000
    ), removed as (
        delete from server_samples s using stretches t
        where s.server_id = t.server_id and s.taken_at >= t.begins and s.taken_at < t.kept
    )
    update server_samples s set span = $2::smallint, cpu_percent = t.cpu, memory_used_mib = t.memory_used,
        disk_used_gib = t.disk_used
    from stretches t where s.server_id = t.server_id and s.taken_at = t.kept"""
)
forget = Command(
    """delete from server_samples where (server_id, taken_at) in
    (select server_id, taken_at from server_samples where taken_at < $1 limit 5000)"""
)
