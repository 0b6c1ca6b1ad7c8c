"""All servers, for staff."""

from litestar import Controller
from litestar.params import FromPath, JSONBody

from hostwright.core.db import Db, Tx
from hostwright.core.errors import FieldProblem, Invalid
from hostwright.core.paging import Page, pagination
from hostwright.core.providers import PowerAction
from hostwright.identity.schemas import StaffViewer
from hostwright.servers import queries, service
from hostwright.servers.api.parameters import (
    ConnectionWanted,
    CustomerWanted,
    PageNumber,
    PageSize,
    PowerWanted,
    Search,
    SortWanted,
    StateWanted,
)
from hostwright.servers.api.presenting import (
    action_read,
    admin_server_detail,
    statistics,
)
from hostwright.servers.queries import ServerFilter
from hostwright.servers.schemas import (
    ActionRead,
    AdminServerDetail,
    AdminServerList,
    Sort,
)
from hostwright.servers.schemas.operations import Rename
from hostwright.servers.service import operations
from hostwright.web.inject import Injected
from hostwright.web.openapi import get_op, patch_op, post_op

TAG = "Servers (staff)"
READ = "read:servers"
WRITE = "write:servers"


async def _ask(tx: Tx, viewer: StaffViewer, server_id: int, action: PowerAction) -> ActionRead:
    server = await queries.locked_server(tx, viewer.scope, server_id)
    return action_read(await service.request_power(tx, service.actor_of(viewer), server, action))


class AdminServersApi(Controller):
    """What staff can do with every server."""

    path = "/api/admin/servers"

    @get_op("", op="listAllServers", summary="List all servers", auth="admin", scope=READ, tag=TAG, errors=(400,))
    async def list_servers(  # noqa: PLR0913  one parameter each
        self,
        db: Injected[Db],
        viewer: Injected[StaffViewer],
        page: PageNumber = 1,
        page_size: PageSize = 20,
        search: Search = "",
        state_wanted: StateWanted = None,
        power: PowerWanted = None,
        sort: SortWanted = Sort.NAME,
        customer_id: CustomerWanted = None,
        connection_id: ConnectionWanted = None,
    ) -> AdminServerList:
        """A page of servers of all customers. Never asks VirtFusion."""
        if customer_id is not None and connection_id is not None:
            raise Invalid([FieldProblem("connectionId", "cannot be combined with customerId")])
        wanted = ServerFilter(viewer.scope, customer_id, state_wanted, power, search.strip(), sort, connection_id)
        part = Page(page, page_size)
        listed = await queries.list_admin_reads(db, wanted, part)
        return AdminServerList(listed.items, pagination(part, listed.total), statistics(listed.counts))

    @get_op(
        "/{server_id:int}",
        op="getAnyServer",
        summary="Read any server",
        auth="admin",
        scope=READ,
        tag=TAG,
        errors=(404,),
    )
    async def read_server(
        self, db: Injected[Db], viewer: Injected[StaffViewer], server_id: FromPath[int]
    ) -> AdminServerDetail:
        """One server, with what goes on with it."""
        del viewer
        read = await queries.admin_read(db, server_id)
        await service.note_viewed(db, [server_id])
        return admin_server_detail(read, await queries.pending_action(db, server_id))

    @patch_op(
        "/{server_id:int}",
        op="renameAnyServer",
        summary="Rename any server",
        auth="admin",
        scope=WRITE,
        tag=TAG,
        errors=(404, 409),
        status=202,
    )
    async def rename(
        self, tx: Injected[Tx], viewer: Injected[StaffViewer], server_id: FromPath[int], data: JSONBody[Rename]
    ) -> ActionRead:
        """Ask for another name; the old one is shown until VirtFusion has it."""
        server = await queries.locked_server(tx, viewer.scope, server_id)
        return action_read(await operations.rename_server(tx, service.actor_of(viewer), server, data.name))

    @get_op(
        "/{server_id:int}/actions/{action_id:int}",
        op="getAnyServerAction",
        summary="Follow an action on any server",
        auth="admin",
        scope=READ,
        tag=TAG,
        errors=(404,),
    )
    async def read_action(
        self, db: Injected[Db], viewer: Injected[StaffViewer], server_id: FromPath[int], action_id: FromPath[int]
    ) -> ActionRead:
        """How far an action is, or how it ended."""
        return action_read(await queries.action_for(db, viewer.scope, server_id, action_id))

    @post_op(
        "/{server_id:int}/boot",
        op="bootAnyServer",
        summary="Start any server",
        auth="admin",
        scope=WRITE,
        tag=TAG,
        errors=(404, 409),
        status=202,
    )
    async def boot(self, tx: Injected[Tx], viewer: Injected[StaffViewer], server_id: FromPath[int]) -> ActionRead:
        """Start it."""
        return await _ask(tx, viewer, server_id, PowerAction.BOOT)

    @post_op(
        "/{server_id:int}/shutdown",
        op="shutDownAnyServer",
        summary="Shut any server down",
        auth="admin",
        scope=WRITE,
        tag=TAG,
        errors=(404, 409),
        status=202,
    )
    async def shutdown(self, tx: Injected[Tx], viewer: Injected[StaffViewer], server_id: FromPath[int]) -> ActionRead:
        """Ask its system to shut down."""
        return await _ask(tx, viewer, server_id, PowerAction.SHUTDOWN)

    @post_op(
        "/{server_id:int}/restart",
        op="restartAnyServer",
        summary="Restart any server",
        auth="admin",
        scope=WRITE,
        tag=TAG,
        errors=(404, 409),
        status=202,
    )
    async def restart(self, tx: Injected[Tx], viewer: Injected[StaffViewer], server_id: FromPath[int]) -> ActionRead:
        """Restart it."""
        return await _ask(tx, viewer, server_id, PowerAction.RESTART)

    @post_op(
        "/{server_id:int}/power-off",
        op="powerOffAnyServer",
        summary="Power any server off",
        auth="admin",
        scope=WRITE,
        tag=TAG,
        errors=(404, 409),
        status=202,
    )
    async def power_off(self, tx: Injected[Tx], viewer: Injected[StaffViewer], server_id: FromPath[int]) -> ActionRead:
        """Cut its power."""
        return await _ask(tx, viewer, server_id, PowerAction.POWEROFF)
