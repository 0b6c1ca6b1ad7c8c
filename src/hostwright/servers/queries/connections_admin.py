"""What staff see of attached control systems, and change of them. No statement here reads a token."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from hostwright.core.db import Command, Query, Scalar


class ConnectionFacts(msgspec.Struct, frozen=True):
    """An attached control system without its token. ``problems`` is how many areas the last check found wanting.

    ``ahead_seconds`` is how far its call budget is spent (`core.limits`); None when nothing was asked lately.
    ``listed`` is how many servers the last complete list had; None before the first.
    """

    id: int
    name: str
    base_url: str
    verify_tls: bool
    calls_per_minute: int
    allow_private_targets: bool
    enabled: bool
    created_at: datetime
    updated_at: datetime
    last_list_at: datetime | None
    last_good_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    prune_stopped_at: datetime | None
    prune_count: int
    prune_confirmed_at: datetime | None
    hypervisors_at: datetime | None
    hypervisors_error: str | None
    listed: int | None
    ahead_seconds: float | None
    probes: int
    problems: int
    probed_at: datetime | None


class ProbeRow(msgspec.Struct, frozen=True):
    """What the last check found of one area."""

    area: str
    ok: bool
    problem: str | None
    probed_at: datetime


class Standing(msgspec.Struct, frozen=True):
    """How many servers stand on a connection, gone ones apart, and how many customers are linked to users there."""

    servers: int
    gone: int
    accounts: int


# The budget's row is read, never written: looking at a budget costs nothing of it.
FACTS: Final = """
    select c.id, c.name, c.base_url, c.verify_tls, c.calls_per_minute, c.allow_private_targets, c.enabled, c.created_at,
        c.updated_at, c.last_list_at, c.last_good_at, c.last_error, c.last_error_at, c.prune_stopped_at, c.prune_count,
        c.prune_confirmed_at, c.hypervisors_at, c.hypervisors_error,
        (select r.listed from mirror_runs r where r.connection_id = c.id and r.state = 'done'
            order by r.id desc limit 1) as listed,
        (select extract(epoch from greatest(interval '0', l.tat - clock_timestamp()))::float8 from rate_limits l
            where l.key = 'virtfusion:' || c.id) as ahead_seconds,
        p.probes, p.problems, p.probed_at
    from connections c
    cross join lateral (
        select count(*) as probes, count(*) filter (where not ok) as problems, max(probed_at) as probed_at
        from connection_probes where connection_id = c.id
    ) p
    """

all_facts = Query(ConnectionFacts, FACTS + " order by c.name, c.id")
facts = Query(ConnectionFacts, FACTS + " where c.id = $1")
probes = Query(
    ProbeRow, "select area, ok, problem, probed_at from connection_probes where connection_id = $1 order by position"
)
standing = Query(
    Standing,
    """select (select count(*) from servers where connection_id = $1 and state <> 'gone') as servers,
        (select count(*) from servers where connection_id = $1 and state = 'gone') as gone,
        (select count(*) from compute_accounts where connection_id = $1) as accounts""",
)

# Who adds or changes one takes turns, so that of two who attach the same address the second is told.
take_turn = Scalar(int, "select 1 from pg_advisory_xact_lock(hashtextextended('servers.connections', 0))")
same_place = Scalar(
    str, "select name from connections where lower(base_url) = lower($1) and id <> $2 order by id limit 1"
)
change = Command(
    """update connections set name = $2, base_url = $3, verify_tls = $4, calls_per_minute = $5,
    allow_private_targets = $6, updated_at = clock_timestamp() where id = $1"""
)
change_token = Command("update connections set token = $2, updated_at = clock_timestamp() where id = $1")
switch = Command(
    "update connections set enabled = $2, updated_at = clock_timestamp() where id = $1 and enabled is distinct from $2"
)
remove = Command("delete from connections where id = $1")
forget_probes = Command("delete from connection_probes where connection_id = $1")
insert_probe = Command(
    """insert into connection_probes (connection_id, area, ok, problem, position, probed_at)
    values ($1, $2, $3, $4, $5, $6)"""
)
