"""Which activity is wanted, as it stands in an address, and its lines ready to be placed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

import msgspec

from hostwright.servers.queries import LogFilter
from hostwright.servers.records import LogRow
from hostwright.servers.views.facts import LogView, log_view
from hostwright.servers.views.rows import Chip
from hostwright.web.i18n import gettext, marked

TYPES: Final = {
    "": marked("All"),
    "power": marked("Power"),
    "security": marked("Security"),
    "network": marked("Network"),
    "storage": marked("Storage"),
    "vnc": marked("Console"),
    "config": marked("Settings"),
    "state": marked("State"),
}
SAID: Final = (marked("At most twelve files a minute can be made."),)
"""A sentence of the service, which knows no languages."""

LONGEST_ID: Final = 18
DATE_LENGTH: Final = 10


class Wanted(msgspec.Struct, frozen=True):
    """A filter. What makes no sense in an address is left out, so that an old link still shows a list."""

    kind: str = ""
    start: date | None = None
    end: date | None = None
    before: int | None = None

    @property
    def query(self) -> LogFilter:
        """What to ask the database for. Days are of UTC, the last one is included."""
        start = datetime.combine(self.start, datetime.min.time(), UTC) if self.start else None
        end = datetime.combine(self.end, datetime.min.time(), UTC) + timedelta(days=1) if self.end else None
        return LogFilter(self.before, self.kind or None, start, end)

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out on purpose."""
        return bool(self.kind or self.start or self.end)

    def address(self, url: str, **changes: str) -> str:
        """``url`` with this filter and ``changes``; without the place in the list, unless ``cursor`` says it."""
        values = {
            "type": self.kind,
            "from": self.start.isoformat() if self.start else "",
            "to": self.end.isoformat() if self.end else "",
            **changes,
        }
        kept = {name: value for name, value in values.items() if value}
        return f"{url}?{urlencode(kept)}" if kept else url


class ActivityView(msgspec.Struct, frozen=True):
    """Lines of activity, the newest first, with the ways to others."""

    url: str
    wanted: Wanted
    lines: Sequence[LogView]
    chips: Sequence[Chip]
    older: str
    newest: str
    file: str
    everything: str


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text) if len(text) == DATE_LENGTH else None
    except ValueError:
        return None
    return found if found is not None and found.year < date.max.year else None


def read_wanted(query: Mapping[str, str]) -> Wanted:
    """The filter in a query string."""
    kind, cursor = query.get("type", ""), query.get("cursor", "")
    before = int(cursor) if cursor.isdecimal() and len(cursor) <= LONGEST_ID else None
    return Wanted(kind if kind in TYPES else "", _day(query.get("from", "")), _day(query.get("to", "")), before)


def activity_view(url: str, wanted: Wanted, rows: Sequence[LogRow], size: int) -> ActivityView:
    """Lines of activity at ``url``; one row more than ``size`` was read when there are older ones."""
    lines = rows[:size]
    older = wanted.address(url, cursor=str(lines[-1].id)) if len(rows) > size else ""
    return ActivityView(
        url=url,
        wanted=wanted,
        lines=[log_view(line) for line in lines],
        chips=[
            Chip(gettext(label), wanted.address(url, type=kind), None, wanted.kind == kind)
            for kind, label in TYPES.items()
        ],
        older=older,
        newest=wanted.address(url) if wanted.before else "",
        file=wanted.address(f"{url}.csv"),
        everything=url if wanted.narrowed else "",
    )
