"""The machines that carry servers: what the vendor told of them, and who is on one."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from hostwright.core.db import Command, Db, Query, Scalar
from hostwright.core.paging import Page
from hostwright.core.providers import Power, ServerState


class HypervisorRow(msgspec.Struct, frozen=True):
    """A hypervisor. A figure that is None was not told; a limit that is None beside one that is not: without limit."""

    id: int
    connection_id: int
    connection_name: str
    external_id: int
    name: str
    group_id: str | None
    group_name: str | None
    enabled: bool
    maintenance: bool
    servers_allocated: int | None
    servers_limit: int | None
    memory_allocated_mib: int | None
    memory_limit_mib: int | None
    cores_allocated: int | None
    cores_limit: int | None
    storage_allocated_gib: int | None
    storage_limit_gib: int | None
    found_at: datetime
    missing_since: datetime | None
    list_at: datetime | None


class GroupRow(msgspec.Struct, frozen=True):
    """A group of hypervisors at one connection, and how many are in it."""

    connection_id: int
    connection_name: str
    group_id: str | None
    group_name: str | None
    n: int


class SyncState(msgspec.Struct, frozen=True):
    """How current the list of one connection's hypervisors is."""

    id: int
    name: str
    enabled: bool
    hypervisors_at: datetime | None
    hypervisors_error: str | None


class GuestRow(msgspec.Struct, frozen=True):
    """A server on a hypervisor and whose it is."""

    id: int
    name: str
    state: ServerState
    power: Power
    customer_id: int | None
    customer_name: str | None
    primary_ipv4: str | None
    memory_mib: int | None
    cores: int | None
    disk_gib: int | None


COLUMNS: Final = """h.id, h.connection_id, c.name as connection_name, h.external_id, h.name, h.group_id, h.group_name,
    h.enabled, h.maintenance, h.servers_allocated, h.servers_limit, h.memory_allocated_mib, h.memory_limit_mib,
    h.cores_allocated, h.cores_limit, h.storage_allocated_gib, h.storage_limit_gib, h.found_at, h.missing_since,
    c.hypervisors_at as list_at
    from hypervisors h join connections c on c.id = h.connection_id """
# $1 and $2 narrow to a connection and a group; an empty group is those that are in none.
NARROWED: Final = (
    "where ($1::bigint is null or h.connection_id = $1) and ($2::text is null or coalesce(h.group_id, '') = $2) "
)

_page = Query(
    HypervisorRow,
    "select "
    + COLUMNS
    + NARROWED
    + """order by c.name, h.connection_id, h.group_name nulls last, h.group_id nulls last, h.name, h.id
    limit $3 offset $4""",
)
_total = Scalar(int, "select count(*) from hypervisors h " + NARROWED)
one = Query(HypervisorRow, "select " + COLUMNS + "where h.id = $1")
groups = Query(
    GroupRow,
    """select h.connection_id, c.name as connection_name, h.group_id, max(h.group_name) as group_name, count(*) as n
    from hypervisors h join connections c on c.id = h.connection_id
    group by h.connection_id, c.name, h.group_id order by c.name, h.connection_id, max(h.group_name), h.group_id""",
)
sync_states = Query(
    SyncState, "select id, name, enabled, hypervisors_at, hypervisors_error from connections order by name, id"
)

# Servers name their hypervisor as the vendor calls it: the name is the link, within one connection.
_ON: Final = "s.connection_id = $1 and s.hypervisor = $2 and s.state <> 'gone'"
_guests = Query(
    GuestRow,
    """select s.id, s.name, s.state, s.power, s.customer_id,
        (select u.name from customers u where u.id = s.customer_id) as customer_name, s.primary_ipv4, s.memory_mib,
        s.cores, s.disk_gib
    from servers s where """
    + _ON
    + " order by s.name, s.id limit $3 offset $4",
)
_guest_total = Scalar(int, "select count(*) from servers s where " + _ON)
customers_on = Scalar(int, "select count(distinct s.customer_id) from servers s where " + _ON)
# Owners of the customers, each once; whoever was disabled gets no mail either.
emails_on = Scalar(
    str,
    "select distinct lower(u.email) as email from servers s join members m on m.customer_id = s.customer_id and "
    "m.role = 'owner' join users u on u.id = m.user_id and u.disabled_at is null where " + _ON + " order by 1",
)

