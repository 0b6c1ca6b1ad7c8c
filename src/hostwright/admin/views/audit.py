"""The audit log, ready to be placed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec

from hostwright.admin.views.links import address, number_in, words_in
from hostwright.audit.records import AuditRow, Outcome
from hostwright.audit.service import AuditFilter, AuditPage
from hostwright.web.i18n import gettext

BASE: Final = "/admin/audit"
DATE_LENGTH: Final = 10
PAGES: Final = {"user": "/admin/users/", "server": "/admin/servers/", "connection": "/admin/connections/"}
"""Where the page of a kind of object is."""


class Wanted(msgspec.Struct, frozen=True):
    """A filter as it stands in an address. What makes no sense is left out, so that an old link still shows a list."""

    text: str = ""
    action: str = ""
    outcome: str = ""
    actor: int | None = None
    object_type: str = ""
    object_id: str = ""
    customer: int | None = None
    start: date | None = None
    end: date | None = None
    before: int | None = None

    @property
    def query(self) -> AuditFilter:
        """What to ask the store for. Days are of UTC, the last one is included."""
        return AuditFilter(
            actor_id=self.actor,
            action=self.action,
            object_type=self.object_type,
            object_id=self.object_id,
            customer_id=self.customer,
            outcome=Outcome(self.outcome) if self.outcome else None,
            start=datetime.combine(self.start, datetime.min.time(), UTC) if self.start else None,
            end=datetime.combine(self.end, datetime.min.time(), UTC) + timedelta(days=1) if self.end else None,
            text=self.text,
        )

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out on purpose."""
        return self.link() != BASE

    def link(self, **changes: str | int | None) -> str:
        """The same list with ``changes``, from its beginning unless ``before`` says otherwise."""
        values: dict[str, str | int | None] = {
            "q": self.text,
            "action": self.action,
            "outcome": self.outcome,
            "actor": self.actor,
            "type": self.object_type,
            "id": self.object_id,
            "customer-id": self.customer,
            "from": self.start.isoformat() if self.start else None,
            "to": self.end.isoformat() if self.end else None,
            **changes,
        }
        return address(BASE, values)


class Value(msgspec.Struct, frozen=True):
    """A detail of a line."""

    name: str
    text: str


class Change(msgspec.Struct, frozen=True):
    """What a field was and what it became."""

    name: str
    before: str
    after: str


class Line(msgspec.Struct, frozen=True):
    """A line with what is shown once it is opened."""

    row: AuditRow
    state: str
    word: str
    object_href: str
    values: Sequence[Value]
    changes: Sequence[Change]


class Narrowing(msgspec.Struct, frozen=True):
    """A part of the filter that has no field of its own, and the list without it."""

    label: str
    href: str


class AuditView(msgspec.Struct, frozen=True):
    """A part of the log."""

    wanted: Wanted
    lines: Sequence[Line]
    narrowings: Sequence[Narrowing]
    older: str
    newest: str


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text) if len(text) == DATE_LENGTH else None
        return found if found and date.min < found < date.max - timedelta(days=1) else None
    except ValueError:
        return None


def wanted_lines(query: Mapping[str, str]) -> Wanted:
    """The filter in a query string."""
    kind = words_in(query.get("type", ""), 40)
    outcome = query.get("outcome", "")
    return Wanted(
        text=words_in(query.get("q", "")),
        action=words_in(query.get("action", ""), 60),
        outcome=outcome if outcome in Outcome else "",
        actor=number_in(query.get("actor", "")),
        object_type=kind,
        object_id=words_in(query.get("id", ""), 60) if kind else "",
        customer=number_in(query.get("customer-id", "")),
        start=_day(query.get("from", "")),
        end=_day(query.get("to", "")),
        before=number_in(query.get("before", "")),
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "–" if value is None else msgspec.json.format(msgspec.json.encode(value), indent=-1).decode()


def _changes(detail: Mapping[str, Any]) -> list[Change]:
    if not isinstance(detail.get("before"), dict) or not isinstance(detail.get("after"), dict):
        return []
    was: dict[str, Any] = detail["before"]
    became: dict[str, Any] = detail["after"]
    return [Change(name, _text(was.get(name)), _text(became.get(name))) for name in {**was, **became}]


def _outcome(outcome: Outcome) -> tuple[str, str]:
    match outcome:
        case Outcome.DONE:
            return "done", gettext("Done")
        case Outcome.REFUSED:
            return "waiting", gettext("Refused")
        case Outcome.FAILED:
            return "failed", gettext("Failed")


def line_view(row: AuditRow) -> Line:
    """A line for people."""
    changes = _changes(row.detail)
    values = [
        Value(name, _text(value))
        for name, value in row.detail.items()
        if not changes or name not in ("before", "after")
    ]
    page = PAGES.get(row.object_type or "", "")
    href = f"{page}{row.object_id}" if page and (row.object_id or "").isdecimal() else ""
    return Line(row, *_outcome(row.outcome), href, values, changes)


def _narrowings(wanted: Wanted, rows: Sequence[AuditRow]) -> list[Narrowing]:
    found: list[Narrowing] = []
    if wanted.actor is not None:
        name = next((row.actor_label for row in rows), str(wanted.actor))
        found.append(Narrowing(gettext("By %(name)s", name=name), wanted.link(actor=None)))
    if wanted.object_type:
        about = f"{wanted.object_type} {wanted.object_id}".strip()
        found.append(Narrowing(gettext("About %(name)s", name=about), wanted.link(type=None, id=None)))
    if wanted.customer is not None:
        label = gettext("Customer with the id %(id)s", id=wanted.customer)
        found.append(Narrowing(label, wanted.link(**{"customer-id": None})))
    return found


def audit_view(wanted: Wanted, page: AuditPage) -> AuditView:
    """A part of the log for people."""
    return AuditView(
        wanted,
        [line_view(row) for row in page.rows],
        _narrowings(wanted, page.rows),
        wanted.link(before=page.next) if page.next else "",
        wanted.link() if wanted.before else "",
    )
