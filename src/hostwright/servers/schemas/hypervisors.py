"""What the API of hypervisors speaks."""

from __future__ import annotations

from datetime import datetime

import msgspec

from hostwright.core.paging import Pagination


class CapacityRead(msgspec.Struct, frozen=True):
    """How much is given away; ``limit`` null: without limit."""

    allocated: int
    limit: int | None


class HypervisorRead(msgspec.Struct, frozen=True, rename="camel"):
    """A machine that carries servers. Null figures were not told. ``missingSince``: lists do not show it any more."""

    id: int
    connection_id: int
    connection_name: str
    external_id: int
    name: str
    group_id: str | None
    group_name: str | None
    enabled: bool
    maintenance: bool
    servers: CapacityRead | None
    memory_mib: CapacityRead | None
    cores: CapacityRead | None
    storage_gib: CapacityRead | None
    found_at: datetime
    missing_since: datetime | None
    listed_at: datetime | None


class HypervisorGroupRead(msgspec.Struct, frozen=True, rename="camel"):
    """A group of hypervisors at one connection; null: those in no group."""

    connection_id: int
    connection_name: str
    group_id: str | None
    group_name: str | None
    hypervisors: int


class HypervisorList(msgspec.Struct, frozen=True):
    """A page of hypervisors, and all groups."""

    items: list[HypervisorRead]
    pagination: Pagination
    groups: list[HypervisorGroupRead]


class SyncRead(msgspec.Struct, frozen=True):
    """Connections whose hypervisors are listed as soon as a worker is free; ``waiting`` were queued before."""

    queued: list[int]
    waiting: list[int]
