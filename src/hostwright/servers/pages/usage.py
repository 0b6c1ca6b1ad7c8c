"""Pages of what a server does. An open page asks for its figures every ten seconds, and so has them sampled."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response
from litestar.params import FromPath
from markupsafe import Markup

from hostwright.core.db import Tx
from hostwright.core.providers import ServerState
from hostwright.identity.schemas import StaffViewer, Viewer
from hostwright.servers import queries
from hostwright.servers.pages.screens import ALL, OWN, Place, show_server
from hostwright.servers.records import ServerRow
from hostwright.servers.service.usage import look_at, usage_of
from hostwright.servers.views.usage import UsageView, read_range, usage_view
from hostwright.web.answer import partial, partials
from hostwright.web.i18n import choose_language
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.openapi import page_get
from hostwright.web.render import renderer


async def _look(
    request: AnyRequest, tx: Tx, viewer: Viewer, place: Place, server_id: int
) -> tuple[ServerRow, UsageView]:
    choose_language(request, pseudo=renderer().pseudo)
    row = await queries.server_for(tx, viewer.scope, server_id)
    if row.state is ServerState.ACTIVE:
        await look_at(tx, server_id)
    usage = await usage_of(tx, server_id, read_range(request.query_params.get("range", "")))
    return row, usage_view(f"{place.base}/{server_id}/usage", row, usage, renderer().now())


async def show_usage(request: AnyRequest, tx: Tx, viewer: Viewer, place: Place, server_id: int) -> Response[Any]:
    """The tab with the graphs."""
    row, view = await _look(request, tx, viewer, place, server_id)
    return await show_server(request, tx, viewer, place, row, "usage", {"u": view})


async def show_live(request: AnyRequest, tx: Tx, viewer: Viewer, place: Place, server_id: int) -> Response[Any]:
    """The figures alone: the page draws them into the graphs that stand there."""
    _, view = await _look(request, tx, viewer, place, server_id)
    context = {"u": view}
    return partials(
        partial("#usage-live", _html(request, "servers/_usage_live.html", context)),
        partial("#usage-table", _html(request, "servers/_usage_table.html", context)),
    )


def _html(request: AnyRequest, template: str, context: Mapping[str, Any]) -> Markup:
    return Markup(renderer().html(request, template, context))  # noqa: S704  rendered with autoescape


class UsagePages(Controller):
    """Thin entry points, for customers and for staff. Looking is what has a server sampled, so they write."""

    @page_get("/servers/{server_id:int}/usage")
    async def usage(
        self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[Viewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """What a server does."""
        return await show_usage(request, tx, viewer, OWN, server_id)

    @page_get("/servers/{server_id:int}/usage/live")
    async def live(
        self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[Viewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """The newest figures."""
        return await show_live(request, tx, viewer, OWN, server_id)

    @page_get("/admin/servers/{server_id:int}/usage", auth="admin")
    async def any_usage(
        self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[StaffViewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """What any server does."""
        return await show_usage(request, tx, viewer, ALL, server_id)

    @page_get("/admin/servers/{server_id:int}/usage/live", auth="admin")
    async def any_live(
        self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[StaffViewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """The newest figures."""
        return await show_live(request, tx, viewer, ALL, server_id)
