"""Whose servers are whose: lists of what fits nowhere, and linking users at VirtFusion to customers."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Controller, Response
from litestar.params import FromPath

from hostwright.core.db import Database, Db, Tx
from hostwright.core.errors import AppError, Invalid, NotFound
from hostwright.core.text import containing, storable
from hostwright.identity.schemas import StaffViewer
from hostwright.servers.pages.screens import LONGEST_ID
from hostwright.servers.ports import Providers
from hostwright.servers.queries import connections_admin as connections
from hostwright.servers.queries import owners as statements
from hostwright.servers.queries.owners import AccountRow
from hostwright.servers.service import actor_of
from hostwright.servers.service import owners as service
from hostwright.servers.service.connections import AccountTaken
from hostwright.servers.service.owners import NewCustomer, NothingThere, OutsideUser
from hostwright.servers.views.owners import (
    BASE,
    GroupView,
    OwnersView,
    PersonView,
    field_words,
    link,
    server_view,
    tabs,
)
from hostwright.servers.views.paging import Place, wanted_page
from hostwright.web.answer import go, page
from hostwright.web.bodies import form_values
from hostwright.web.i18n import choose_language, gettext
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.openapi import page_get, page_post
from hostwright.web.render import renderer

SHOWN: Final = 20
REFUSED: Final = 422
LONGEST_WORDS: Final = 100


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID else 0


def _words(request: AnyRequest) -> str:
    return storable(request.query_params.get("q", "")).strip()[:LONGEST_WORDS]


async def _show(request: AnyRequest, db: Db, viewer: StaffViewer, view: OwnersView) -> Response[Any]:
    await renderer().navigation.fill_counts(request, db, viewer)
    return page(request, "servers/owners.html", {"o": view})


def _accounts_view(part: str, rows: list[AccountRow], total: int, q: str, after: int) -> OwnersView:
    base = f"{BASE}/{part}"
    more = rows[SHOWN - 1].id if len(rows) > SHOWN else 0
    return OwnersView(
        part=part,
        tabs=tabs(),
        tab=base,
        total=total,
        accounts=rows[:SHOWN],
        q=q,
        next=link(base, q=q, after=more) if more else "",
        newest=link(base, q=q) if after else "",
    )


async def _person(  # noqa: PLR0913  the parts of one page
    request: AnyRequest,
    db: Db,
    connection_id: int,
    external_user_id: int,
    outside: OutsideUser,
    values: Mapping[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> PersonView:
    connection = await connections.facts.one(db, connection_id)
    part = wanted_page(request.query_params)
    rows, total = await statements.servers_of(db, connection_id, external_user_id, part)
    account = await statements.account_of_user.maybe(db, connection_id, external_user_id)
    q = _words(request)
    found = [] if account is not None or not external_user_id else await service.candidates(db, connection_id, q)
    user = outside.user
    filled = {"fullName": user.name, "email": user.email} if user is not None else {}
    place = Place(f"{BASE}/{connection_id}/{external_user_id}", part.number, total, len(rows), {"q": q})
    return PersonView(
        connection_id=connection_id,
        connection_name=connection.name,
        external_user_id=external_user_id,
        user=user,
        problem=gettext(outside.problem) if outside.problem else "",
        account=account,
        servers=[server_view(row) for row in rows],
        place=place,
        q=q,
        candidates=found,
        values=dict(values) if values is not None else filled,
        errors=errors or {},
    )


async def _outside(database: Database, providers: Providers, connection_id: int, external_user_id: int) -> OutsideUser:
    if not external_user_id:
        return OutsideUser(None, None)
    return await service.read_outside_user(database, providers, connection_id, external_user_id)


class OwnerPages(Controller):
    """Servers without an owner, owners without servers, and what ties the two; for staff."""

    path = BASE

    @page_get("", auth="admin")
    async def unowned(self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer]) -> Response[Any]:
        """Servers that belong to no customer, by the user that has them at VirtFusion."""
        choose_language(request, pseudo=renderer().pseudo)
        query = request.query_params
        after = (_number(query.get("connection", "")), _number(query.get("after", "")))
        rows = await statements.unowned_page(db, after, SHOWN + 1)
        unsaid = [] if any(after) else await statements.unsaid.all(db)
        last = rows[SHOWN - 1] if len(rows) > SHOWN else None
        view = OwnersView(
            part="unowned",
            tabs=tabs(),
            tab=BASE,
            total=await statements.unowned_total.value(db),
            groups=[GroupView(row) for row in (*unsaid, *rows[:SHOWN])],
            next=link(BASE, connection=last.connection_id, after=last.external_owner_id) if last else "",
            newest=BASE if any(after) else "",
        )
        return await _show(request, db, viewer, view)

    @page_get("/idle", auth="admin")
    async def idle(self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer]) -> Response[Any]:
        """Customers who are linked and have no server there."""
        choose_language(request, pseudo=renderer().pseudo)
        after = _number(request.query_params.get("after", ""))
        rows = await statements.idle_accounts.all(db, after, SHOWN + 1)
        return await _show(request, db, viewer, _accounts_view("idle", rows, 0, "", after))

    @page_get("/links", auth="admin")
    async def links(self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer]) -> Response[Any]:
        """Every customer who is linked."""
        choose_language(request, pseudo=renderer().pseudo)
        after, q = _number(request.query_params.get("after", "")), _words(request)
        rows = await statements.accounts.all(db, after, SHOWN + 1, containing(q))
        total = await statements.accounts_total.value(db)
        return await _show(request, db, viewer, _accounts_view("links", rows, total, q, after))

    @page_get("/{connection_id:int}/{external_user_id:int}", auth="admin")
    async def person(
        self,
        request: AnyRequest,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[StaffViewer],
        connection_id: FromPath[int],
        external_user_id: FromPath[int],
    ) -> Response[Any]:
        """Who that is, asked of VirtFusion; when that does not answer the page says so and stays."""
        choose_language(request, pseudo=renderer().pseudo)
        outside = await _outside(database, providers, connection_id, external_user_id)
        return await _show_person(request, database, viewer, (connection_id, external_user_id), outside)

    @page_post("/{connection_id:int}/{external_user_id:int}/link", auth="admin")
    async def link(
        self,
        request: AnyRequest,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[StaffViewer],
        connection_id: FromPath[int],
        external_user_id: FromPath[int],
    ) -> Response[Any]:
        """Say that it is this customer."""
        choose_language(request, pseudo=renderer().pseudo)
        customer_id = _number((await form_values(request)).get("customer", ""))
        outside = await service.read_outside_user(database, providers, connection_id, external_user_id)
        async with database.transaction() as tx:
            await service.link(tx, actor_of(viewer), connection_id, external_user_id, customer_id, outside.user)
        return go(request, f"{BASE}/{connection_id}/{external_user_id}")

    @page_post("/{connection_id:int}/{external_user_id:int}/create", auth="admin")
    async def create(
        self,
        request: AnyRequest,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[StaffViewer],
        connection_id: FromPath[int],
        external_user_id: FromPath[int],
    ) -> Response[Any]:
        """Make a customer of it; whatever is refused shows the form again with all that was written."""
        choose_language(request, pseudo=renderer().pseudo)
        values = {name: text.strip() for name, text in (await form_values(request)).items() if name != "csrf"}
        outside = await service.read_outside_user(database, providers, connection_id, external_user_id)
        wanted = NewCustomer(values.get("fullName", ""), values.get("email", ""))
        try:
            async with database.transaction() as tx:
                actor = actor_of(viewer)
                await service.make_customer(tx, actor, connection_id, external_user_id, wanted, outside.user)
        except (Invalid, AccountTaken, NothingThere) as error:
            where = (connection_id, external_user_id)
            return await _show_person(request, database, viewer, where, outside, values, _errors(error))
        return go(request, f"{BASE}/{connection_id}/{external_user_id}")

    @page_post("/accounts/{account_id:int}/unlink", auth="admin")
    async def unlink(
        self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[StaffViewer], account_id: FromPath[int]
    ) -> Response[Any]:
        """Undo it; nothing changes at VirtFusion."""
        row, lost = await service.unlink(tx, actor_of(viewer), account_id)
        return go(request, f"{BASE}/{row.connection_id}/{row.external_user_id}" if lost else f"{BASE}/idle")


async def _show_person(  # noqa: PLR0913  the parts of one page
    request: AnyRequest,
    database: Database,
    viewer: StaffViewer,
    where: tuple[int, int],
    outside: OutsideUser,
    values: Mapping[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response[Any]:
    async with database.acquire() as db:
        view = await _person(request, db, *where, outside, values, errors)
        if not view.servers and view.account is None and view.place.page == 1:
            raise NotFound
        await renderer().navigation.fill_counts(request, db, viewer)
    return page(request, "servers/owner.html", {"p": view}, status=REFUSED if errors else 200)


def _errors(error: AppError) -> dict[str, str]:
    if isinstance(error, Invalid):
        return {problem.field: field_words(problem.message) for problem in error.problems}
    return {"form": gettext(error.message)}
