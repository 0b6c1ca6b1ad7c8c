"""One action for many servers, and what staff see of VirtFusion itself."""

from typing import Annotated

from litestar import Controller
from litestar.params import FromPath, JSONBody, QueryParameter

from hostwright.core.db import LARGEST_ID, Database
from hostwright.identity.schemas import StaffViewer, Viewer
from hostwright.servers import service
from hostwright.servers.api.presenting import action_read
from hostwright.servers.ports import Providers
from hostwright.servers.records import ActionKind
from hostwright.servers.schemas.operations import (
    Bulk,
    BulkItem,
    BulkRead,
    QueueItem,
    StaffBulk,
    UpstreamRead,
)
from hostwright.servers.service.bulk import Outcome, Wish, dry_run, run_bulk
from hostwright.servers.service.upstream_view import read_queue_item, read_upstream
from hostwright.web.inject import Injected
from hostwright.web.openapi import get_op, post_op

READ = "read:servers"
WRITE = "write:servers"

ConnectionWanted = Annotated[
    int | None, QueryParameter(name="connectionId", ge=1, le=LARGEST_ID, description="Which VirtFusion's queue")
]


def _item(outcome: Outcome) -> BulkItem:
    refusal = outcome.refusal
    return BulkItem(
        server_id=outcome.server_id,
        name=outcome.name,
        taken=refusal is None,
        code=refusal.code if refusal else None,
        message=refusal.message if refusal else None,
        action=action_read(outcome.action) if outcome.action else None,
    )


async def _bulk(database: Database, viewer: Viewer, data: Bulk | StaffBulk) -> BulkRead:
    actor = service.actor_of(viewer)
    kind = ActionKind(data.action.value)
    if data.dry_run:
        async with database.acquire() as db:
            found = await dry_run(db, viewer.scope, data.ids, kind)
    else:
        reason = data.reason if isinstance(data, StaffBulk) else None
        found = await run_bulk(database, actor, viewer.scope, data.ids, Wish(kind, data.seen, reason))
    return BulkRead(
        dry_run=data.dry_run,
        seen=found.seen,
        taken=found.taken,
        refused=len(found.items) - found.taken,
        items=[_item(outcome) for outcome in found.items],
    )


class BulkApi(Controller):
    """Many of one's own servers at once."""

    path = "/api/user/servers"

    @post_op(
        "/bulk",
        op="bulkServers",
        summary="Start, shut down, restart or power off many servers",
        scope=WRITE,
        tag="Servers",
        errors=(409,),
    )
    async def bulk(self, database: Injected[Database], viewer: Injected[Viewer], data: JSONBody[Bulk]) -> BulkRead:
        """Up to 50; the answer says for each whether it was taken. Asking again returns what goes on already."""
        return await _bulk(database, viewer, data)


class AdminBulkApi(Controller):
    """Many servers at once, and the vendor's own view, for staff."""

    path = "/api/admin"

    @post_op(
        "/servers/bulk",
        op="bulkAnyServers",
        summary="Do one thing with many servers of any customer",
        auth="admin",
        scope=WRITE,
        tag="Servers (staff)",
        errors=(409,),
    )
    async def bulk(
        self, database: Injected[Database], viewer: Injected[StaffViewer], data: JSONBody[StaffBulk]
    ) -> BulkRead:
        """Up to 50. A dry run says what would happen; its `seen` binds the call that follows to what was seen."""
        return await _bulk(database, viewer, data)

    @get_op(
        "/servers/{server_id:int}/upstream",
        op="readServerUpstream",
        summary="Read what VirtFusion says about a server",
        auth="admin",
        scope=READ,
        tag="Servers (staff)",
        errors=(404, 409),
    )
    async def upstream(
        self,
        database: Injected[Database],
        viewer: Injected[StaffViewer],
        providers: Injected[Providers],
        server_id: FromPath[int],
    ) -> UpstreamRead:
        """Its own words, without secrets and pictures."""
        view = await read_upstream(database, providers, viewer.scope, server_id)
        return UpstreamRead(server_id=view.server_id, read_at=view.read_at, data=view.data)

    @get_op(
        "/queue/{queue_id:int}",
        op="readQueueItem",
        summary="Follow an action of ours in VirtFusion's queue",
        auth="admin",
        scope=READ,
        tag="Servers (staff)",
        errors=(404,),
    )
    async def queue_item(
        self,
        database: Injected[Database],
        viewer: Injected[StaffViewer],
        providers: Injected[Providers],
        queue_id: FromPath[int],
        connection_id: ConnectionWanted = None,
    ) -> QueueItem:
        """The latest action of ours with this number there; 404 for a number that none of ours has."""
        del viewer
        look = await read_queue_item(database, providers, queue_id, connection_id)
        row, progress = look.row, look.progress
        return QueueItem(
            queue_id=queue_id,
            connection_id=row.connection_id,
            server_id=row.server_id,
            action_id=row.id,
            kind=row.kind,
            state=row.state,
            requested_at=row.requested_at,
            finished=progress.finished if progress else None,
            failed=progress.failed if progress else None,
            progress=progress.progress if progress else None,
            error=progress.error if progress else None,
        )
