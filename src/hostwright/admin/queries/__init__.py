"""SQL of the admin pages."""

from __future__ import annotations

from hostwright.admin.records import MirrorRun, Process
from hostwright.core.db import Query

mirror_runs = Query(
    MirrorRun,
    """
    select c.id as connection_id, c.name, c.last_list_at, c.last_error, c.last_error_at,
        c.prune_stopped_at, c.prune_count, c.prune_confirmed_at,
        r.state, r.listed, r.changed, r.calls, r.error, r.started_at, r.finished_at
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
