"""The list of servers, ready to be placed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup

from hostwright.core.paging import DEFAULT_PAGE_SIZE, Page
from hostwright.core.providers import Power, ServerState
from hostwright.core.scope import Scope
from hostwright.servers.queries.connections import ConnectionName
from hostwright.servers.queries.lists import Listed, ServerFilter
from hostwright.servers.records import ActionKind, ServerCount, ServerRow
from hostwright.servers.views import words
from hostwright.web.formats import exact, number
from hostwright.web.i18n import gettext, ngettext
from hostwright.web.render import Renderer

CHIPS: Final = ("running", "stopped", "unknown", "building", "suspended", "failed", "gone")
SORTS: Final = ("name", "state", "createdAt")
AROUND: Final = 2
LONGEST_PAGE: Final = 7
LONGEST_ID: Final = 17
HOUR: Final = 3600
MONTH: Final = 31 * 24 * HOUR


class RowView(msgspec.Struct, frozen=True):
    """One row. Its HTML is cached by these fields and the language, so whatever is shown stands here."""

    id: int
    href: str
    name: str
    system: str
    location: str
    country: str
    key: str
    word: str
    address: str
    package: str
    resources: str
    created_at: datetime
    age: int
    staff: bool
    owner: str
    owner_href: str


class Chip(msgspec.Struct, frozen=True):
    """A filter or a page number; ``n`` is shown behind the label."""

    label: str
    href: str
    n: int | None
    current: bool


class Column(msgspec.Struct, frozen=True):
    """A head of the table. ``order`` is what aria-sort says, empty when it is not sorted by this column."""

    label: str
    href: str
    order: str
    style: str


class Filter(msgspec.Struct, frozen=True):
    """What a list shows, as it stands in the URL."""

    base: str
    q: str = ""
    state: str = ""
    sort: str = ""
    page: int = 1
    customer: int | None = None
    connection: int | None = None

    def link(self, **changes: str | int | None) -> str:
        """The same list with ``changes``; a change of filter or order goes back to the first page."""
        wanted: dict[str, str | int | None] = {
            "q": self.q,
            "state": self.state,
            "sort": self.sort,
            "owner": self.customer,
            "connection": self.connection,
            "page": changes.get("page", 1),
            **changes,
        }
        kept = {
            name: value for name, value in wanted.items() if value not in ("", None) and (name, value) != ("page", 1)
        }
        return f"{self.base}?{urlencode(kept)}" if kept else self.base

    @property
    def file(self) -> str:
        """All rows of this list as a file."""
        return self.link().replace(self.base, f"{self.base}/export.csv", 1)

    @property
    def paging(self) -> Page:
        """Which rows to read."""
        return Page(self.page, DEFAULT_PAGE_SIZE)

    def query(self, scope: Scope) -> ServerFilter:
        """What to ask the database for, within ``scope``."""
        power = Power(self.state) if self.state in Power else None
        state = ServerState.ACTIVE if power else ServerState(self.state) if self.state else None
        return ServerFilter(scope, self.customer, state, power, self.q, self.sort or "name", self.connection)

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out on purpose."""
        return bool(self.q or self.state or self.customer or self.connection)


class ListView(msgspec.Struct):
    """A page of servers."""

    filter: Filter
    summary: str
    chips: Sequence[Chip]
    columns: Sequence[Column]
    rows: Markup
    total: int
    first: int
    last: int
    pages: Sequence[Chip | None]
    silent: str
    staff: bool
    owner: str
    standing: int
    connections: Sequence[Chip] = ()


def read_filter(base: str, query: Mapping[str, str], *, staff: bool = False) -> Filter:
    """The filter in a query string. What makes no sense is left out, so that an old link still shows a list."""
    state = query.get("state", "")
    sort = query.get("sort", "")
    page = query.get("page", "")
    customer = _number(query.get("owner", "")) if staff else None
    return Filter(
        base=base,
        q=query.get("q", "").strip()[:100],
        state=state if state in CHIPS else "",
        sort=sort if sort.removeprefix("-") in SORTS else "",
        page=min(int(page), 1_000_000) if page.isdecimal() and len(page) <= LONGEST_PAGE and int(page) > 0 else 1,
        customer=customer,
        connection=_number(query.get("connection", "")) if staff and customer is None else None,
    )


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= LONGEST_ID else None


def connection_chips(shown: Filter, connections: Sequence[ConnectionName]) -> list[Chip]:
    """The ways to one connection's servers; none while there is only one."""
    if len(connections) < 2:  # noqa: PLR2004  nothing to choose from
        return []
    all_of_them = Chip(gettext("All connections"), shown.link(connection=None), None, shown.connection is None)
    return [
        all_of_them,
        *(
            Chip(one.name, shown.link(connection=one.id, owner=None), None, shown.connection == one.id)
            for one in connections
        ),
    ]


def _age(created_at: datetime, now: datetime) -> int:
    """Changes as often as the words for it do: each minute of the first hour, each hour of two days, then each day."""
    seconds = int((now - created_at).total_seconds())
    unit = 60 if seconds < HOUR else HOUR if seconds < 48 * HOUR else 24 * HOUR
    return seconds // unit if seconds < MONTH else 0


