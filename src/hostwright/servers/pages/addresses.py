"""Who had this address then: staff ask with a reason, and each question stands in the audit log."""

from typing import Any, Final

from litestar import Controller, Response

from hostwright.core.db import Tx
from hostwright.core.errors import Invalid
from hostwright.identity.schemas import StaffViewer
from hostwright.servers.service import actor_of
from hostwright.servers.service.addresses import export, look_up, read_question
from hostwright.servers.views.addresses import BASE, COLUMNS, FIELDS, AddressesView, asked_words, cells, field_words
from hostwright.servers.views.export import csv_head, csv_lines
from hostwright.servers.views.paging import Place, wanted_page
from hostwright.web.answer import page
from hostwright.web.i18n import choose_language
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.openapi import page_get
from hostwright.web.render import renderer

LONGEST: Final = 1000
REFUSED: Final = 422


def _values(request: AnyRequest) -> dict[str, str]:
    return {name: request.query_params.get(name, "")[:LONGEST] for name in FIELDS}


class AddressPages(Controller):
    """Address history, for staff."""

    path = BASE

    @page_get("", auth="admin")
    async def addresses(self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[StaffViewer]) -> Response[Any]:
        """The form, and what was found once it was sent."""
        choose_language(request, pseudo=renderer().pseudo)
        await renderer().navigation.fill_counts(request, tx, viewer)
        values = _values(request)
        if not any(values[name] for name in ("reason", "at", "from", "to")):
            return page(request, "servers/addresses.html", {"a": AddressesView(values)})
        try:
            asked = read_question(values, renderer().now())
        except Invalid as error:
            errors = {problem.field: field_words(problem.message) for problem in error.problems}
            view = AddressesView(values, errors)
            return page(request, "servers/addresses.html", {"a": view}, status=REFUSED)
        part = wanted_page(request.query_params)
        rows, total = await look_up(tx, actor_of(viewer), asked, part)
        place = Place(BASE, part.number, total, len(rows), values)
        file = Place(f"{BASE}.csv", 1, total, len(rows), values).link()
        words = asked_words(asked.held)
        view = AddressesView(values, {}, rows, place, f"{asked.held.address}, {words}", file)
        return page(request, "servers/addresses.html", {"a": view})


class AddressFiles(Controller):
    """Address history as a file, for staff."""

    @page_get(f"{BASE}.csv", auth="admin")
    async def file(self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[StaffViewer]) -> Response[Any]:
        """What was found, at most 10,000 lines, newest first; a question that makes no sense is refused."""
        choose_language(request, pseudo=renderer().pseudo)
        rows = await export(tx, actor_of(viewer), read_question(_values(request), renderer().now()))
        content = csv_head(COLUMNS) + csv_lines(cells(row) for row in rows)
        name = f"address-history-{renderer().now():%Y-%m-%d}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(content, media_type="text/csv", headers=headers)
