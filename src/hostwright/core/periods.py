"""Times as programs write them, with a problem for what is none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from hostwright.core.errors import FieldProblem

DAY: Final = len("2026-01-31")


def read_time(field: str, text: str | None, problems: list[FieldProblem], *, whole_day: bool) -> datetime | None:
    """A date (in UTC; as an end it is included) or a time with its zone."""
    if text is None:
        return None
    try:
        if len(text) == DAY:
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
