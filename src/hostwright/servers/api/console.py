"""Consoles over HTTP: their tickets, and whether servers have a screen."""

from litestar import Controller, Response
from litestar.params import FromPath

from hostwright.core.config import Config
from hostwright.core.crypto import Keyring
from hostwright.core.db import Database
from hostwright.identity.schemas import StaffViewer, Viewer
from hostwright.servers.ports import Providers
from hostwright.servers.schemas.console import ConsoleRead, ConsoleTest, ConsoleTicket
from hostwright.servers.service import console as service
from hostwright.web.inject import Injected
from hostwright.web.openapi import get_op, post_op

TAG = "Consoles"
STAFF_TAG = "Consoles (staff)"
READ = "read:servers"
WRITE = "write:servers"


async def _ticket(
    database: Database, providers: Providers, keyring: Keyring, config: Config, viewer: Viewer, server_id: int
) -> Response[ConsoleTicket]:
    made = await service.issue_ticket(database, providers, keyring, viewer, server_id, most=config.consoles_per_user)
    return Response(made, headers={"Cache-Control": "no-store"})


class ConsoleApi(Controller):
    """A customer's own consoles."""

    @get_op(
        "/api/user/servers/{server_id:int}/vnc",
        op="getServerConsole",
        summary="Read whether a server has a screen",
        scope=READ,
        tag=TAG,
        errors=(404, 409, 502),
    )
    async def read(
        self,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[Viewer],
        server_id: FromPath[int],
    ) -> ConsoleRead:
        """Asks VirtFusion and changes nothing."""
        return await service.read_console(database, providers, viewer, server_id)

    @get_op(
        "/api/servers/{server_id:int}/vnc",
        op="getConsole",
        summary="Read whether a server has a screen, by its older address",
        scope=READ,
        tag=TAG,
        errors=(404, 409, 502),
    )
    async def read_too(
        self,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[Viewer],
        server_id: FromPath[int],
    ) -> ConsoleRead:
        """The same."""
        return await service.read_console(database, providers, viewer, server_id)

    @post_op(
        "/api/servers/{server_id:int}/vnc/enable",
        op="enableConsole",
        summary="Enable a server's screen",
        scope=WRITE,
        tag=TAG,
        errors=(404, 409, 502),
    )
    async def enable(
        self,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[Viewer],
        server_id: FromPath[int],
    ) -> ConsoleRead:
        """Nothing is sent when it is enabled already."""
        return await service.switch_console(database, providers, viewer, server_id, on=True)

    @post_op(
        "/api/user/servers/{server_id:int}/console",
        op="openConsole",
        summary="Get a ticket for a server's screen",
        tag=TAG,
        errors=(404, 409, 502),
    )
    async def open(
        self,
        database: Injected[Database],
        providers: Injected[Providers],
        keyring: Injected[Keyring],
        app_config: Injected[Config],
        viewer: Injected[Viewer],
        server_id: FromPath[int],
    ) -> Response[ConsoleTicket]:
        """Good for one WebSocket of the same session, within a minute."""
        return await _ticket(database, providers, keyring, app_config, viewer, server_id)


class AdminConsoleApi(Controller):
    """Every server's console, for staff."""

    path = "/api/admin/servers/{server_id:int}"

    @get_op(
        "/vnc",
        op="getAnyConsole",
        summary="Read whether any server has a screen",
        auth="admin",
        scope=READ,
        tag=STAFF_TAG,
        errors=(404, 409, 502),
    )
    async def read(
        self,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[StaffViewer],
        server_id: FromPath[int],
    ) -> ConsoleRead:
        """Asks VirtFusion and changes nothing."""
        return await service.read_console(database, providers, viewer, server_id)

    @get_op(
        "/vnc/test",
        op="testAnyConsole",
        summary="Test whether the panel reaches a server's screen",
        auth="admin",
        scope=READ,
        tag=STAFF_TAG,
        errors=(404, 409, 502),
    )
    async def test(
        self,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[StaffViewer],
        server_id: FromPath[int],
    ) -> ConsoleTest:
        """Connects to what VirtFusion names and to nothing else."""
        return await service.test_console(database, providers, viewer, server_id)

    @post_op(
        "/vnc/enable",
        op="enableAnyConsole",
        summary="Enable any server's screen",
        auth="admin",
        scope=WRITE,
        tag=STAFF_TAG,
        errors=(404, 409, 502),
    )
    async def enable(
        self,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[StaffViewer],
        server_id: FromPath[int],
    ) -> ConsoleRead:
        """Nothing is sent when it is enabled already."""
        return await service.switch_console(database, providers, viewer, server_id, on=True)

    @post_op(
        "/vnc/disable",
        op="disableAnyConsole",
        summary="Disable any server's screen",
        auth="admin",
        scope=WRITE,
        tag=STAFF_TAG,
        errors=(404, 409, 502),
    )
    async def disable(
        self,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[StaffViewer],
        server_id: FromPath[int],
    ) -> ConsoleRead:
        """Ends the consoles that are open. Nothing is sent when it is disabled already."""
        return await service.switch_console(database, providers, viewer, server_id, on=False)

    @post_op(
        "/console",
        op="openAnyConsole",
        summary="Get a ticket for any server's screen",
        auth="admin",
        tag=STAFF_TAG,
        errors=(404, 409, 502),
    )
    async def open(
        self,
        database: Injected[Database],
        providers: Injected[Providers],
        keyring: Injected[Keyring],
        app_config: Injected[Config],
        viewer: Injected[StaffViewer],
        server_id: FromPath[int],
    ) -> Response[ConsoleTicket]:
        """Good for one WebSocket of the same session, within a minute."""
        return await _ticket(database, providers, keyring, app_config, viewer, server_id)
