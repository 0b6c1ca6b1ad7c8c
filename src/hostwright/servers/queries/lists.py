"""Lists of servers: one statement for the rows, chosen from a fixed mapping of scope, filter and order."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, LiteralString

import msgspec

from hostwright.core.db import Db, Query
from hostwright.core.paging import Page
from hostwright.core.providers import Power, ServerState
from hostwright.core.scope import OwnedBy, Scope, Staff
from hostwright.core.text import containing
from hostwright.servers.records import PaletteRow, ServerCount, ServerRow
from hostwright.servers.schemas import AdminServerRead, ServerRead, Sort

EVERYBODY: Final = -1  # the totals' row of all customers; that of a connection is so much below it

# Looked up row by row: joined, a plan for an unknown limit reads whole tables first.
CUSTOMER: Final = "(select u.name from customers u where u.id = s.customer_id) as customer_name"
LOCATION: Final = "(select l.name from locations l where l.id = s.location_id) as location"
LISTED: Final = "(select c.last_list_at from connections c where c.id = s.connection_id)"

ROW_COLUMNS: Final = (
    "s.id, s.kind, s.connection_id, s.customer_id, "
    + CUSTOMER
    + """, s.name, s.hostname, s.state, s.power, s.busy, s.cores, s.memory_mib, s.disk_gib, s.operating_system, """
    + LOCATION
    + """, (select l.country from locations l where l.id = s.location_id) as country, s.package, s.primary_ipv4,
    s.primary_ipv6, s.created_at, s.state_observed_at, s.power_observed_at, """
    + LISTED
    + " as list_at, s.suspend_reason, s.cpu_throttle"
)

# A complete list says that a server still stands as it stood, without its row being written.
READ_COLUMNS: Final = (
    """s.id, s.kind, s.name, s.hostname, s.state, s.power, s.busy, s.cores, s.memory_mib, s.disk_gib,
    (select coalesce(jsonb_agg(jsonb_build_object('address', a.address, 'version', a.version, 'primary', a.is_primary)
        order by a.is_primary desc, a.version, a.id), '[]')
     from server_addresses a where a.server_id = s.id and a.released_at is null) as addresses,
    s.operating_system, """
    + LOCATION
    + """, s.package, s.created_at,
    case when s.state = 'gone' then s.state_observed_at else greatest(s.state_observed_at, """
    + LISTED
    + """) end as state_observed_at, s.power_observed_at, s.suspend_reason, s.cpu_throttle"""
)
ADMIN_COLUMNS: Final = READ_COLUMNS + ", s.customer_id, " + CUSTOMER + ", s.connection_id, s.external_id, s.hypervisor"

# Written as the trigram index has it.
SEARCHED: Final = """(lower(s.name) || ' ' || coalesce(lower(s.hostname), '') || ' ' || coalesce(s.primary_ipv4, '')
    || ' ' || coalesce(s.primary_ipv6, ''))"""

ORDERS: Final[dict[Sort, LiteralString]] = {
    Sort.NAME: "s.name, s.id",
    Sort.NAME_DOWN: "s.name desc, s.id desc",
    Sort.CREATED: "s.created_at, s.id",
    Sort.CREATED_DOWN: "s.created_at desc, s.id desc",
    Sort.STATE: "s.state, s.name, s.id",
    Sort.STATE_DOWN: "s.state desc, s.name desc, s.id desc",
}


class Match(msgspec.Struct, frozen=True):
    """A server that a search found, and how many it found."""

    id: int
    total: int


class Shape(msgspec.Struct, frozen=True):
    """A filter, and the numbers of the parameters after its own: whose servers and offset, or offset alone."""

    where: LiteralString
    whose: LiteralString
    narrow_offset: LiteralString
    offset: LiteralString


class Narrow(StrEnum):
    """Whose servers a list has: everybody's, one customer's, or those of one connection."""

    ALL = "all"
    CUSTOMER = "customer"
    CONNECTION = "connection"


WHOSE: Final[dict[Narrow, LiteralString]] = {
    Narrow.CUSTOMER: " and s.customer_id = ",
    Narrow.CONNECTION: " and s.connection_id = ",
}


# Each filter is a statement of its own, so that the plan can follow the index of its order. $1 is the limit.
FILTERS: Final[dict[str, Shape]] = {
    "all": Shape("s.state <> 'gone'", "$2", "$3", "$2"),
    "state": Shape("s.state = $2", "$3", "$4", "$3"),
    "power": Shape(
        "s.power = $2 and case when $3::text is null then s.state <> 'gone' else s.state = $3 end", "$4", "$5", "$4"
    ),
}


class ServerFilter(msgspec.Struct, frozen=True):
    """Which servers, in which order. Gone ones only when ``state`` asks for them.

    ``customer_id`` or else ``connection_id`` narrows what staff see; not both at once.
    """

    scope: Scope
    customer_id: int | None = None
    state: ServerState | None = None
    power: Power | None = None
    search: str = ""
    sort: str = "name"
    connection_id: int | None = None

    @property
    def owner(self) -> int | None:
        """The customer whose servers are meant, or None for all of them, which only staff can mean."""
        match self.scope:
            case OwnedBy(customer_id):
                return customer_id
            case Staff():
                return self.customer_id

    @property
    def narrow(self) -> tuple[Narrow, list[int]]:
        """Whose servers are meant, and the parameter that says it."""
        if self.owner is not None:
            return Narrow.CUSTOMER, [self.owner]
        if self.connection_id is not None:
            return Narrow.CONNECTION, [self.connection_id]
        return Narrow.ALL, []

    @property
    def pattern(self) -> str:
        """``search`` as a pattern that finds it anywhere."""
        return containing(self.search)


def _first(columns: LiteralString, where: LiteralString, order: LiteralString) -> LiteralString:
    """The first page. Its bound is a constant: without one every call is planned anew, which takes longer than it."""
    inner = "select * from servers s where " + where + " order by " + order + " limit 100"
    return "select " + columns + " from (" + inner + ") s order by " + order + " limit $1"


def _later(columns: LiteralString, where: LiteralString, order: LiteralString, offset: LiteralString) -> LiteralString:
    """Any page. It is cut first, so that what a row needs besides is read for its rows only."""
    inner = "select * from servers s where " + where + " order by " + order + " limit $1 offset " + offset
    return "select " + columns + " from (" + inner + ") s order by " + order


type Key = tuple[Narrow, str, Sort, bool]


class Family[R: msgspec.Struct](msgspec.Struct, frozen=True):
    """Every list of one shape: by whose, filter, order and first page; and the rows of what a search found."""

    lists: dict[Key, Query[R]]
    found: dict[Sort, Query[R]]


def _family[R: msgspec.Struct](record: type[R], columns: LiteralString) -> Family[R]:
    made: dict[Key, Query[R]] = {}
    for name, shape in FILTERS.items():
        for narrow in Narrow:
            where = shape.where + WHOSE[narrow] + shape.whose if narrow in WHOSE else shape.where
            offset = shape.narrow_offset if narrow in WHOSE else shape.offset
            for sort, order in ORDERS.items():
                made[narrow, name, sort, False] = Query(record, _later(columns, where, order, offset))
                made[narrow, name, sort, True] = Query(record, _first(columns, where, order))
    by_id = "select " + columns + " from servers s where s.id = any($1::bigint[]) order by "
    return Family(made, {sort: Query(record, by_id + order) for sort, order in ORDERS.items()})


_rows = _family(ServerRow, ROW_COLUMNS)
_reads = _family(ServerRead, READ_COLUMNS)
_admin_reads = _family(AdminServerRead, ADMIN_COLUMNS)

_counts = Query(
    ServerCount, "select state, power, n from server_counts where customer_id = $1 and n > 0 order by state, power"
)
# A search looks through its index once, for the rows of the page and for how many there are.
MATCHES: Final = (
    "select s.id, count(*) over () as total from servers s where "
    + SEARCHED
    + """ like $3 and case when $4::text is null then s.state <> 'gone' else s.state = $4 end
    and ($5::text is null or s.power = $5)"""
)
_matches: Final = {
    (narrow, sort): Query(
        Match,
        MATCHES + (WHOSE[narrow] + "$6" if narrow in WHOSE else "") + " order by " + order + " limit $1 offset $2",
    )
    for sort, order in ORDERS.items()
    for narrow in Narrow
}

# Found first and sorted then: otherwise a rare word is looked for along the names, through all rows.
_palette: Final = (
    "with found as materialized (select * from servers s where s.state <> 'gone' and " + SEARCHED + " like $1"
)
_palette_shown: Final = (
    " limit 1000) select s.id, s.name, s.state, s.power, s.primary_ipv4, "
    + CUSTOMER
    + " from found s order by s.name, s.id limit $2"
)
_palette_any = Query(PaletteRow, _palette + _palette_shown)
_palette_own = Query(PaletteRow, _palette + " and s.customer_id = $3" + _palette_shown)


class Listed[R: msgspec.Struct](msgspec.Struct):
    """A page of a list, how many rows there are on all pages, and the figures of the whole scope."""

    items: list[R]
    total: int
    counts: list[ServerCount]


def _choose[R: msgspec.Struct](family: Family[R], wanted: ServerFilter, page: Page) -> tuple[Query[R], list[object]]:
    arguments: list[object] = [page.limit]
    if wanted.power is not None:
        name = "power"
        arguments += [wanted.power, wanted.state]
    elif wanted.state is not None:
        name = "state"
        arguments += [wanted.state]
    else:
        name = "all"
    narrow, whose = wanted.narrow
    arguments += whose
    first = page.number == 1
    if not first:
        arguments.append(page.offset)
    return family.lists[narrow, name, Sort(wanted.sort), first], arguments


async def _search(db: Db, wanted: ServerFilter, limit: int, offset: int) -> list[Match]:
    narrow, whose = wanted.narrow
    query = _matches[narrow, Sort(wanted.sort)]
    return await query.all(db, limit, offset, wanted.pattern, wanted.state, wanted.power, *whose)


async def _list[R: msgspec.Struct](db: Db, family: Family[R], wanted: ServerFilter, page: Page) -> Listed[R]:
    counts = await list_counts(db, wanted)
    if not wanted.search:
        query, arguments = _choose(family, wanted, page)
        return Listed(await query.all(db, *arguments), _total(wanted, counts), counts)
    matches = await _search(db, wanted, page.limit, page.offset)
    if not matches and page.number > 1:  # past the end: only the first match still says how many there are
        first = await _search(db, wanted, 1, 0)
        return Listed([], first[0].total if first else 0, counts)
    items = await family.found[Sort(wanted.sort)].all(db, [match.id for match in matches]) if matches else []
    return Listed(items, matches[0].total if matches else 0, counts)


async def list_rows(db: Db, wanted: ServerFilter, page: Page) -> Listed[ServerRow]:
    """A page of servers for people; raises `ValueError` for an unknown order."""
    return await _list(db, _rows, wanted, page)


async def list_reads(db: Db, wanted: ServerFilter, page: Page) -> Listed[ServerRead]:
    """A page of servers as the API sends them."""
    return await _list(db, _reads, wanted, page)


async def list_admin_reads(db: Db, wanted: ServerFilter, page: Page) -> Listed[AdminServerRead]:
    """A page of servers as the API sends them to staff."""
    return await _list(db, _admin_reads, wanted, page)


async def list_counts(db: Db, wanted: ServerFilter) -> list[ServerCount]:
    """How many servers there are within the scope by state and power, gone ones included; filters do not count here."""
    narrow, whose = wanted.narrow
    match narrow:
        case Narrow.ALL:
            return await _counts.all(db, EVERYBODY)
        case Narrow.CUSTOMER:
            return await _counts.all(db, whose[0])
        case Narrow.CONNECTION:
            return await _counts.all(db, EVERYBODY - whose[0])


def _total(wanted: ServerFilter, counts: list[ServerCount]) -> int:
    """How many servers a list without a search has. Nothing is counted for it."""
    return sum(
        count.n
        for count in counts
        if (count.state is wanted.state if wanted.state is not None else count.state is not ServerState.GONE)
        and (wanted.power is None or count.power is wanted.power)
    )


async def palette(db: Db, scope: Scope, text: str, limit: int = 8) -> list[PaletteRow]:
    """Servers whose name, host name or address contains ``text``, by name."""
    pattern = ServerFilter(scope, search=text).pattern
    match scope:
        case OwnedBy(customer_id):
            return await _palette_own.all(db, pattern, limit, customer_id)
        case Staff():
            return await _palette_any.all(db, pattern, limit)
