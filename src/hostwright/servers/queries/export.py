"""Servers for a table in a file: which ones is read once, the rows part by part."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from hostwright.core.db import Db, Query, Scalar
from hostwright.core.providers import Power, ServerState
from hostwright.core.scope import OwnedBy, Staff
from hostwright.servers.queries.lists import CUSTOMER, LOCATION, ORDERS, SEARCHED, ServerFilter
from hostwright.servers.schemas import Sort

MOST: Final = 200_000


class ExportRow(msgspec.Struct, frozen=True):
    """A server as a file has it. A ``traffic_limit_gb`` of 0 is unmetered."""

    id: int
    name: str
    hostname: str | None
    state: ServerState
    power: Power
    primary_ipv4: str | None
    primary_ipv6: str | None
    operating_system: str | None
    package: str | None
    location: str | None
    cores: int | None
    memory_mib: int | None
    disk_gib: int | None
    traffic_limit_gb: int | None
    created_at: datetime
    customer_id: int | None
    customer_name: str | None
    connection_name: str
    external_id: int
    hypervisor: str | None


_MATCHES: Final = (
    """select s.id from servers s where case when $1::text is null then s.state <> 'gone' else s.state = $1 end
    and ($2::text is null or s.power = $2) and ($3::text is null or """
    + SEARCHED
    + " like $3) and "
)
_any_ids: Final = {
    sort: Scalar(
        int,
        _MATCHES
        + "($4::bigint is null or s.customer_id = $4) and ($6::bigint is null or s.connection_id = $6) order by "
        + order
        + " limit $5",
    )
    for sort, order in ORDERS.items()
}
_own_ids: Final = {
    sort: Scalar(int, _MATCHES + "s.customer_id = $4 order by " + order + " limit $5") for sort, order in ORDERS.items()
}

_ROWS: Final = (
    """select s.id, s.name, s.hostname, s.state, s.power, s.primary_ipv4, s.primary_ipv6, s.operating_system, s.package,
    """
    + LOCATION
    + ", s.cores, s.memory_mib, s.disk_gib, s.traffic_limit_gb, s.created_at, s.customer_id, "
    + CUSTOMER
    + """, (select c.name from connections c where c.id = s.connection_id) as connection_name, s.external_id,
    s.hypervisor from unnest($1::bigint[]) with ordinality as o (id, n) join servers s on s.id = o.id"""
)
_any_rows = Query(ExportRow, _ROWS + " order by o.n")
_own_rows = Query(ExportRow, _ROWS + " where s.customer_id = $2 order by o.n")


async def ids_for(db: Db, wanted: ServerFilter) -> list[int]:
    """The ids of all servers that a list with this filter has on all its pages, in its order; 200,000 at most."""
    pattern = wanted.pattern if wanted.search else None
    sort, arguments = Sort(wanted.sort), (wanted.state, wanted.power, pattern, wanted.owner, MOST)
    if isinstance(wanted.scope, OwnedBy):
        return await _own_ids[sort].all(db, *arguments)
    return await _any_ids[sort].all(db, *arguments, wanted.connection_id)


async def rows_for(db: Db, wanted: ServerFilter, ids: Sequence[int]) -> list[ExportRow]:
    """These servers, in this order, without those that have left the scope meanwhile."""
    match wanted.scope:
        case OwnedBy(customer_id):
            return await _own_rows.all(db, list(ids), customer_id)
        case Staff():
            return await _any_rows.all(db, list(ids))
