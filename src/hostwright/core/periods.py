"""Cursors and times as programs write them, with one problem for each that makes no sense."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from hostwright.core.errors import FieldProblem

MAX_DIGITS: Final = 18  # more do not fit a bigint
DAY: Final = len("2026-01-31")


def read_cursor(text: str | None, problems: list[FieldProblem]) -> int | None:
    """A cursor of a list that goes on below an id."""
    if text is None:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS:
        return int(text)
    problems.append(FieldProblem("cursor", "is not a cursor of this list"))
    return None


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
