"""Attached control systems and whose accounts are whose there."""

from __future__ import annotations

import msgspec

from hostwright.core.db import Command, Db, Query, Scalar
from hostwright.servers.records import ConnectionHealth, ConnectionRow

connection = Query(
    ConnectionRow,
    """select id, kind, name, base_url, token, verify_tls, calls_per_minute, enabled, updated_at,
    allow_private_targets from connections where id = $1""",
)
next_connection_id = Scalar(int, "select nextval(pg_get_serial_sequence('connections', 'id'))")
insert_connection = Command(
    """insert into connections (id, kind, name, base_url, token, verify_tls, calls_per_minute)
    values ($1, 'virtfusion', $2, $3, $4, $5, $6)"""
)
enabled_connections = Scalar(int, "select id from connections where enabled order by id")

_overview = Query(
    ConnectionHealth,
    """select id, name, enabled, last_list_at, last_good_at, last_error, last_error_at, prune_stopped_at, prune_count
    from connections order by id""",
)


class ConnectionName(msgspec.Struct, frozen=True):
    """An attached control system by name."""

    id: int
    name: str


connection_names = Query(ConnectionName, "select id, name from connections order by name, id")

insert_account = Command(
    """insert into compute_accounts (connection_id, customer_id, external_user_id, external_relation_id)
    values ($1, $2, $3, $4) on conflict do nothing"""
)
adopted = Scalar(
    int,
    """with theirs as (
        select id from servers where connection_id = $1 and external_owner_id = $3 and customer_id is distinct from $2
        order by id for update
    )
    update servers s set customer_id = $2 from theirs t where s.id = t.id returning s.id""",
)

confirm_pruning = Command("update connections set prune_confirmed_at = $2 where id = $1")


async def connections_overview(db: Db) -> list[ConnectionHealth]:
    """How the attached control systems are doing."""
    return await _overview.all(db)
