"""The page of a server's screen. Opening it asks nobody for anything: its script gets a ticket."""

from typing import Any

from litestar import Controller, Response
from litestar.params import FromPath

from hostwright.core.db import Db
from hostwright.identity.schemas import StaffViewer, Viewer
from hostwright.servers import queries, service
from hostwright.servers.pages.screens import ALL, OWN, Place, state_of
from hostwright.servers.views.console import console_view
from hostwright.web.answer import page
from hostwright.web.i18n import choose_language
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.openapi import page_get
from hostwright.web.render import renderer


async def _show(request: AnyRequest, db: Db, viewer: Viewer, place: Place, server_id: int) -> Response[Any]:
    choose_language(request, pseudo=renderer().pseudo)
    row = await queries.server_for(db, viewer.scope, server_id)
    await service.note_viewed(db, [row.id])
    state = state_of(place, row, await queries.latest_action(db, viewer.scope, row.id))
    await renderer().navigation.fill_counts(request, db, viewer)
    view = console_view(place.base, row, state, staff=place.staff)
    return page(request, "servers/console.html", {"c": view})


class ConsolePages(Controller):
    """One for customers, one for staff."""

    @page_get("/servers/{server_id:int}/console")
    async def own(
        self, request: AnyRequest, db: Injected[Db], viewer: Injected[Viewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """The screen of one of the customer's servers."""
        return await _show(request, db, viewer, OWN, server_id)

    @page_get("/admin/servers/{server_id:int}/console", auth="admin")
    async def any_server(
        self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """The screen of any server."""
        return await _show(request, db, viewer, ALL, server_id)
