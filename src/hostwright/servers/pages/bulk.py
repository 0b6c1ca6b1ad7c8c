"""Many servers at once: what was chosen in a list, what would happen, what became of it."""

from collections.abc import Sequence
from typing import Any, Final

from litestar import Response

from hostwright.core.db import Database, Db
from hostwright.core.errors import Invalid
from hostwright.identity.schemas import Viewer
from hostwright.servers import service
from hostwright.servers.pages.screens import AnyRequest, Place
from hostwright.servers.queries import operations
from hostwright.servers.records import ActionKind
from hostwright.servers.schemas.operations import MOST_AT_ONCE
from hostwright.servers.service.bulk import (
    FOR_CUSTOMERS,
    FOR_STAFF,
    SelectionChanged,
    Wish,
    dry_run,
    run_bulk,
)
from hostwright.servers.views import words
from hostwright.servers.views.bulk import NOT_FOUND, REFUSALS, bulk_view, summary_url, summary_view
from hostwright.web.answer import go, page
from hostwright.web.bodies import form_lists
from hostwright.web.i18n import choose_language
from hostwright.web.render import renderer

LONGEST_ID: Final = 18


def _ids(texts: Sequence[str]) -> list[int]:
    return list(dict.fromkeys(int(text) for text in texts if text.isdecimal() and len(text) <= LONGEST_ID))


def _kind(place: Place, text: str) -> ActionKind | None:
    """The action that a form names, if it may be asked of many at this place."""
    allowed = FOR_STAFF if place.staff else FOR_CUSTOMERS
    return ActionKind(text) if text in {kind.value for kind in allowed} else None


async def show_bulk(request: AnyRequest, db: Db, viewer: Viewer, place: Place) -> Response[Any]:
    """What would become of each server that was chosen; nothing is done yet."""
    choose_language(request, pseudo=renderer().pseudo)
    query = request.query_params
    return await _show(request, db, viewer, place, _kind(place, query.get("action", "")), _ids(query.getall("id", [])))


async def _show(  # noqa: PLR0913  the parts of a page
    request: AnyRequest,
    db: Db,
    viewer: Viewer,
    place: Place,
    kind: ActionKind | None,
    ids: Sequence[int],
    *,
    changed: bool = False,
    reason: str = "",
    errors: dict[str, str] | None = None,
) -> Response[Any]:
    await renderer().navigation.fill_counts(request, db, viewer)
    context: dict[str, Any] = {"view": None, "place": place, "most": MOST_AT_ONCE, "too_many": len(ids) > MOST_AT_ONCE}
    if kind is not None and 1 <= len(ids) <= MOST_AT_ONCE:
        found = await dry_run(db, viewer.scope, ids, kind)
        rows = await operations.rows_of(db, viewer.scope, ids)
        context["view"] = bulk_view(place.base, kind, found, rows, changed=changed)
    context |= {"reason": reason, "errors": errors or {}}
    return page(request, "servers/bulk.html", context, status=422 if errors else 409 if changed else 200)


async def do_bulk(request: AnyRequest, database: Database, viewer: Viewer, place: Place) -> Response[Any]:
    """Do it, and lead to where it is told what becomes of each; what changed meanwhile is shown again instead."""
    choose_language(request, pseudo=renderer().pseudo)
    form = await form_lists(request)
    kind, ids = _kind(place, (form.get("action") or [""])[-1]), _ids(form.get("id", []))
    if kind is None or not 1 <= len(ids) <= MOST_AT_ONCE:
        return go(request, place.base)
    actor = service.actor_of(viewer)
    reason = (form.get("reason") or [""])[-1]
    wish = Wish(kind, (form.get("seen") or [None])[-1], reason)
    changed, errors = False, {}
    try:
        found = await run_bulk(database, actor, viewer.scope, ids, wish)
    except SelectionChanged:
        changed = True
    except Invalid as refusal:
        errors = {problem.field: words.problem(problem.message) for problem in refusal.problems}
    else:
        return go(request, summary_url(place.base, kind, found))
    async with database.acquire() as db:
        return await _show(request, db, viewer, place, kind, ids, changed=changed, reason=reason, errors=errors)


def _refused(texts: Sequence[str]) -> list[tuple[int, str]]:
    """Which servers were left out and why, as the address tells; what makes no sense is left out itself."""
    found: list[tuple[int, str]] = []
    for text in texts[:MOST_AT_ONCE]:
        number, _, code = text.partition(":")
        if number.isdecimal() and len(number) <= LONGEST_ID and (code in REFUSALS or code == NOT_FOUND):
            found.append((int(number), code))
    return found


async def show_summary(request: AnyRequest, db: Db, viewer: Viewer, place: Place) -> Response[Any]:
    """What became of each server so far; an address that can be left and come back to."""
    choose_language(request, pseudo=renderer().pseudo)
    query = request.query_params
    kind = _kind(place, query.get("action", ""))
    wanted = _ids(query.getall("a", []))[:MOST_AT_ONCE]
    found = await operations.actions_by_id(db, viewer.scope, wanted)
    actions = [found[number] for number in wanted if number in found]
    refused = _refused(query.getall("r", []))
    numbers = [action.server_id for action in actions] + [number for number, _ in refused]
    rows = await operations.rows_of(db, viewer.scope, numbers)
    view = summary_view(place.base, kind, actions, refused, rows) if kind and numbers else None
    await renderer().navigation.fill_counts(request, db, viewer)
    return page(request, "servers/bulk_summary.html", {"view": view, "place": place})
