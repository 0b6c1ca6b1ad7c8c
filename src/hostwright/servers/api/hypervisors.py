"""Hypervisors over HTTP, for staff."""

from typing import Annotated

from litestar import Controller
from litestar.params import QueryParameter

from hostwright.core.db import LARGEST_ID, Db, Tx
from hostwright.core.paging import Page, pagination
from hostwright.core.text import storable
from hostwright.identity.schemas import StaffViewer
from hostwright.servers.api.parameters import PageNumber, PageSize
from hostwright.servers.queries import hypervisors as statements
from hostwright.servers.queries.hypervisors import HypervisorRow, Wanted
from hostwright.servers.schemas.hypervisors import (
    CapacityRead,
    HypervisorGroupRead,
    HypervisorList,
    HypervisorRead,
    SyncRead,
)
from hostwright.servers.service import actor_of
from hostwright.servers.service.hypervisors import queue_sync
from hostwright.web.inject import Injected
from hostwright.web.openapi import get_op, post_op

TAG = "Hypervisors"

ConnectionWanted = Annotated[
    int | None, QueryParameter(name="connectionId", ge=1, le=LARGEST_ID, description="Only of this connection")
]
GroupWanted = Annotated[
    str | None, QueryParameter(name="groupId", max_length=100, description="Only this group; empty: those in none")
]


def _capacity(allocated: int | None, limit: int | None) -> CapacityRead | None:
    return None if allocated is None else CapacityRead(allocated, limit)


def _read(row: HypervisorRow) -> HypervisorRead:
    return HypervisorRead(
        id=row.id,
        connection_id=row.connection_id,
        connection_name=row.connection_name,
        external_id=row.external_id,
        name=row.name,
        group_id=row.group_id,
        group_name=row.group_name,
        enabled=row.enabled,
        maintenance=row.maintenance,
        servers=_capacity(row.servers_allocated, row.servers_limit),
        memory_mib=_capacity(row.memory_allocated_mib, row.memory_limit_mib),
        cores=_capacity(row.cores_allocated, row.cores_limit),
        storage_gib=_capacity(row.storage_allocated_gib, row.storage_limit_gib),
        found_at=row.found_at,
        missing_since=row.missing_since,
        listed_at=row.list_at,
    )


class HypervisorsApi(Controller):
    """The machines that carry servers."""

    path = "/api/admin/hypervisors"

    @get_op(
        "",
        op="listHypervisors",
        summary="List hypervisors with their groups",
        auth="admin",
        scope="read:servers",
        tag=TAG,
        errors=(400,),
    )
    async def list_hypervisors(
        self,
        db: Injected[Db],
        viewer: Injected[StaffViewer],
        page: PageNumber = 1,
        page_size: PageSize = 20,
        connection_id: ConnectionWanted = None,
        group_id: GroupWanted = None,
    ) -> HypervisorList:
        """By connection, group and name, as they were listed last. Never asks VirtFusion."""
        del viewer
        part = Page(page, page_size)
        group = None if group_id is None else storable(group_id)
        rows, total = await statements.hypervisor_page(db, Wanted(connection_id, group), part)
        groups = [
            HypervisorGroupRead(one.connection_id, one.connection_name, one.group_id, one.group_name, one.n)
            for one in await statements.groups.all(db)
        ]
        return HypervisorList([_read(row) for row in rows], pagination(part, total), groups)

    @post_op(
        "/sync",
        op="syncHypervisors",
        summary="List hypervisors anew",
        auth="admin",
        scope="write:servers",
        tag=TAG,
        status=202,
    )
    async def sync(self, tx: Injected[Tx], viewer: Injected[StaffViewer]) -> SyncRead:
        """Queues one list per connection that is on, within its call budget."""
        return SyncRead(*await queue_sync(tx, actor_of(viewer)))
