"""The addresses of the pages of servers; `both` says who may ask, and in whose servers they look."""

from typing import Any

import msgspec
from litestar import Response, Router

from hostwright.core.db import Db, Tx
from hostwright.core.errors import NotFound
from hostwright.core.providers import PowerAction
from hostwright.core.scope import Staff
from hostwright.identity.schemas import MANAGE_SERVERS, Viewer
from hostwright.servers import queries
from hostwright.servers.pages import bulk, install, operations, upstream
from hostwright.servers.pages.both import (
    asking,
    doing,
    listing,
    reading,
    staff_asking,
    staff_reading,
    staff_writing,
    writing,
)
from hostwright.servers.pages.export import show_activity
from hostwright.servers.pages.screens import (
    Place,
    do_power,
    do_reset,
    show_list,
    show_menu,
    show_overview,
    show_traffic,
)
from hostwright.servers.records import PaletteRow
from hostwright.servers.views import palette
from hostwright.web.answer import partials
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.openapi import page_get
from hostwright.web.render import renderer


async def power(request: AnyRequest, tx: Tx, viewer: Viewer, place: Place, server_id: int) -> Response[Any]:
    """Switch a server on or off."""
    action = request.path_params["action"]
    if action not in PowerAction:
        raise NotFound
    return await do_power(request, tx, viewer, place, server_id, PowerAction(action))


@page_get("/search")
async def search(request: AnyRequest, db: Injected[Db], viewer: Injected[Viewer]) -> Response[Any]:
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


ServerPages = Router(
    "/",
    route_handlers=[
        *listing("", show_list),
        *reading("", show_overview),
        *asking("/traffic", show_traffic),
        *reading("/activity", show_activity),
        *reading("/menu", show_menu),
        *writing("/power/{action:str}", power),
        *asking("/reset-password", do_reset, post=True),
        *writing("/rename", operations.do_rename),
        *asking("/reinstall", install.show_reinstall),
        *asking("/reinstall", install.do_reinstall, post=True),
        staff_writing("/suspend", operations.do_suspend),
        staff_writing("/unsuspend", operations.do_unsuspend),
        staff_writing("/throttle", operations.do_throttle),
        staff_reading("/owner", operations.show_owner),
        staff_writing("/owner", operations.do_owner),
        staff_asking("/upstream", upstream.show_upstream),
        *listing("/bulk", bulk.show_bulk),
        *doing("/bulk", bulk.do_bulk),
        *listing("/bulk/summary", bulk.show_summary),
        search,
    ],
)
