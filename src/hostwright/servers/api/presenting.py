"""Rows as answers, and what a query string may say."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import asdict

from hostwright.core.errors import FieldProblem, Invalid
from hostwright.core.paging import read_cursor
from hostwright.core.periods import read_time
from hostwright.core.providers import Power, ServerState, TrafficMonth
from hostwright.servers.queries import LogFilter
from hostwright.servers.records import ActionRow, LogRow, ServerCount
from hostwright.servers.schemas import (
    ActionRead,
    ActionType,
    AdminServerDetail,
    AdminServerRead,
    LogCursor,
    LogList,
    LogRead,
    ServerDetail,
    ServerRead,
    Statistics,
    TrafficPeriod,
    TrafficRead,
)


def action_read(row: ActionRow) -> ActionRead:
    """An action as the API sends it."""
    return ActionRead(
        id=row.id,
        server_id=row.server_id,
        kind=row.kind,
        state=row.state,
        progress=row.progress,
        error_code=row.error_code,
        error=row.error,
        actor=row.actor_label,
        requested_at=row.requested_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def server_detail(read: ServerRead, pending: ActionRow | None) -> ServerDetail:
    """A server with what goes on with it."""
    return ServerDetail(**asdict(read), pending_action=action_read(pending) if pending else None)


def admin_server_detail(read: AdminServerRead, pending: ActionRow | None) -> AdminServerDetail:
    """A server with what goes on with it, for staff."""
    return AdminServerDetail(**asdict(read), pending_action=action_read(pending) if pending else None)


def statistics(counts: Sequence[ServerCount]) -> Statistics:
    """Figures about all servers of the scope; gone ones count only in their own state."""
    states = dict.fromkeys(ServerState, 0)
    power = dict.fromkeys(Power, 0)
    for count in counts:
        states[count.state] += count.n
        if count.state is ServerState.ACTIVE:
            power[count.power] += count.n
    return Statistics(sum(states.values()) - states[ServerState.GONE], states, power)


def log_list(rows: Sequence[LogRow], size: int) -> LogList:
    """Activity, with a cursor when there is more: one row more than ``size`` was read."""
    items = [
        LogRead(
            id=row.id,
            action=row.action,
            action_type=ActionType(row.action_type),
            status=row.status,
            action_id=row.action_id,
            actor=row.actor_label,
            error=row.error,
            created_at=row.created_at,
            finished_at=row.finished_at,
        )
        for row in rows[:size]
    ]
    return LogList(items, LogCursor(str(items[-1].id) if len(rows) > size else None))


def traffic_read(months: Sequence[TrafficMonth]) -> TrafficRead:
    """Traffic as the API sends it."""
    return TrafficRead([TrafficPeriod(**asdict(month)) for month in months])


def log_filter(
    cursor: str | None, action_type: ActionType | None, start_date: str | None, end_date: str | None
) -> LogFilter:
    """Which activity is wanted; raises `Invalid` with one entry per value that makes no sense."""
    problems: list[FieldProblem] = []
    before = read_cursor(cursor, problems)
    start = read_time("startDate", start_date, problems, whole_day=False)
    end = read_time("endDate", end_date, problems, whole_day=True)
    if problems:
        raise Invalid(problems)
    return LogFilter(before, action_type.value if action_type else None, start, end)
