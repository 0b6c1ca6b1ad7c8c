"""Who had an address: at a moment, over a time, or ever."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from hostwright.core.db import Db, Query, Scalar
from hostwright.core.paging import Page
from hostwright.core.providers import ServerState


class HeldRow(msgspec.Struct, frozen=True):
    """An address of a server for as long as one customer had both. ``until`` None: it is so today."""

    id: int
    address: str
    server_id: int
    server_name: str
    server_state: ServerState
    connection_name: str
    customer_id: int | None
    customer_name: str | None
    customer_number: int | None
    since: datetime
    last_seen_at: datetime
    until: datetime | None


class Held(msgspec.Struct, frozen=True):
    """What is looked for: an address or a network, and from when until when; None is without an end."""

    address: str
    start: datetime | None = None
    end: datetime | None = None


# Overlapping: an address within a network that a server has, and what a server has of a network that is asked for.
_WHERE: Final = """where address_range(a.address) && $1::inet and ($3::timestamptz is null or a.first_seen_at <= $3)
    and ($2::timestamptz is null or a.released_at is null or a.released_at > $2)"""
_page = Query(
    HeldRow,
    """select a.id, a.address, a.server_id, s.name as server_name, s.state as server_state,
        c.name as connection_name, a.customer_id, u.name as customer_name, u.number as customer_number,
        a.first_seen_at as since, a.last_seen_at, a.released_at as until
    from (select * from server_addresses a """
    + _WHERE
    + """ order by a.first_seen_at desc, a.id desc limit $4 offset $5) a
    join servers s on s.id = a.server_id join connections c on c.id = s.connection_id
    left join customers u on u.id = a.customer_id
    order by a.first_seen_at desc, a.id desc""",
)
_total = Scalar(int, "select count(*) from server_addresses a " + _WHERE)


async def held(db: Db, wanted: Held, page: Page) -> tuple[list[HeldRow], int]:
    """A page of who had it, newest first, and how many lines there are."""
    rows = await _page.all(db, wanted.address, wanted.start, wanted.end, page.limit, page.offset)
    return rows, await _total.value(db, wanted.address, wanted.start, wanted.end)


async def all_held(db: Db, wanted: Held, most: int) -> list[HeldRow]:
    """At most ``most`` lines, newest first."""
    return await _page.all(db, wanted.address, wanted.start, wanted.end, most, 0)
