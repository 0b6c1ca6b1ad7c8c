"""Pages of hypervisors: how full they are, and who is on one."""

from typing import Any, Final

from litestar import Controller, Response
from litestar.params import FromPath

from hostwright.core.db import Db, Tx
from hostwright.core.text import storable
from hostwright.identity.schemas import StaffViewer
from hostwright.servers.pages.screens import LONGEST_ID
from hostwright.servers.queries import hypervisors as statements
from hostwright.servers.queries.hypervisors import Wanted
from hostwright.servers.service import actor_of
from hostwright.servers.service.hypervisors import queue_sync
from hostwright.servers.views.hypervisors import BASE, guest_view, hypervisor_view, list_view
from hostwright.servers.views.paging import Place, wanted_page
from hostwright.web.answer import answer, page, toast
from hostwright.web.i18n import choose_language, gettext
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.openapi import page_get, page_post
from hostwright.web.render import renderer

NO_GROUP: Final = "none"
LONGEST_GROUP: Final = 100


async def _list_context(request: AnyRequest, db: Db, viewer: StaffViewer) -> dict[str, Any]:
    query = request.query_params
    text = query.get("connection", "")
    connection = text if text.isascii() and text.isdecimal() and len(text) < LONGEST_ID else ""
    group = storable(query.get("group", ""))[:LONGEST_GROUP] if connection else ""
    kept = {"connection": connection, "group": group}
    wanted = Wanted(
        int(connection) if connection else None,
        None if not group else "" if group == NO_GROUP else group,
    )
    part = wanted_page(query)
    rows, total = await statements.hypervisor_page(db, wanted, part)
    groups, states = await statements.groups.all(db), await statements.sync_states.all(db)
    await renderer().navigation.fill_counts(request, db, viewer)
    place = Place(BASE, part.number, total, len(rows), kept)
    return {"view": list_view(rows, groups, states, place, renderer().now())}


class HypervisorPages(Controller):
    """The machines that carry servers, for staff."""

    path = BASE

    @page_get("", auth="admin")
    async def hypervisors(self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer]) -> Response[Any]:
        """By group, with how much of each is given away."""
        choose_language(request, pseudo=renderer().pseudo)
        return page(request, "servers/hypervisors.html", await _list_context(request, db, viewer))

    @page_post("/sync", auth="admin")
    async def sync(self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[StaffViewer]) -> Response[Any]:
        """List them anew, as soon as a worker is free."""
        choose_language(request, pseudo=renderer().pseudo)
        queued, waiting = await queue_sync(tx, actor_of(viewer))
        if queued:
            told = toast("success", gettext("The hypervisors are being listed"), gettext("Reload in a moment."))
        elif waiting:
            told = toast("info", gettext("They are being listed already"))
        else:
            told = toast("warning", gettext("No connection is switched on"))
        context = await _list_context(request, tx, viewer)
        return answer(request, "servers/hypervisors.html", context, otherwise=BASE, also=[told])

    @page_get("/{hypervisor_id:int}", auth="admin")
    async def hypervisor(
        self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer], hypervisor_id: FromPath[int]
    ) -> Response[Any]:
        """One of them, and who is on it."""
        choose_language(request, pseudo=renderer().pseudo)
        row = await statements.one.one(db, hypervisor_id)
        part = wanted_page(request.query_params)
        guests, total = await statements.guests_of(db, row, part)
        customers = await statements.customers_on.value(db, row.connection_id, row.name)
        emails = await statements.emails_on.all(db, row.connection_id, row.name)
        await renderer().navigation.fill_counts(request, db, viewer)
        context = {
            "h": hypervisor_view(row),
            "guests": [guest_view(guest) for guest in guests],
            "customers": customers,
            "emails": emails,
            "place": Place(f"{BASE}/{row.id}", part.number, total, len(guests), {}),
        }
        return page(request, "servers/hypervisor.html", context)
