"""What pages change of one server besides its power: name, suspension, processor limit, owner."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from litestar import Response

from hostwright.core.db import Db, Tx
from hostwright.core.errors import FieldProblem, Invalid
from hostwright.identity.schemas import Viewer
from hostwright.servers import queries, service
from hostwright.servers.pages.screens import AnyRequest, Place, changed, state_of, state_partials
from hostwright.servers.queries import operations as statements
from hostwright.servers.records import ActionRow, TargetRow
from hostwright.servers.service import operations
from hostwright.servers.service.common import Actor
from hostwright.servers.views import words
from hostwright.web.answer import go, hx_target, page, partials
from hostwright.web.bodies import form_values
from hostwright.web.i18n import choose_language
from hostwright.web.render import render, renderer

type Values = Mapping[str, str]
type Ask = Callable[[Tx, Actor, TargetRow, Values], Awaitable[ActionRow]]

LONGEST_ID: Final = 18


async def _do(  # noqa: PLR0913  the parts of one request
    request: AnyRequest, tx: Tx, viewer: Viewer, place: Place, server_id: int, form: str, ask: Ask
) -> Response[Any]:
    """Ask for it and show what goes on; what cannot be accepted is shown in its form, with what was typed."""
    choose_language(request, pseudo=renderer().pseudo)
    target = await queries.locked_server(tx, viewer.scope, server_id)
    actor = service.actor_of(viewer)
    values = await form_values(request)
    try:
        asked = await ask(tx, actor, target, values)
    except Invalid as refusal:
        return await _again(request, tx, viewer, place, server_id, form, values, refusal.problems)
    if hx_target(request) is None:
        return go(request, f"{place.base}/{server_id}")
    state = state_of(place, await queries.server_for(tx, viewer.scope, server_id), asked)
    return partials(*state_partials(request, state), changed(server_id))


async def _again(  # noqa: PLR0913  the parts of a page
    request: AnyRequest,
    db: Db,
    viewer: Viewer,
    place: Place,
    server_id: int,
    form: str,
    values: Values,
    problems: list[FieldProblem],
) -> Response[Any]:
    """The form with what was typed and what is wrong with it: in its dialog, or on a page of its own."""
    row = await queries.server_for(db, viewer.scope, server_id)
    state = state_of(place, row, await queries.latest_action(db, viewer.scope, server_id))
    errors = {problem.field: words.problem(problem.message) for problem in problems}
    context = {"s": state, "form": form, "values": values, "errors": errors}
    if hx_target(request) is not None:
        return render(request, f"servers/_{form}.html", context, status=422)
    await renderer().navigation.fill_counts(request, db, viewer)
    return page(request, "servers/form.html", context, status=422)


async def do_rename(request: AnyRequest, tx: Tx, viewer: Viewer, place: Place, server_id: int) -> Response[Any]:
    """Give it another name."""

    async def ask(tx: Tx, actor: Actor, server: TargetRow, values: Values) -> ActionRow:
        return await operations.rename_server(tx, actor, server, values.get("name", ""))

    return await _do(request, tx, viewer, place, server_id, "rename", ask)


async def do_suspend(request: AnyRequest, tx: Tx, viewer: Viewer, place: Place, server_id: int) -> Response[Any]:
    """Suspend it, with a reason that its customer reads."""

    async def ask(tx: Tx, actor: Actor, server: TargetRow, values: Values) -> ActionRow:
        return await operations.suspend_server(tx, actor, server, values.get("reason"))

    return await _do(request, tx, viewer, place, server_id, "suspend", ask)


async def do_unsuspend(request: AnyRequest, tx: Tx, viewer: Viewer, place: Place, server_id: int) -> Response[Any]:
    """Lift its suspension."""

    async def ask(tx: Tx, actor: Actor, server: TargetRow, values: Values) -> ActionRow:
        del values
        return await operations.unsuspend_server(tx, actor, server)

    return await _do(request, tx, viewer, place, server_id, "unsuspend", ask)


async def do_throttle(request: AnyRequest, tx: Tx, viewer: Viewer, place: Place, server_id: int) -> Response[Any]:
    """Limit its processor."""

    async def ask(tx: Tx, actor: Actor, server: TargetRow, values: Values) -> ActionRow:
        return await operations.throttle_server(tx, actor, server, operations.percent_of(values.get("percent", "")))

    return await _do(request, tx, viewer, place, server_id, "throttle", ask)


async def show_owner(request: AnyRequest, db: Db, viewer: Viewer, place: Place, server_id: int) -> Response[Any]:
    """Who could get it: customers with an account at its VirtFusion."""
    choose_language(request, pseudo=renderer().pseudo)
    row = await queries.server_for(db, viewer.scope, server_id)
    text = request.query_params.get("q", "").strip()[:100]
    accounts = await statements.accounts_named(db, row.connection_id, text)
    state = state_of(place, row, await queries.latest_action(db, viewer.scope, server_id))
    await renderer().navigation.fill_counts(request, db, viewer)
    context = {"s": state, "row": row, "q": text, "accounts": accounts}
    return page(request, "servers/change_owner.html", context)


async def do_owner(request: AnyRequest, tx: Tx, viewer: Viewer, place: Place, server_id: int) -> Response[Any]:
    """Give it to another customer."""
    choose_language(request, pseudo=renderer().pseudo)
    target = await queries.locked_server(tx, viewer.scope, server_id)
    text = (await form_values(request)).get("customer_id", "")
    customer_id = int(text) if text.isdecimal() and len(text) <= LONGEST_ID else 0
    await operations.change_owner(tx, service.actor_of(viewer), target, customer_id)
    return go(request, f"{place.base}/{server_id}")
