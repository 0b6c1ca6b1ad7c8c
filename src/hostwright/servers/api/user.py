"""A customer's own servers."""

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody

from hostwright.core.db import Database, Db, Tx
from hostwright.core.paging import Page, pagination
from hostwright.core.providers import PowerAction
from hostwright.identity.schemas import Viewer
from hostwright.servers import queries, service
from hostwright.servers.api.parameters import (
    CursorWanted,
    EndDate,
    PageNumber,
    PageSize,
    PowerWanted,
    Search,
    SortWanted,
    StartDate,
    StateWanted,
    TypeWanted,
)
from hostwright.servers.api.presenting import (
    action_read,
    log_filter,
    log_list,
    server_detail,
    statistics,
    traffic_read,
)
from hostwright.servers.ports import Providers
from hostwright.servers.queries import ServerFilter
from hostwright.servers.schemas import (
    ActionRead,
    LogList,
    NewPassword,
    ServerDetail,
    ServerList,
    Sort,
    TrafficRead,
)
from hostwright.servers.schemas.operations import Rename
from hostwright.servers.service import operations
from hostwright.web.inject import Injected
from hostwright.web.openapi import get_op, patch_op, post_op

TAG = "Servers"
READ = "read:servers"
WRITE = "write:servers"


class ServersApi(Controller):
    """What a customer can do with their servers."""

    path = "/api/user/servers"

    @get_op("", op="listServers", summary="List your servers", scope=READ, tag=TAG, errors=(400,))
    async def list_servers(  # noqa: PLR0913  one parameter each
        self,
        db: Injected[Db],
        viewer: Injected[Viewer],
        page: PageNumber = 1,
        page_size: PageSize = 20,
        search: Search = "",
        state_wanted: StateWanted = None,
        power: PowerWanted = None,
        sort: SortWanted = Sort.NAME,
    ) -> ServerList:
        """A page of the customer's servers. Never asks VirtFusion."""
        wanted = ServerFilter(viewer.scope, None, state_wanted, power, search.strip(), sort)
        part = Page(page, page_size)
        listed = await queries.list_reads(db, wanted, part)
        return ServerList(listed.items, pagination(part, listed.total), statistics(listed.counts))

    @get_op("/{server_id:int}", op="getServer", summary="Read a server", scope=READ, tag=TAG, errors=(404,))
    async def read_server(self, db: Injected[Db], viewer: Injected[Viewer], server_id: FromPath[int]) -> ServerDetail:
        """One server, with what goes on with it."""
        read = await queries.own_read(db, viewer.customer_id, server_id)
        await service.note_viewed(db, [server_id])
        return server_detail(read, await queries.pending_for(db, viewer.scope, server_id))

    @patch_op(
        "/{server_id:int}",
        op="renameServer",
        summary="Rename a server",
        scope=WRITE,
        tag=TAG,
        errors=(404, 409),
        status=202,
    )
    async def rename(
        self, tx: Injected[Tx], viewer: Injected[Viewer], server_id: FromPath[int], data: JSONBody[Rename]
    ) -> ActionRead:
        """Ask for another name; the old one is shown until VirtFusion has it."""
        server = await queries.locked_server(tx, viewer.scope, server_id)
        return action_read(await operations.rename_server(tx, service.actor_of(viewer), server, data.name))

    @post_op(
        "/{server_id:int}/power/{action:str}",
        op="powerServer",
        summary="Start, shut down, restart or power off a server",
        scope=WRITE,
        tag=TAG,
        errors=(400, 404, 409),
        status=202,
    )
    async def power(
        self, tx: Injected[Tx], viewer: Injected[Viewer], server_id: FromPath[int], action: FromPath[PowerAction]
    ) -> ActionRead:
        """Ask for a power action; follow it by its id. Asking again while it is pending returns it."""
        server = await queries.locked_server(tx, viewer.scope, server_id)
        return action_read(await service.request_power(tx, service.actor_of(viewer), server, action))

    @get_op(
        "/{server_id:int}/actions/{action_id:int}",
        op="getServerAction",
        summary="Follow an action",
        scope=READ,
        tag=TAG,
        errors=(404,),
    )
    async def read_action(
        self, db: Injected[Db], viewer: Injected[Viewer], server_id: FromPath[int], action_id: FromPath[int]
    ) -> ActionRead:
        """How far an action is, or how it ended."""
        return action_read(await queries.action_for(db, viewer.scope, server_id, action_id))

    @get_op(
        "/{server_id:int}/traffic",
        op="getServerTraffic",
        summary="Read a server's traffic",
        scope=READ,
        tag=TAG,
        errors=(404, 409),
    )
    async def traffic(
        self,
        database: Injected[Database],
        viewer: Injected[Viewer],
        providers: Injected[Providers],
        server_id: FromPath[int],
    ) -> TrafficRead:
        """Traffic by period. Asks VirtFusion; 503 when that does not answer."""
        return traffic_read(await service.read_traffic(database, providers, viewer.scope, server_id))

    @get_op(
        "/{server_id:int}/logs",
        op="listServerLogs",
        summary="Read a server's activity",
        scope=READ,
        tag=TAG,
        errors=(400, 404),
    )
    async def logs(  # noqa: PLR0913  one parameter each
        self,
        db: Injected[Db],
        viewer: Injected[Viewer],
        server_id: FromPath[int],
        cursor: CursorWanted = None,
        page_size: PageSize = 20,
        action_type: TypeWanted = None,
        start_date: StartDate = None,
        end_date: EndDate = None,
    ) -> LogList:
        """Activity, newest first."""
        wanted = log_filter(cursor, action_type, start_date, end_date)
        await queries.server_for(db, viewer.scope, server_id)
        return log_list(await queries.activity(db, viewer.scope, server_id, wanted, page_size + 1), page_size)

    @post_op(
        "/{server_id:int}/reset-password",
        op="resetServerPassword",
        summary="Set a new password for the main account",
        scope=WRITE,
        tag=TAG,
        errors=(404, 409, 502),
    )
    async def reset_password(
        self,
        database: Injected[Database],
        viewer: Injected[Viewer],
        providers: Injected[Providers],
        server_id: FromPath[int],
    ) -> Response[NewPassword]:
        """The new password is in this answer and nowhere else."""
        actor = service.actor_of(viewer)
        password = await service.reset_password(database, providers, actor, viewer.scope, server_id)
        return Response(password, headers={"Cache-Control": "no-store"})
