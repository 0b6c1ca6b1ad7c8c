"""Rows as answers, and what a query string may say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from msgspec.structs import asdict

from hostwright.core.errors import FieldProblem, Invalid
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

MAX_DIGITS: Final = 18  # more do not fit a bigint


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
    before: int | None = None
    if cursor is not None:
        if cursor.isdecimal() and len(cursor) <= MAX_DIGITS:
            before = int(cursor)
        else:
            problems.append(FieldProblem("cursor", "is not a cursor of this list"))
    start = _moment("startDate", start_date, problems, whole_day=False)
    end = _moment("endDate", end_date, problems, whole_day=True)
    if problems:
        raise Invalid(problems)
    return LogFilter(before, action_type.value if action_type else None, start, end)


def _moment(field: str, text: str | None, problems: list[FieldProblem], *, whole_day: bool) -> datetime | None:
    """A date (in UTC; as an end it is included) or a time with its zone."""
    if text is None:
        return None
    try:
        if len(text) == len("2026-01-31"):
            start = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return start + timedelta(days=1) if whole_day else start
        moment = datetime.fromisoformat(text)
        moment.astimezone(UTC)  # a time at the edge of the calendar has none
    except (ValueError, OverflowError):
        problems.append(FieldProblem(field, "must be a date like 2026-01-31 or a time like 2026-01-31T12:00:00Z"))
        return None
    if moment.tzinfo is None:
        problems.append(FieldProblem(field, "must name its time zone, for example with a Z at the end"))
    return moment