# --- taking a complete list over
groups_known = Scalar(int, "select count(distinct group_id) from hypervisors where connection_id = $1")
# Also locks the connection's row: of two lists the one begun later stays, whichever ends first.
begin_list = Command(
    """update connections set hypervisors_at = $2, hypervisors_error = null
    where id = $1 and (hypervisors_at is null or hypervisors_at < $2)"""
)
list_failed = Command(
    "update connections set hypervisors_error = $3 where id = $1 and (hypervisors_at is null or hypervisors_at < $2)"
)
_FIGURES: Final = """name, group_id, group_name, enabled, maintenance, servers_allocated, servers_limit,
    memory_allocated_mib, memory_limit_mib, cores_allocated, cores_limit, storage_allocated_gib, storage_limit_gib"""
merge = Command(
    "insert into hypervisors as h (connection_id, external_id, found_at, "
    + _FIGURES
    + """)
    select $1, l.external_id, $2, l.name, l.group_id, l.group_name, l.enabled, l.maintenance, l.servers_allocated,
        l.servers_limit, l.memory_allocated_mib, l.memory_limit_mib, l.cores_allocated, l.cores_limit,
        l.storage_allocated_gib, l.storage_limit_gib
    from unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::bool[], $8::bool[], $9::bigint[], $10::bigint[],
        $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[]) as l (external_id, """
    + _FIGURES
    + """)
    order by l.external_id
    on conflict (connection_id, external_id) do update set name = excluded.name, group_id = excluded.group_id,
        group_name = excluded.group_name, enabled = excluded.enabled, maintenance = excluded.maintenance,
        servers_allocated = excluded.servers_allocated, servers_limit = excluded.servers_limit,
        memory_allocated_mib = excluded.memory_allocated_mib, memory_limit_mib = excluded.memory_limit_mib,
        cores_allocated = excluded.cores_allocated, cores_limit = excluded.cores_limit,
        storage_allocated_gib = excluded.storage_allocated_gib, storage_limit_gib = excluded.storage_limit_gib,
        missing_since = null
    where (h.name, h.group_id, h.group_name, h.enabled, h.maintenance, h.servers_allocated, h.servers_limit,
        h.memory_allocated_mib, h.memory_limit_mib, h.cores_allocated, h.cores_limit, h.storage_allocated_gib,
        h.storage_limit_gib, h.missing_since)
        is distinct from (excluded.name, excluded.group_id, excluded.group_name, excluded.enabled, excluded.maintenance,
        excluded.servers_allocated, excluded.servers_limit, excluded.memory_allocated_mib, excluded.memory_limit_mib,
        excluded.cores_allocated, excluded.cores_limit, excluded.storage_allocated_gib, excluded.storage_limit_gib,
        null)"""
)
mark_missing = Command(
    """update hypervisors set missing_since = $2
    where connection_id = $1 and missing_since is null and not external_id = any($3::bigint[])"""
)


class Wanted(msgspec.Struct, frozen=True):
    """Which hypervisors. ``group_id`` "" is those in no group."""

    connection_id: int | None = None
    group_id: str | None = None


async def hypervisor_page(db: Db, wanted: Wanted, page: Page) -> tuple[list[HypervisorRow], int]:
    """A page of hypervisors, by connection, group and name, and how many there are."""
    rows = await _page.all(db, wanted.connection_id, wanted.group_id, page.limit, page.offset)
    return rows, await _total.value(db, wanted.connection_id, wanted.group_id)


async def guests_of(db: Db, row: HypervisorRow, page: Page) -> tuple[list[GuestRow], int]:
    """A page of the servers on a hypervisor, by name, and how many there are."""
    found = await _guests.all(db, row.connection_id, row.name, page.limit, page.offset)
    return found, await _guest_total.value(db, row.connection_id, row.name)
