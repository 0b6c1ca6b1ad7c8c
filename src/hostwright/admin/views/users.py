"""Users as staff see them, ready to be placed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from hostwright.admin.queries.users import Users, Wanted
from hostwright.admin.records import UserCounts, UserCustomer, UserKey, UserRow
from hostwright.admin.schemas import UserFilter, UserSort
from hostwright.admin.views.audit import Line
from hostwright.admin.views.links import address, number_in, words_in
from hostwright.core.paging import DEFAULT_PAGE_SIZE, Page
from hostwright.identity.records import MemberRole, SessionRecord
from hostwright.web.i18n import gettext, marked

BASE: Final = "/admin/users"
NEWEST: Final = "-createdAt"
LAST_PAGE: Final = 1_000_000
SAID: Final = (
    marked("You cannot suspend your own account. Nothing was changed."),
    marked("This is the last administrator who can sign in. Nothing was changed."),
)
"""Sentences of the service, which knows no languages."""


class Choice(msgspec.Struct, frozen=True):
    """A filter to choose."""

    label: str
    href: str
    n: int
    current: bool


class Place(msgspec.Struct, frozen=True):
    """What the list shows, as it stands in the address."""

    q: str = ""
    filter: UserFilter = UserFilter.ALL
    sort: str = NEWEST
    page: int = 1

    @property
    def query(self) -> Wanted:
        """What to ask the database for."""
        return Wanted(self.filter, UserSort(self.sort.removeprefix("-")), self.sort.startswith("-"), self.q)

    @property
    def part(self) -> Page:
        """Which rows to read."""
        return Page(self.page)

    def link(self, **changes: str | int) -> str:
        """The same list with ``changes``, from its first page unless they say otherwise."""
        values: dict[str, str | int | None] = {
            "q": self.q,
            "filter": self.filter.value,
            "sort": self.sort,
            "page": 1,
            **changes,
        }
        usual = (("filter", UserFilter.ALL.value), ("sort", NEWEST))
        return address(BASE, {name: value for name, value in values.items() if (name, value) not in usual})


class UsersView(msgspec.Struct, frozen=True):
    """A page of users."""

    place: Place
    rows: Sequence[UserRow]
    counts: UserCounts
    choices: Sequence[Choice]
    total: int

    @property
    def pages(self) -> int:
        """How many there are."""
        return -(-self.total // DEFAULT_PAGE_SIZE)

    @property
    def first(self) -> int:
        """The number of the first row shown."""
        return self.place.part.offset + 1

    @property
    def last(self) -> int:
        """The number of the last row shown."""
        return self.place.part.offset + len(self.rows)


class CustomerLine(msgspec.Struct, frozen=True):
    """A customer of a user, and as what they belong to it."""

    row: UserCustomer
    role: str


class UserView(msgspec.Struct, frozen=True):
    """A user with everything that staff see of them."""

    row: UserRow
    customers: Sequence[CustomerLine]
    sessions: Sequence[SessionRecord]
    keys: Sequence[UserKey]
    lines: Sequence[Line]
    own: bool
    current: int | None
    error: str = ""


def wanted_users(query: Mapping[str, str]) -> Place:
    """What an address asks for; what makes no sense in it is left out."""
    wanted, sort = query.get("filter", ""), query.get("sort", "")
    return Place(
        q=words_in(query.get("q", "")),
        filter=UserFilter(wanted) if wanted in UserFilter else UserFilter.ALL,
        sort=sort if sort.removeprefix("-") in UserSort else NEWEST,
        page=max(1, min(number_in(query.get("page", "")) or 1, LAST_PAGE)),
    )


def users_view(place: Place, found: Users) -> UsersView:
    """A page of users for people."""
    figures = found.counts
    shown = (
        (UserFilter.ALL, gettext("All"), figures.total),
        (UserFilter.ACTIVE, gettext("Active"), figures.active),
        (UserFilter.INACTIVE, gettext("Suspended"), figures.total - figures.active),
        (UserFilter.ADMIN, gettext("Administrators"), figures.admins),
        (UserFilter.MIGRATED, gettext("Linked to VirtFusion"), figures.migrated),
    )
    choices = [Choice(label, place.link(filter=wanted.value), n, place.filter is wanted) for wanted, label, n in shown]
    return UsersView(place, found.rows, figures, choices, found.total)


def customer_line(row: UserCustomer) -> CustomerLine:
    """A customer for people."""
    words = {
        MemberRole.OWNER: gettext("Owner"),
        MemberRole.BILLING: gettext("Billing"),
        MemberRole.TECHNICAL: gettext("Technical"),
        MemberRole.VIEWER: gettext("Viewer"),
    }
    return CustomerLine(row, words[row.role])
