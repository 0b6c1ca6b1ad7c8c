"""Who had an address then, over HTTP, for staff. Each call stands in the audit log with its reason."""

from typing import Annotated

from litestar import Controller
from litestar.params import QueryParameter

from hostwright.core.clock import SystemClock
from hostwright.core.db import Tx
from hostwright.core.paging import Page, pagination
from hostwright.identity.schemas import StaffViewer
from hostwright.servers.api.parameters import PageNumber, PageSize
from hostwright.servers.queries.addresses import HeldRow
from hostwright.servers.schemas.addresses import HeldList, HeldRead
from hostwright.servers.service import actor_of
from hostwright.servers.service.addresses import look_up, read_question
from hostwright.web.inject import Injected
from hostwright.web.openapi import get_op

AddressWanted = Annotated[
    str, QueryParameter(name="address", max_length=100, description="An address, or a network such as 192.0.2.0/24")
]
Moment = Annotated[str, QueryParameter(name="at", max_length=40, description="At this time, or on this day (UTC)")]
Start = Annotated[str, QueryParameter(name="from", max_length=40, description="From this time or day on")]
End = Annotated[str, QueryParameter(name="to", max_length=40, description="Until this time or day, included")]
Reason = Annotated[
    str, QueryParameter(name="reason", max_length=1000, description="Why you ask; it stands in the audit log")
]


def _read(row: HeldRow) -> HeldRead:
    return HeldRead(
        address=row.address,
        server_id=row.server_id,
        server_name=row.server_name,
        server_state=row.server_state,
        connection_name=row.connection_name,
        customer_id=row.customer_id,
        customer_name=row.customer_name,
        since=row.since,
        last_seen_at=row.last_seen_at,
        until=row.until,
    )


class AddressesApi(Controller):
    """Address history."""

    path = "/api/admin/addresses"

    @get_op(
        "",
        op="listAddressHistory",
        summary="Say who had an address",
        auth="admin",
        scope="read:servers",
        tag="Address history",
        errors=(400,),
    )
    async def list_history(  # noqa: PLR0913  one parameter each
        self,
        tx: Injected[Tx],
        viewer: Injected[StaffViewer],
        address: AddressWanted = "",
        at: Moment = "",
        start: Start = "",
        end: End = "",
        reason: Reason = "",
        page: PageNumber = 1,
        page_size: PageSize = 20,
    ) -> HeldList:
        """Newest first. Changes nothing, but who asked for what and why is written down."""
        values = {"address": address, "at": at, "from": start, "to": end, "reason": reason}
        asked = read_question(values, SystemClock().now())
        part = Page(page, page_size)
        rows, total = await look_up(tx, actor_of(viewer), asked, part)
        return HeldList([_read(row) for row in rows], pagination(part, total))
