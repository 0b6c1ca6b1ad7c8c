"""One server, its addresses and its activity; always through what the caller may see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from hostwright.core.db import LARGEST_ID, Db, NoRow, Query, Scalar, Tx
from hostwright.core.scope import OwnedBy, Scope, Staff
from hostwright.servers.queries.lists import ADMIN_COLUMNS, READ_COLUMNS, ROW_COLUMNS
from hostwright.servers.records import AddressRow, LogRow, ServerRow, TargetRow
from hostwright.servers.schemas import AdminServerRead, ServerRead

_row = "select " + ROW_COLUMNS + " from servers s where s.id = $1"
_any_row = Query(ServerRow, _row)
_own_row = Query(ServerRow, _row + " and s.customer_id = $2")

_own_read = Query(ServerRead, "select " + READ_COLUMNS + " from servers s where s.id = $1 and s.customer_id = $2")
_admin_read = Query(AdminServerRead, "select " + ADMIN_COLUMNS + " from servers s where s.id = $1")

_target = """select s.id, s.connection_id, s.external_id, s.customer_id, s.name, s.state, s.power, s.busy,
    s.operating_system from servers s where s.id = $1"""
_any_target = Query(TargetRow, _target)
_own_target = Query(TargetRow, _target + " and s.customer_id = $2")

_addresses = Query(
    AddressRow,
    """select server_id, address, version, is_primary from server_addresses
    where server_id = $1 and released_at is null order by is_primary desc, version, id""",
)

LOG_COLUMNS: Final = (
    "id, server_id, action, action_type, status, action_id, actor_label, error, created_at, finished_at"
)
LOG_MATCHES: Final = """ from server_log where server_id = $1 and ($2::bigint is null or id < $2)
    and ($3::text is null or action_type = $3) and ($4::timestamptz is null or created_at >= $4)
    and ($5::timestamptz is null or created_at < $5)"""
_any_activity = Query(LogRow, "select " + LOG_COLUMNS + LOG_MATCHES + " order by id desc limit $6")
# A server may have had another customer before, whose doings are nobody else's.
_own_activity = Query(LogRow, "select " + LOG_COLUMNS + LOG_MATCHES + " and customer_id = $7 order by id desc limit $6")

_viewed = Scalar(
    int,
    """with due as (
        select id from servers where id = any($1::bigint[])
        and (viewed_at is null or viewed_at < now() - interval '1 minute') order by id for update skip locked
    )
    update servers s set viewed_at = now() from due where s.id = due.id returning s.id""",
)


def require_id(number: int) -> None:
    """Raise `NoRow` for a number that no row can have; the database would refuse it as an error."""
    if not 0 < number <= LARGEST_ID:
        raise NoRow


class LogFilter(msgspec.Struct, frozen=True):
    """Which activity: older than the line ``before``, of one type, from ``start`` on and before ``end``."""

    before: int | None = None
    action_type: str | None = None
    start: datetime | None = None
    end: datetime | None = None


async def server_for(db: Db, scope: Scope, server_id: int) -> ServerRow:
    """One server; `NoRow` both when it is missing and when it is not within ``scope``."""
    require_id(server_id)
    match scope:
        case Staff():
            return await _any_row.one(db, server_id)
        case OwnedBy(customer_id):
            return await _own_row.one(db, server_id, customer_id)


async def own_read(db: Db, customer_id: int, server_id: int) -> ServerRead:
    """One server of a customer as the API sends it; `NoRow` when it is not theirs."""
    require_id(server_id)
    return await _own_read.one(db, server_id, customer_id)


async def admin_read(db: Db, server_id: int) -> AdminServerRead:
    """One server as the API sends it to staff."""
    require_id(server_id)
    return await _admin_read.one(db, server_id)


async def locked_server(tx: Tx, scope: Scope, server_id: int) -> TargetRow:
    """One server to act on, locked; `NoRow` both when it is missing and when it is not within ``scope``."""
    require_id(server_id)
    match scope:
        case Staff():
            return await _any_target.one(tx, server_id, lock=True)
        case OwnedBy(customer_id):
            return await _own_target.one(tx, server_id, customer_id, lock=True)


async def target_of(db: Db, scope: Scope, server_id: int) -> TargetRow:
    """One server to ask its vendor about, unlocked."""
    require_id(server_id)
    match scope:
        case Staff():
            return await _any_target.one(db, server_id)
        case OwnedBy(customer_id):
            return await _own_target.one(db, server_id, customer_id)


async def addresses_of(db: Db, server_id: int) -> list[AddressRow]:
    """Current addresses, primary ones first."""
    return await _addresses.all(db, server_id)


async def activity(db: Db, scope: Scope, server_id: int, wanted: LogFilter, limit: int = 20) -> list[LogRow]:
    """Activity of a server, newest first; customers read what happened while the server was theirs."""
    arguments = (server_id, wanted.before, wanted.action_type, wanted.start, wanted.end, limit)
    match scope:
        case Staff():
            return await _any_activity.all(db, *arguments)
        case OwnedBy(customer_id):
            return await _own_activity.all(db, *arguments, customer_id)


async def touch_viewed(db: Db, server_ids: Sequence[int]) -> None:
    """Say that somebody looks at these servers: their details come first. Writes a row once a minute at most.

    A row that something else is being done with is left alone: nobody waits, and the next look says it again.
    """
    if server_ids:
        await _viewed.all(db, list(server_ids))
