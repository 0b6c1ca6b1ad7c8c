"""Actions on servers: asked for, claimed by a worker, followed, ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hostwright.core.db import Command, Db, Query, Scalar
from hostwright.core.scope import OwnedBy, Scope, Staff
from hostwright.servers.queries.one import require_id
from hostwright.servers.records import ActionRow, ChangedRow, TargetAction

COLUMNS: Final = """a.id, a.server_id, a.customer_id, a.kind, a.state, a.progress, a.attempts, a.external_queue_id,
    a.error_code, a.error, a.actor_label, a.requested_at, a.started_at, a.finished_at, a.deadline, a.detail"""

_latest = Query(
    ActionRow, "select " + COLUMNS + " from server_actions a where a.server_id = $1 order by a.id desc limit 1"
)
_own_latest = Query(
    ActionRow,
    "select "
    + COLUMNS
    + " from server_actions a where a.server_id = $1 and a.customer_id = $2 order by a.id desc limit 1",
)
_pending = Query(
    ActionRow,
    "select "
    + COLUMNS
    + " from server_actions a where a.server_id = $1 and a.state in ('queued', 'sending', 'running')",
)
_all_pending = Query(
    ActionRow,
    "select "
    + COLUMNS
    + """ from server_actions a where a.server_id = any($1::bigint[])
    and a.state in ('queued', 'sending', 'running')""",
)
_any_action = Query(ActionRow, "select " + COLUMNS + " from server_actions a where a.id = $1 and a.server_id = $2")
# Whose server it is today decides, and whose it was then: who gets a server does not get what was done with it before.
_own_action = Query(
    ActionRow,
    "select "
    + COLUMNS
    + """ from server_actions a join servers s on s.id = a.server_id
    where a.id = $1 and a.server_id = $2 and s.customer_id = $3 and a.customer_id = $3""",
)

TARGET_COLUMNS: Final = """a.id, a.server_id, s.connection_id, s.external_id, s.customer_id, s.name as server_name,
    s.operating_system, a.kind, a.state, a.progress, a.attempts, a.external_queue_id, a.error_code, s.power,
    a.requested_at, a.sent_at, a.deadline, a.detail"""

# The server's row is locked with the action's, in the order in which everybody takes them.
target = Query(
    TargetAction,
    "select " + TARGET_COLUMNS + " from servers s join server_actions a on a.server_id = s.id where a.id = $1",
)

insert_action = Query(
    ActionRow,
    """insert into server_actions as a
    (server_id, customer_id, kind, state, attempts, actor_id, actor_label, requested_at, started_at, sent_at, deadline,
    detail) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11) returning """
    + COLUMNS,
)
claim = Command(
    """update server_actions set state = 'sending', attempts = attempts + 1, started_at = coalesce(started_at, $2),
    sent_at = $2 where id = $1"""
)
requeue = Command("update server_actions set state = 'queued', error_code = $2, error = $3 where id = $1")
run_on = Command(
    """update server_actions set state = 'running', external_queue_id = $2, error_code = $3, deadline = $4
    where id = $1"""
)
set_progress = Command("update server_actions set progress = $2 where id = $1")
set_done_at_vendor = Command("update server_actions set progress = 100, deadline = $2 where id = $1")
begun = Command(
    """update server_actions set state = 'running', error_code = null, deadline = $2, progress = greatest(progress, 1)
    where id = $1"""
)
finish = Command(
    """update server_actions set state = $2, finished_at = $3, error_code = $4, error = $5,
    progress = case when $2 = 'succeeded' then 100 else progress end where id = $1"""
)
set_busy = Command("update servers set busy = $2 where id = $1 and busy <> $2")
look_again = Command("update servers set busy = $2, viewed_at = $3 where id = $1")

set_power = Command(
    """update servers set power = $2, power_observed_at = $3 where id = $1 and state <> 'gone'
    and (power_observed_at is null or power_observed_at <= $3)"""
)

# What one look at a server said: nothing that was observed later is overwritten.
set_seen = Command(
    """update servers set state = case when $3::text is not null and state_observed_at <= $2 then $3 else state end,
    state_observed_at = case when $3::text is null then state_observed_at else greatest(state_observed_at, $2) end,
    power = case when $4::text is not null and (power_observed_at is null or power_observed_at <= $2)
        then $4 else power end,
    power_observed_at = case when $4::text is null then power_observed_at else greatest(power_observed_at, $2) end,
    name = case when greatest(name_observed_at, detailed_at) > $2 then name else $5 end,
    name_observed_at = greatest(name_observed_at, $2), operating_system = coalesce($6, operating_system)
    where id = $1 and state <> 'gone'"""
)
set_reason = Command("update servers set suspend_reason = $2 where id = $1")
forget_reasons = Command(
    "update servers set suspend_reason = null where id = any($1::bigint[]) and suspend_reason is not null"
)
set_throttle = Command("update servers set cpu_throttle = $2 where id = $1")
# The row is held for update. What was asked of the vendor later than here has the last word.
set_owner = Query(
    ChangedRow,
    """with old as (select s.id, s.customer_id, a.customer_id as new_customer_id from servers s
        left join compute_accounts a on a.connection_id = s.connection_id and a.external_user_id = $2
        where s.id = $1 and (s.owner_observed_at is null or s.owner_observed_at <= $3))
    update servers s set external_owner_id = $2, owner_observed_at = $3, customer_id = old.new_customer_id
    from old where s.id = old.id
    returning s.id, s.customer_id, old.customer_id as old_customer_id, s.state, s.state as old_state, s.power,
        s.power as old_power, true as acted, false as ordered""",
)

insert_log = Command(
    """insert into server_log (server_id, customer_id, action, action_type, status, action_id, actor_id, actor_label,
    error, address, created_at, finished_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"""
)
finish_log = Command("update server_log set status = $2, error = $3, finished_at = $4 where action_id = $1")

unfinished = Scalar(
    int, "select id from server_actions where state in ('queued', 'sending', 'running') order by id limit 1000"
)


async def latest_action(db: Db, scope: Scope, server_id: int) -> ActionRow | None:
    """What was asked of a server last; for customers while it was theirs."""
    match scope:
        case Staff():
            return await _latest.maybe(db, server_id)
        case OwnedBy(customer_id):
            return await _own_latest.maybe(db, server_id, customer_id)


async def pending_action(db: Db, server_id: int) -> ActionRow | None:
    """What goes on with a server, whoever asked for it; there is at most one such action."""
    return await _pending.maybe(db, server_id)


async def pending_for(db: Db, scope: Scope, server_id: int) -> ActionRow | None:
    """What goes on with a server as the caller may see it: not what its former customer asked for."""
    action = await _pending.maybe(db, server_id)
    if action is not None and isinstance(scope, OwnedBy) and action.customer_id != scope.customer_id:
        return None
    return action


async def pending_actions(db: Db, server_ids: Sequence[int]) -> list[ActionRow]:
    """What goes on with these servers."""
    return await _all_pending.all(db, list(server_ids)) if server_ids else []


async def action_for(db: Db, scope: Scope, server_id: int, action_id: int) -> ActionRow:
    """One action; `NoRow` both when it is missing and when its server is not within ``scope``."""
    require_id(server_id)
    require_id(action_id)
    match scope:
        case Staff():
            return await _any_action.one(db, action_id, server_id)
        case OwnedBy(customer_id):
            return await _own_action.one(db, action_id, server_id, customer_id)
