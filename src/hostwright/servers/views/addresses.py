"""Who had an address, ready to be placed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from hostwright.servers.queries.addresses import Held, HeldRow
from hostwright.servers.views.export import Cell
from hostwright.servers.views.paging import Place
from hostwright.web.formats import exact
from hostwright.web.i18n import gettext, marked
from hostwright.web.messages import field_message

BASE: Final = "/admin/addresses"
FIELDS: Final = ("address", "at", "from", "to", "reason")
COLUMNS: Final = (
    *("address", "server_id", "server", "server_state", "connection", "customer_id", "customer_number", "customer"),
    *("since", "last_seen", "until"),
)
SAID: Final = {
    "must be an IPv4 or IPv6 address, or a network like 192.0.2.0/24": marked(
        "Enter an IPv4 or IPv6 address, or a network like 192.0.2.0/24."
    ),
    "is too wide; ask for a /16 or smaller in IPv4, for a /32 or smaller in IPv6": marked(
        "This network is too wide. Ask for a /16 or smaller in IPv4, for a /32 or smaller in IPv6."
    ),
    "must be a time like 2026-01-31 14:05 (UTC)": marked("Enter a time like 2026-01-31 14:05, or a day."),
    "is in the future": marked("This is in the future."),
    "must not be before the beginning": marked("The end is before the beginning."),
    "is required: it stands in the audit log": marked("Say why you ask. It stands in the audit log."),
    "may have at most 300 characters": marked("Use at most 300 characters."),
}
"""What the service says of a field, as a sentence beside it."""


def field_words(message: str) -> str:
    """What is wrong with a field, for people."""
    return gettext(SAID[message]) if message in SAID else field_message(message)


class AddressesView(msgspec.Struct, frozen=True):
    """The page: the form as it was filled in, and what was found; ``place`` None before a question is asked."""

    values: dict[str, str]
    errors: dict[str, str] = {}
    rows: Sequence[HeldRow] = ()
    place: Place | None = None
    asked: str = ""
    file: str = ""


def asked_words(held: Held) -> str:
    """What was asked for, in words."""
    if held.start is None and held.end is None:
        return gettext("ever")
    if held.start is not None and held.start == held.end:
        return gettext("at %(time)s", time=exact(held.start))
    if held.start is None:
        return gettext("until %(time)s", time=exact(held.end)) if held.end else ""
    if held.end is None:
        return gettext("from %(time)s on", time=exact(held.start))
    return gettext("from %(start)s to %(end)s", start=exact(held.start), end=exact(held.end))


def cells(row: HeldRow) -> list[Cell]:
    """A line as `COLUMNS` names it."""
    return [
        row.address,
        row.server_id,
        row.server_name,
        row.server_state.value,
        row.connection_name,
        row.customer_id,
        row.customer_number,
        row.customer_name,
        row.since,
        row.last_seen_at,
        row.until,
    ]
