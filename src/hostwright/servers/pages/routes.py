"""The addresses of the pages of servers: who may ask, and in whose servers they look."""

from typing import Any

import msgspec
from litestar import Controller, Response
from litestar.params import FromPath

from hostwright.core.db import Database, Db, Tx
from hostwright.core.providers import PowerAction
from hostwright.core.scope import Staff
from hostwright.identity.schemas import MANAGE_SERVERS, StaffViewer, Viewer
from hostwright.servers import queries
from hostwright.servers.pages.screens import (
    ALL,
    OWN,
    do_power,
    do_reset,
    show_activity,
    show_list,
    show_menu,
    show_overview,
    show_traffic,
)
from hostwright.servers.ports import Providers
from hostwright.servers.records import PaletteRow
from hostwright.servers.views import palette
from hostwright.web.answer import partials
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.openapi import page_get, page_post
from hostwright.web.render import renderer


class ServerPages(Controller):
    """Thin entry points; the two halves differ in who may and in whose servers they show."""

    @page_get("/servers")
    async def servers(self, request: AnyRequest, db: Injected[Db], viewer: Injected[Viewer]) -> Response[Any]:
        """The customer's servers."""
        return await show_list(request, db, viewer, OWN)

    @page_get("/servers/{server_id:int}")
    async def server(
        self, request: AnyRequest, db: Injected[Db], viewer: Injected[Viewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """One of them."""
        return await show_overview(request, db, viewer, OWN, server_id)

    @page_get("/servers/{server_id:int}/traffic")
    async def traffic(
        self,
        request: AnyRequest,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[Viewer],
        server_id: FromPath[int],
    ) -> Response[Any]:
        """Its traffic."""
        return await show_traffic(request, database, providers, viewer, OWN, server_id)

    @page_get("/servers/{server_id:int}/activity")
    async def activity(
        self, request: AnyRequest, db: Injected[Db], viewer: Injected[Viewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """Its activity."""
        return await show_activity(request, db, viewer, OWN, server_id)

    @page_get("/servers/{server_id:int}/menu")
    async def menu(
        self, request: AnyRequest, db: Injected[Db], viewer: Injected[Viewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """Its row's menu."""
        return await show_menu(request, db, viewer, OWN, server_id)

    @page_post("/servers/{server_id:int}/power/{action:str}")
    async def power(
        self,
        request: AnyRequest,
        tx: Injected[Tx],
        viewer: Injected[Viewer],
        server_id: FromPath[int],
        action: FromPath[PowerAction],
    ) -> Response[Any]:
        """Switch it on or off."""
        return await do_power(request, tx, viewer, OWN, server_id, action)

    @page_post("/servers/{server_id:int}/reset-password")
    async def reset_password(
        self,
        request: AnyRequest,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[Viewer],
        server_id: FromPath[int],
    ) -> Response[Any]:
        """Give it a new password."""
        return await do_reset(request, database, providers, viewer, OWN, server_id)

    @page_get("/admin/servers", auth="admin")
    async def all_servers(self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer]) -> Response[Any]:
        """Everybody's servers."""
        return await show_list(request, db, viewer, ALL)

    @page_get("/admin/servers/{server_id:int}", auth="admin")
    async def any_server(
        self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """One of them."""
        return await show_overview(request, db, viewer, ALL, server_id)

    @page_get("/admin/servers/{server_id:int}/traffic", auth="admin")
    async def any_traffic(
        self,
        request: AnyRequest,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[StaffViewer],
        server_id: FromPath[int],
    ) -> Response[Any]:
        """Its traffic."""
        return await show_traffic(request, database, providers, viewer, ALL, server_id)

    @page_get("/admin/servers/{server_id:int}/activity", auth="admin")
    async def any_activity(
        self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """Its activity."""
        return await show_activity(request, db, viewer, ALL, server_id)

    @page_get("/admin/servers/{server_id:int}/menu", auth="admin")
    async def any_menu(
        self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """Its row's menu."""
        return await show_menu(request, db, viewer, ALL, server_id)

    @page_post("/admin/servers/{server_id:int}/power/{action:str}", auth="admin")
    async def any_power(
        self,
        request: AnyRequest,
        tx: Injected[Tx],
        viewer: Injected[StaffViewer],
        server_id: FromPath[int],
        action: FromPath[PowerAction],
    ) -> Response[Any]:
        """Switch it on or off."""
        return await do_power(request, tx, viewer, ALL, server_id, action)

    @page_post("/admin/servers/{server_id:int}/reset-password", auth="admin")
    async def any_reset(
        self,
        request: AnyRequest,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[StaffViewer],
        server_id: FromPath[int],
    ) -> Response[Any]:
        """Give it a new password."""
        return await do_reset(request, database, providers, viewer, ALL, server_id)

    @page_get("/search")
    async def search(self, request: AnyRequest, db: Injected[Db], viewer: Injected[Viewer]) -> Response[Any]:
        """What the palette shows for the words in ``q``."""
        renderer().shell(request)
        text = request.query_params.get("q", "").strip()[:100]
        wanted = palette.read(text)
        found = await _servers_named(db, viewer, wanted.name)
        if wanted.begun and not any(found):
            wanted = msgspec.structs.replace(wanted, name="")
            found = await _servers_named(db, viewer, wanted.name)
        groups = palette.results(text, wanted, *found, staff=viewer.is_staff)
        return partials(renderer().macro("palette_results", groups))


async def _servers_named(db: Db, viewer: Viewer, name: str) -> tuple[list[PaletteRow], list[PaletteRow]]:
    """The viewer's own servers with ``name`` in them, and for staff those of everybody."""
    own = await queries.palette(db, viewer.scope, name, palette.SERVERS)
    others = await queries.palette(db, Staff(MANAGE_SERVERS), name, palette.SERVERS) if viewer.is_staff else []
    return own, others
