"""The page on which a system is chosen and installed anew."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from litestar import Response

from hostwright.core.db import Database
from hostwright.core.errors import AppError, Conflict, FieldProblem, Invalid, TooManyRequests, Unavailable
from hostwright.identity.schemas import Viewer
from hostwright.servers import queries, service
from hostwright.servers.pages.screens import AnyRequest, Place, state_of
from hostwright.servers.ports import Providers
from hostwright.servers.service.install import Choices, Wish, hostname_of, install_choices, request_install
from hostwright.servers.views import words
from hostwright.servers.views.install import install_view
from hostwright.web.answer import go, page
from hostwright.web.bodies import form_lists
from hostwright.web.i18n import choose_language
from hostwright.web.render import renderer

LONGEST_ID: Final = 18


def _numbers(texts: Sequence[str]) -> list[int]:
    return [int(text) for text in texts if text.isdecimal() and len(text) <= LONGEST_ID]


async def show_reinstall(
    request: AnyRequest, database: Database, providers: Providers, viewer: Viewer, place: Place, server_id: int
) -> Response[Any]:
    """What can be installed, and what is lost by it."""
    chosen = {"template": _numbers([request.query_params.get("template", "")])}
    return await _show(request, database, providers, viewer, place, server_id, chosen, {})


async def _show(  # noqa: PLR0913  the parts of a page
    request: AnyRequest,
    database: Database,
    providers: Providers,
    viewer: Viewer,
    place: Place,
    server_id: int,
    chosen: Mapping[str, Sequence[int]],
    errors: Mapping[str, str],
    hostname: str | None = None,
) -> Response[Any]:
    """The page; when VirtFusion does not answer, or the server cannot be installed, it says so and stays."""
    choose_language(request, pseudo=renderer().pseudo)
    async with database.acquire() as db:
        row = await queries.server_for(db, viewer.scope, server_id)
    choices: Choices | None = None
    problem: AppError | None = None
    try:
        choices = await install_choices(database, providers, viewer.scope, server_id)
    except (Conflict, TooManyRequests, Unavailable) as error:
        problem = error
    async with database.acquire() as db:
        state = state_of(place, row, await queries.latest_action(db, viewer.scope, server_id))
        await renderer().navigation.fill_counts(request, db, viewer)
    view = install_view(row, choices, chosen.get("template", ()), chosen.get("keys", ()), hostname)
    away = words.said(problem.message) if problem else ""
    context = {"s": state, "row": row, "view": view, "errors": errors, "away": away}
    return page(request, "servers/reinstall.html", context, status=422 if errors else 200)


async def do_reinstall(
    request: AnyRequest, database: Database, providers: Providers, viewer: Viewer, place: Place, server_id: int
) -> Response[Any]:
    """Ask for it, and show how it goes on; a form that is not right is shown again as it was filled in."""
    choose_language(request, pseudo=renderer().pseudo)
    actor = service.actor_of(viewer)
    async with database.acquire() as db:
        row = await queries.server_for(db, viewer.scope, server_id)
    form = await form_lists(request)
    chosen = {"template": _numbers(form.get("template", [])), "keys": _numbers(form.get("keys", []))}
    hostname = (form.get("hostname") or [""])[-1]
    problems: list[FieldProblem] = []
    if (form.get("confirm") or [""])[-1].strip() != row.name.strip():
        problems.append(FieldProblem("confirm", "type the name exactly as it is written here"))
    if not chosen["template"]:
        problems.append(FieldProblem("templateId", "choose a system"))
    try:
        hostname_of(hostname)
    except Invalid as refusal:
        problems += refusal.problems
    if not problems:
        wish = Wish(chosen["template"][0], hostname, chosen["keys"])
        try:
            await request_install(database, providers, actor, viewer.scope, server_id, wish)
        except Invalid as refusal:
            problems = refusal.problems
        else:
            return go(request, f"{place.base}/{server_id}")
    errors = {problem.field: words.problem(problem.message) for problem in problems}
    return await _show(request, database, providers, viewer, place, server_id, chosen, errors, hostname)
