"""What pages of servers do, for customers and staff alike; `routes` says who may ask."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec
import structlog
from litestar import Request, Response
from markupsafe import Markup

from hostwright.core.db import Database, Db, Tx
from hostwright.core.errors import Conflict, TooManyRequests, Unavailable
from hostwright.core.providers import PowerAction
from hostwright.identity.schemas import Viewer
from hostwright.servers import queries, service
from hostwright.servers.ports import Providers
from hostwright.servers.queries import LogFilter
from hostwright.servers.queries.connections import connection_names
from hostwright.servers.queries.facts import facts_of
from hostwright.servers.records import ActionRow, ServerRow
from hostwright.servers.views import facts
from hostwright.servers.views.detail import StateView, state_view
from hostwright.servers.views.rows import connection_chips, list_view, read_filter
from hostwright.web.answer import go, hx_target, page, partial, partials
from hostwright.web.i18n import choose_language
from hostwright.web.render import render, renderer
from hostwright.web.shell import set_count

LOG_LINES: Final = 25
LATEST: Final = 4
LONGEST_ID: Final = 18
NO_STORE: Final = "no-store"
BESIDE_THE_NAME: Final = ("crumb", "emblem", "about", "facts")

log = structlog.get_logger(__name__)

type AnyRequest = Request[Any, Any, Any]


class Place(msgspec.Struct, frozen=True):
    """Where a page stands: among a customer's own servers, or among all of them for staff."""

    base: str
    staff: bool


OWN: Final = Place(base="/servers", staff=False)
ALL: Final = Place(base="/admin/servers", staff=True)


async def show_list(request: AnyRequest, db: Db, viewer: Viewer, place: Place) -> Response[Any]:
    """A page of servers, read from the mirror alone."""
    choose_language(request, pseudo=renderer().pseudo)
    shown = read_filter(place.base, request.query_params, staff=place.staff)
    wanted = shown.query(viewer.scope)
    listed = await queries.list_rows(db, wanted, shown.paging)
    await service.note_viewed(db, [row.id for row in listed.items])
    pending = await queries.pending_actions(db, [row.id for row in listed.items if row.busy])
    kinds = {action.server_id: action.kind for action in pending}
    view = list_view(renderer(), shown, listed, kinds, staff=place.staff)
    if place.staff:
        view.connections = connection_chips(shown, await connection_names.all(db))
    else:
        set_count(request, "servers", view.standing)
    shown = hx_target(request)
    if shown is None:
        await renderer().navigation.fill_counts(request, db, viewer)
    chips = partial("#chips", _html(request, "servers/_chips.html", {"view": view}))
    return page(request, "servers/list.html", {"view": view}, also=[chips] if shown == "summary" else [])


def state_of(place: Place, row: ServerRow, action: ActionRow | None) -> StateView:
    """The state of a server as the pages at ``place`` show it."""
    return state_view(place.base, row, action, renderer().now(), staff=place.staff)


def _who(row: ServerRow) -> dict[str, Any]:
    """What the password dialog needs: whose password, and none to show yet."""
    system = row.operating_system
    return {"user": facts.user_of(system), "windows": facts.is_windows(system), "password": ""}


async def show_server(  # noqa: PLR0913  the parts of one page
    request: AnyRequest, db: Db, viewer: Viewer, place: Place, row: ServerRow, part: str, extra: Mapping[str, Any]
) -> Response[Any]:
    """A server's page with one tab open, or only its state for a page that may have missed a change."""
    state = state_of(place, row, await queries.latest_action(db, viewer.scope, row.id))
    if hx_target(request) == f"{state.prefix}task-{row.id}":
        return partials(*state_partials(request, state))
    overview = part == ""
    view = facts.detail_view(
        place.base,
        row,
        renderer().now(),
        await facts_of(db, row.id),
        part,
        await queries.addresses_of(db, row.id) if overview else (),
        await queries.activity(db, viewer.scope, row.id, LogFilter(), LATEST) if overview else (),
        staff=place.staff,
    )
    await renderer().navigation.fill_counts(request, db, viewer)
    context = {"d": view, "s": state, **_who(row), **extra}
    # Its name was fetched again since something changed: what else may have changed by that comes along.
    along = BESIDE_THE_NAME if hx_target(request) == "named" else ()
    also = [partial(f"#{name}", _html(request, "servers/detail.html", context, name)) for name in along]
    return page(request, "servers/detail.html", context, also=also)


