"""What the operations need to know besides the server: whose account is whose, and what was done with a server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from hostwright.core.db import Db, Query
from hostwright.core.scope import OwnedBy, Scope, Staff
from hostwright.core.text import containing, storable
from hostwright.servers.queries.actions import COLUMNS
from hostwright.servers.queries.lists import ROW_COLUMNS
from hostwright.servers.records import (
    ActionKind,
    ActionRow,
    ActionState,
    ServerRow,
    TargetRow,
)


class AccountRow(msgspec.Struct, frozen=True):
    """A customer and the user that they are at a vendor."""

    customer_id: int
    customer_name: str
    external_user_id: int


class QueueRow(msgspec.Struct, frozen=True):
    """An action as staff follow it at the vendor; ``queue_id`` is None when the vendor gave no number."""

    id: int
    server_id: int
    server_name: str
    connection_id: int
    connection_name: str
    customer_name: str | None
    kind: ActionKind
    state: ActionState
    progress: int
    attempts: int
    queue_id: int | None
    error: str | None
    actor_label: str
    requested_at: datetime
    finished_at: datetime | None


account_of = Query(
    AccountRow,
    """select a.customer_id, c.name as customer_name, a.external_user_id
    from compute_accounts a join customers c on c.id = a.customer_id
    where a.connection_id = $1 and a.customer_id = $2""",
)
_accounts_named = Query(
    AccountRow,
    """select a.customer_id, c.name as customer_name, a.external_user_id
    from compute_accounts a join customers c on c.id = a.customer_id
    where a.connection_id = $1 and ($2 = '' or lower(c.name) like $3 or c.id::text = $2)
    order by c.name, c.id limit $4""",
)

QUEUE: Final = """select a.id, a.server_id, s.name as server_name, s.connection_id, n.name as connection_name,
    (select c.name from customers c where c.id = a.customer_id) as customer_name, a.kind, a.state, a.progress,
    a.attempts, a.external_queue_id as queue_id, a.error, a.actor_label, a.requested_at, a.finished_at
    from server_actions a join servers s on s.id = a.server_id join connections n on n.id = s.connection_id"""
queue_of = Query(QueueRow, QUEUE + " where a.server_id = $1 order by a.id desc limit $2")
queue_item = Query(
    QueueRow,
    QUEUE
    + """ where a.external_queue_id = $1 and ($2::bigint is null or s.connection_id = $2)
    order by a.id desc limit 1""",
)

TARGETS: Final = """select s.id, s.connection_id, s.external_id, s.customer_id, s.name, s.state, s.power, s.busy,
    s.operating_system from servers s where s.id = any($1::bigint[])"""
_any_targets = Query(TargetRow, TARGETS)
_own_targets = Query(TargetRow, TARGETS + " and s.customer_id = $2")

_rows = "select " + ROW_COLUMNS + " from servers s where s.id = any($1::bigint[])"
_any_rows = Query(ServerRow, _rows)
_own_rows = Query(ServerRow, _rows + " and s.customer_id = $2")

_actions = "select " + COLUMNS + " from server_actions a where a.id = any($1::bigint[])"
_any_actions = Query(ActionRow, _actions)
_own_actions = Query(ActionRow, _actions + " and a.customer_id = $2")


async def accounts_named(db: Db, connection_id: int, text: str, limit: int = 20) -> list[AccountRow]:
    """Customers with an account at a connection whose name has ``text`` in it, or whose number it is."""
    wanted = storable(text.strip())[:100]
    return await _accounts_named.all(db, connection_id, wanted, containing(wanted), limit)


async def targets_of(db: Db, scope: Scope, server_ids: Sequence[int]) -> dict[int, TargetRow]:
    """Those of these servers that are within ``scope``, by their numbers."""
    match scope:
        case Staff():
            found = await _any_targets.all(db, list(server_ids))
        case OwnedBy(customer_id):
            found = await _own_targets.all(db, list(server_ids), customer_id)
    return {row.id: row for row in found}


async def rows_of(db: Db, scope: Scope, server_ids: Sequence[int]) -> dict[int, ServerRow]:
    """Those of these servers that are within ``scope``, as lists show them."""
    match scope:
        case Staff():
            found = await _any_rows.all(db, list(server_ids))
        case OwnedBy(customer_id):
            found = await _own_rows.all(db, list(server_ids), customer_id)
    return {row.id: row for row in found}


async def actions_by_id(db: Db, scope: Scope, action_ids: Sequence[int]) -> dict[int, ActionRow]:
    """Those of these actions that are within ``scope``, by their numbers."""
    match scope:
        case Staff():
            found = await _any_actions.all(db, list(action_ids))
        case OwnedBy(customer_id):
            found = await _own_actions.all(db, list(action_ids), customer_id)
    return {row.id: row for row in found}
