"""Lists as files, for customers and for staff; and activity, whose file has the same filter."""

from collections.abc import AsyncGenerator
from typing import Any, Final

from litestar import Controller, Response
from litestar.params import FromPath
from litestar.response import Stream

from hostwright.core.db import Database, Db
from hostwright.identity.schemas import StaffViewer, Viewer
from hostwright.servers import queries, service
from hostwright.servers.pages.screens import ALL, LOG_LINES, OWN, Place, show_server
from hostwright.servers.ports import Providers
from hostwright.servers.queries import LogFilter, ServerFilter
from hostwright.servers.service.export import activity_parts, begin_activity, begin_servers, server_parts
from hostwright.servers.views.activity import activity_view, read_wanted
from hostwright.servers.views.export import (
    ACTIVITY_COLUMNS,
    OWN_COLUMNS,
    STAFF_COLUMNS,
    TRAFFIC_COLUMNS,
    activity_cells,
    csv_head,
    csv_lines,
    server_cells,
    traffic_cells,
)
from hostwright.servers.views.rows import read_filter
from hostwright.web.i18n import choose_language
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.openapi import page_get
from hostwright.web.render import renderer

CSV: Final = "text/csv"


def _headers(name: str) -> dict[str, str]:
    file = f"{name}-{renderer().now():%Y-%m-%d}.csv"
    return {"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"}


async def show_activity(request: AnyRequest, db: Db, viewer: Viewer, place: Place, server_id: int) -> Response[Any]:
    """What happened, newest first, by type and date, 25 lines at a time."""
    choose_language(request, pseudo=renderer().pseudo)
    row = await queries.server_for(db, viewer.scope, server_id)
    wanted = read_wanted(request.query_params)
    rows = await queries.activity(db, viewer.scope, server_id, wanted.query, LOG_LINES + 1)
    log = activity_view(f"{place.base}/{server_id}/activity", wanted, rows, LOG_LINES)
    return await show_server(request, db, viewer, place, row, "activity", {"log": log})


async def _servers(database: Database, wanted: ServerFilter, ids: list[int], *, staff: bool) -> AsyncGenerator[bytes]:
    yield csv_head(STAFF_COLUMNS if staff else OWN_COLUMNS)
    async for rows in server_parts(database, wanted, ids):
        yield csv_lines(server_cells(row, staff=staff) for row in rows)


async def _activity(database: Database, viewer: Viewer, server_id: int, wanted: LogFilter) -> AsyncGenerator[bytes]:
    yield csv_head(ACTIVITY_COLUMNS)
    async for rows in activity_parts(database, viewer.scope, server_id, wanted):
        yield csv_lines(activity_cells(row) for row in rows)


async def send_servers(request: AnyRequest, database: Database, viewer: Viewer, place: Place) -> Response[Any]:
    """All servers of the list with the filter in the address."""
    wanted = read_filter(place.base, request.query_params, staff=place.staff).query(viewer.scope)
    ids = await begin_servers(database, viewer.user_id, wanted)
    return Stream(_servers(database, wanted, ids, staff=place.staff), media_type=CSV, headers=_headers("servers"))


async def send_activity(request: AnyRequest, database: Database, viewer: Viewer, server_id: int) -> Response[Any]:
    """The activity that the filter in the address lets through."""
    wanted = read_wanted(request.query_params).query
    await begin_activity(database, viewer.user_id, viewer.scope, server_id)
    lines = _activity(database, viewer, server_id, wanted)
    return Stream(lines, media_type=CSV, headers=_headers(f"server-{server_id}-activity"))


async def send_traffic(database: Database, providers: Providers, viewer: Viewer, server_id: int) -> Response[Any]:
    """Traffic by month; 503 when VirtFusion does not answer."""
    months = await service.read_traffic(database, providers, viewer.scope, server_id)
    content = csv_head(TRAFFIC_COLUMNS) + csv_lines(traffic_cells(month) for month in months)
    return Response(content, media_type=CSV, headers=_headers(f"server-{server_id}-traffic"))


class ExportPages(Controller):
    """Thin entry points."""

    @page_get("/servers/export.csv")
    async def servers(
        self, request: AnyRequest, database: Injected[Database], viewer: Injected[Viewer]
    ) -> Response[Any]:
        """The customer's servers."""
        return await send_servers(request, database, viewer, OWN)

    @page_get("/servers/{server_id:int}/activity.csv")
    async def activity(
        self, request: AnyRequest, database: Injected[Database], viewer: Injected[Viewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """What happened to one of them."""
        return await send_activity(request, database, viewer, server_id)

    @page_get("/servers/{server_id:int}/traffic.csv")
    async def traffic(
        self,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[Viewer],
        server_id: FromPath[int],
    ) -> Response[Any]:
        """Its traffic."""
        return await send_traffic(database, providers, viewer, server_id)

    @page_get("/admin/servers/export.csv", auth="admin")
    async def all_servers(
        self, request: AnyRequest, database: Injected[Database], viewer: Injected[StaffViewer]
    ) -> Response[Any]:
        """Everybody's servers."""
        return await send_servers(request, database, viewer, ALL)

    @page_get("/admin/servers/{server_id:int}/activity.csv", auth="admin")
    async def any_activity(
        self, request: AnyRequest, database: Injected[Database], viewer: Injected[StaffViewer], server_id: FromPath[int]
    ) -> Response[Any]:
        """What happened to any of them."""
        return await send_activity(request, database, viewer, server_id)

    @page_get("/admin/servers/{server_id:int}/traffic.csv", auth="admin")
    async def any_traffic(
        self,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[StaffViewer],
        server_id: FromPath[int],
    ) -> Response[Any]:
        """Its traffic."""
        return await send_traffic(database, providers, viewer, server_id)