async def show_overview(request: AnyRequest, db: Db, viewer: Viewer, place: Place, server_id: int) -> Response[Any]:
    """The first tab: addresses, plan, what happened lately."""
    choose_language(request, pseudo=renderer().pseudo)
    row = await queries.server_for(db, viewer.scope, server_id)
    await service.note_viewed(db, [row.id])
    return await show_server(request, db, viewer, place, row, "", {})


async def show_traffic(
    request: AnyRequest, database: Database, providers: Providers, viewer: Viewer, place: Place, server_id: int
) -> Response[Any]:
    """Traffic by month, asked of VirtFusion; when that does not answer the page says so and stays."""
    choose_language(request, pseudo=renderer().pseudo)
    traffic = None
    try:
        traffic = facts.traffic_view(await service.read_traffic(database, providers, viewer.scope, server_id))
    except (Unavailable, Conflict, TooManyRequests) as error:
        log.info("traffic.not_shown", server_id=server_id, code=error.code)
    async with database.acquire() as db:
        row = await queries.server_for(db, viewer.scope, server_id)
        return await show_server(request, db, viewer, place, row, "traffic", {"traffic": traffic})


async def show_menu(request: AnyRequest, db: Db, viewer: Viewer, place: Place, server_id: int) -> Response[Any]:
    """What can be done with a row's server, and the dialog for what should be asked first."""
    choose_language(request, pseudo=renderer().pseudo)
    row = await queries.server_for(db, viewer.scope, server_id)
    state = state_of(place, row, await queries.latest_action(db, viewer.scope, server_id))
    return render(request, "servers/menu.html", {"s": state})


def state_partials(request: AnyRequest, state: StateView, *, leave_out: str | None = None) -> list[Markup]:
    """Updates of every place that shows this state, but for the one with the id ``leave_out``."""
    places = {
        f"state-{state.id}": "servers/_state.html",
        f"{state.prefix}actions-{state.id}": "servers/_actions.html",
        f"{state.prefix}task-{state.id}": "servers/_task.html",
    }
    return [
        partial(f"#{name}", _html(request, template, {"s": state}))
        for name, template in places.items()
        if name != leave_out
    ]


def changed(server_id: int) -> Markup:
    """Tell a page that parts which are about this server, such as its activity, have to be fetched again."""
    mark = Markup('<span id="live-changed" data-changed="server-{}" hidden></span>').format(server_id)
    return partial("#live-changed", mark, swap="outerHTML")


def _html(request: AnyRequest, template: str, context: Mapping[str, Any], block: str | None = None) -> Markup:
    return Markup(renderer().html(request, template, context, block))  # noqa: S704  rendered with autoescape


async def do_power(
    request: AnyRequest, tx: Tx, viewer: Viewer, place: Place, server_id: int, action: PowerAction
) -> Response[Any]:
    """Ask for a power action; a repeated request shows the one that goes on. Raises `Conflict` with its reason."""
    choose_language(request, pseudo=renderer().pseudo)
    target = await queries.locked_server(tx, viewer.scope, server_id)
    asked = await service.request_power(tx, service.actor_of(viewer), target, action)
    url = f"{place.base}/{server_id}"
    shown = hx_target(request)
    if shown is None:
        return go(request, url)
    state = state_of(place, await queries.server_for(tx, viewer.scope, server_id), asked)
    return partials(*state_partials(request, state), changed(server_id))


async def do_reset(
    request: AnyRequest, database: Database, providers: Providers, viewer: Viewer, place: Place, server_id: int
) -> Response[Any]:
    """Reset the password and show the new one, this once: in the dialog, or on a page of its own."""
    choose_language(request, pseudo=renderer().pseudo)
    actor = service.actor_of(viewer)
    async with database.acquire() as db:
        row = await queries.server_for(db, viewer.scope, server_id)
        await renderer().navigation.fill_counts(request, db, viewer)
    state = state_of(place, row, None)
    new = await service.reset_password(database, providers, actor, viewer.scope, server_id)
    # The password is shown here or never: a database that fails by now costs no more than the newest state.
    with suppress(*service.DATABASE_ERRORS):
        async with database.acquire() as db:
            row = await queries.server_for(db, viewer.scope, server_id)
            state = state_of(place, row, await queries.latest_action(db, viewer.scope, server_id))
    context = {"s": state, **_who(row), "password": new.password, "user": new.username}
    answer = page(request, "servers/password.html", context, also=state_partials(request, state))
    answer.headers["Cache-Control"] = NO_STORE
    return answer