def row_view(base: str, row: ServerRow, now: datetime, *, staff: bool, kind: ActionKind | None = None) -> RowView:
    """A row for people; ``kind`` is the action that goes on."""
    working = words.is_working(row.state, busy=row.busy)
    key = words.state_key(row.state, row.power)
    return RowView(
        id=row.id,
        href=f"{base}/{row.id}",
        name=row.name,
        system=row.operating_system or "",
        location=row.location or "",
        country=row.country or "",
        key="busy" if working else key,
        word=words.work_word(kind) if working else words.state_word(key),
        address=row.primary_ipv4 or row.primary_ipv6 or "",
        package=row.package or "",
        resources=words.resources(row.cores, row.memory_mib, row.disk_gib),
        created_at=row.created_at,
        age=_age(row.created_at, now),
        staff=staff,
        owner=(row.customer_name or "") if staff else "",
        owner_href=f"{base}?owner={row.customer_id}" if staff and row.customer_id else "",
    )


def counts_by_key(counts: Sequence[ServerCount]) -> dict[str, int]:
    """How many servers have each state key."""
    found: dict[str, int] = {}
    for count in counts:
        key = words.state_key(count.state, count.power)
        found[key] = found.get(key, 0) + count.n
    return found


def silent_since(rows: Sequence[ServerRow], now: datetime) -> datetime | None:
    """Since when the longest silent connection of these rows has not listed its servers; None when all is well."""
    lists = [row.list_at for row in rows if row.list_at is not None and now - row.list_at > words.STALE_AFTER]
    return min(lists, default=None)


def silent_words(rows: Sequence[ServerRow], now: datetime) -> str:
    """`silent_since` as a time of day, with its date when that is not today; empty when all is well."""
    since = silent_since(rows, now)
    if since is None:
        return ""
    return f"{since:%H:%M} UTC" if since.date() == now.date() else exact(since)


def _summary(known: Mapping[str, int]) -> str:
    total = _standing(known)
    text = ngettext("%(num)s server", "%(num)s servers", total, num=number(total))
    return gettext("%(servers)s, %(running)s running", servers=text, running=number(known.get("running", 0)))


def _standing(known: Mapping[str, int]) -> int:
    return sum(n for key, n in known.items() if key != "gone")


def _chips(wanted: Filter, known: Mapping[str, int]) -> list[Chip]:
    chips = [Chip(gettext("All"), wanted.link(state=""), _standing(known), not wanted.state)]
    return chips + [
        Chip(words.state_word(key), wanted.link(state=key), known.get(key, 0), wanted.state == key)
        for key in CHIPS
        if known.get(key) or wanted.state == key
    ]


def _column(wanted: Filter, label: str, sort: str = "", style: str = "") -> Column:
    if not sort:
        return Column(label, "", "", style)
    current = wanted.sort or "name"
    order = {sort: "ascending", f"-{sort}": "descending"}.get(current, "")
    turned = f"-{sort}" if current == sort else sort
    return Column(label, wanted.link(sort="" if turned == "name" else turned), order, style)


def _columns(wanted: Filter, *, staff: bool) -> list[Column]:
    """The heads; their classes say how wide a column is, and from which width of the window on it is shown."""
    customer = [_column(wanted, gettext("Customer"), style="h-customer")] if staff else []
    package = [] if staff else [_column(wanted, gettext("Package"), style="h-package nav:max-2xl:hidden")]
    return [
        _column(wanted, gettext("Server"), "name"),
        _column(wanted, gettext("State"), "state", "h-state"),
        *customer,
        _column(wanted, gettext("Address"), style="h-addr nav:max-[70rem]:hidden" if staff else "h-addr"),
        _column(wanted, gettext("Location"), style="h-place " + ("max-2xl:hidden" if staff else "max-xl:hidden")),
        *package,
        _column(
            wanted,
            gettext("Resources"),
            style="h-res " + ("nav:max-[82rem]:hidden" if staff else "nav:max-[72rem]:hidden"),
        ),
        _column(wanted, gettext("Created"), "createdAt", "h-date max-[88rem]:hidden"),
    ]


def _pages(wanted: Filter, pages: int) -> list[Chip | None]:
    """Links to the first, the last and the pages around this one; None is a gap."""
    if pages <= 1:
        return []
    shown = {1, pages, *range(max(1, wanted.page - AROUND), min(pages, wanted.page + AROUND) + 1)}
    found: list[Chip | None] = []
    before = 0
    for at in sorted(shown):
        if at > before + 1:
            found.append(None)
        found.append(Chip(str(at), wanted.link(page=at), None, at == wanted.page))
        before = at
    return found


def list_view(
    renderer: Renderer,
    wanted: Filter,
    listed: Listed[ServerRow],
    pending: Mapping[int, ActionKind],
    *,
    staff: bool = False,
) -> ListView:
    """A page of servers out of what was read; ``pending`` says what goes on, by server."""
    now = renderer.now()
    rows, total = listed.items, listed.total
    known = counts_by_key(listed.counts)
    first = wanted.paging.offset + 1 if rows else 0
    views = [row_view(wanted.base, row, now, staff=staff, kind=pending.get(row.id)) for row in rows]
    html = [renderer.cached_fragment("servers/_row.html", view) for view in views]
    return ListView(
        filter=wanted,
        summary=_summary(known),
        chips=_chips(wanted, known),
        columns=_columns(wanted, staff=staff),
        rows=Markup("").join(html),
        total=total,
        first=first,
        last=first + len(rows) - 1 if rows else 0,
        pages=_pages(wanted, -(-total // DEFAULT_PAGE_SIZE)),
        silent=silent_words(rows, now),
        staff=staff,
        owner=next((row.customer_name or "" for row in rows if row.customer_id == wanted.customer), ""),
        standing=_standing(known),
    )
