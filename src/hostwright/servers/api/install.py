"""Installing a system anew: what can be installed, and asking for it."""

from litestar import Controller
from litestar.params import FromPath, JSONBody

from hostwright.core.db import Database
from hostwright.identity.schemas import StaffViewer, Viewer
from hostwright.servers import service
from hostwright.servers.api.presenting import action_read
from hostwright.servers.ports import Providers
from hostwright.servers.schemas import ActionRead
from hostwright.servers.schemas.operations import Reinstall, TemplateList, TemplateRead
from hostwright.servers.service.install import Wish, install_choices, request_install
from hostwright.web.inject import Injected
from hostwright.web.openapi import get_op, post_op

TAG = "Servers"
STAFF = "Servers (staff)"
READ = "read:servers"
WRITE = "write:servers"


async def _templates(database: Database, providers: Providers, viewer: Viewer, server_id: int) -> TemplateList:
    choices = await install_choices(database, providers, viewer.scope, server_id)
    return TemplateList(
        [
            TemplateRead(
                id=each.external_id,
                family=each.family,
                name=each.name,
                version=each.version,
                variant=each.variant,
                windows=each.windows,
                ended=each.ended,
            )
            for each in choices.templates
        ]
    )


async def _reinstall(
    database: Database, providers: Providers, viewer: Viewer, server_id: int, data: Reinstall
) -> ActionRead:
    wish = Wish(data.template_id, data.hostname, data.ssh_key_ids)
    actor = service.actor_of(viewer)
    return action_read(await request_install(database, providers, actor, viewer.scope, server_id, wish))


class InstallApi(Controller):
    """Installing one's own servers."""

    path = "/api/user/servers/{server_id:int}"

    @get_op(
        "/templates",
        op="listServerTemplates",
        summary="List the systems that a server can get",
        scope=READ,
        tag=TAG,
        errors=(404, 409),
    )
    async def templates(
        self,
        database: Injected[Database],
        viewer: Injected[Viewer],
        providers: Injected[Providers],
        server_id: FromPath[int],
    ) -> TemplateList:
        """Asks VirtFusion; 503 when that does not answer."""
        return await _templates(database, providers, viewer, server_id)

    @post_op(
        "/reinstall",
        op="reinstallServer",
        summary="Install a server anew",
        scope=WRITE,
        tag=TAG,
        errors=(404, 409),
        status=202,
    )
    async def reinstall(
        self,
        database: Injected[Database],
        viewer: Injected[Viewer],
        providers: Injected[Providers],
        server_id: FromPath[int],
        data: JSONBody[Reinstall],
    ) -> ActionRead:
        """Everything on its disk is lost. Three times an hour."""
        return await _reinstall(database, providers, viewer, server_id, data)


class AdminInstallApi(Controller):
    """Installing any server."""

    path = "/api/admin/servers/{server_id:int}"

    @get_op(
        "/templates",
        op="listAnyServerTemplates",
        summary="List the systems that any server can get",
        auth="admin",
        scope=READ,
        tag=STAFF,
        errors=(404, 409),
    )
    async def templates(
        self,
        database: Injected[Database],
        viewer: Injected[StaffViewer],
        providers: Injected[Providers],
        server_id: FromPath[int],
    ) -> TemplateList:
        """Asks VirtFusion; 503 when that does not answer."""
        return await _templates(database, providers, viewer, server_id)

    @post_op(
        "/reinstall",
        op="reinstallAnyServer",
        summary="Install any server anew",
        auth="admin",
        scope=WRITE,
        tag=STAFF,
        errors=(404, 409),
        status=202,
    )
    async def reinstall(
        self,
        database: Injected[Database],
        viewer: Injected[StaffViewer],
        providers: Injected[Providers],
        server_id: FromPath[int],
        data: JSONBody[Reinstall],
    ) -> ActionRead:
        """Everything on its disk is lost. The keys are its customer's."""
        return await _reinstall(database, providers, viewer, server_id, data)
