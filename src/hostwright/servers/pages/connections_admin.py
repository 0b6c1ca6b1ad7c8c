"""Pages for attached control systems: several VirtFusions, each with its check, its budget and its errors."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from litestar import Controller, Response
from litestar.params import FromPath
from msgspec import Meta

from hostwright.core.crypto import Keyring
from hostwright.core.db import Database, Db, Tx
from hostwright.core.errors import AppError, FieldProblem, Invalid
from hostwright.identity.schemas import StaffViewer
from hostwright.servers.ports import Trial
from hostwright.servers.queries import connections_admin as admin
from hostwright.servers.queries.connections_admin import ConnectionFacts
from hostwright.servers.schemas.connections import BaseUrl, Calls, Name
from hostwright.servers.service import actor_of
from hostwright.servers.service import connections_admin as service
from hostwright.servers.service.connections_admin import TAKEN, ChangedMeanwhile, Tried, Wish, usual_url
from hostwright.servers.views.connections_admin import (
    FormView,
    advice_for,
    area_views,
    connection_view,
    detail_view,
    field_words,
)
from hostwright.web.answer import go, page
from hostwright.web.bodies import decode_form, form_values
from hostwright.web.i18n import choose_language, gettext
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.openapi import page_get, page_post
from hostwright.web.render import renderer

BASE: Final = "/admin/connections"
REFUSED: Final = 422
DEFAULTS: Final = {"name": "", "baseUrl": "", "callsPerMinute": "120", "verifyTls": "true"}


class Form(msgspec.Struct, rename="camel"):
    """A form as it was sent; a checkbox that is not ticked is not sent at all."""

    name: Name
    base_url: BaseUrl
    calls_per_minute: Calls
    token: Annotated[str, Meta(max_length=4096)] = ""
    verify_tls: bool = False
    allow_private_targets: bool = False
    anyway: bool = False
    twice: bool = False
    version: str = ""

    def __repr__(self) -> str:
        """Without the token."""
        return f"Form(name={self.name!r})"


def _read_form(values: Mapping[str, str]) -> tuple[Form, Wish]:
    """The form and what it wishes for; raises `Invalid`."""
    trimmed = {name: value.strip() for name, value in values.items()}
    form = decode_form(Form, trimmed)
    if not form.token.isascii() or not form.token.isprintable() or " " in form.token:
        raise Invalid([FieldProblem("token", "does not match regex")])
    return form, Wish(
        name=form.name,
        base_url=usual_url(form.base_url),
        token=form.token,
        verify_tls=form.verify_tls,
        calls_per_minute=form.calls_per_minute,
        allow_private_targets=form.allow_private_targets,
    )


def _shown(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in {"token", "csrf"}}


def _stored(row: ConnectionFacts) -> dict[str, str]:
    return {
        "name": row.name,
        "baseUrl": row.base_url,
        "callsPerMinute": str(row.calls_per_minute),
        "verifyTls": "true" if row.verify_tls else "",
        "allowPrivateTargets": "true" if row.allow_private_targets else "",
        "version": service.version_of(row),
    }


def _form_view(values: Mapping[str, str], row: ConnectionFacts | None, **more: Any) -> FormView:
    if row is None:
        return FormView(None, gettext("Add connection"), BASE, _shown(values), **more)
    title = gettext("Edit %(name)s", name=row.name)
    return FormView(row.id, title, f"{BASE}/{row.id}", _shown(values), **more)


def _refusal(error: AppError) -> dict[str, Any]:
    """What a form says about a refusal."""
    if not isinstance(error, Invalid):
        return {"errors": {"form": gettext(error.message)}}
    twice = next((one for one in error.problems if one.message == TAKEN), None)
    if twice is not None:
        text = gettext("This address is attached already. Its servers would stand in the panel twice.")
        return {"errors": {"baseUrl": text}, "twice": "baseUrl"}
    return {"errors": {problem.field: field_words(problem.message) for problem in error.problems}}


def _failed(tried: Tried) -> dict[str, Any]:
    areas = area_views(tried.areas)
    return {"areas": areas, "advice": advice_for(areas), "can_save_anyway": True}


class ConnectionPages(Controller):
    """Attached control systems, for staff."""

    path = BASE

    @page_get("", auth="admin")
    async def connections(self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer]) -> Response[Any]:
        """All of them."""
        choose_language(request, pseudo=renderer().pseudo)
        rows = [connection_view(row) for row in await admin.all_facts.all(db)]
        await renderer().navigation.fill_counts(request, db, viewer)
        return page(request, "servers/connections.html", {"rows": rows})

    @page_get("/new", auth="admin")
    async def new(self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer]) -> Response[Any]:
        """The form for another one."""
        choose_language(request, pseudo=renderer().pseudo)
        await renderer().navigation.fill_counts(request, db, viewer)
        return page(request, "servers/connection_form.html", {"f": _form_view(DEFAULTS, None)})

    @page_post("", auth="admin")
    async def add(
        self,
        request: AnyRequest,
        database: Injected[Database],
        keyring: Injected[Keyring],
        trial: Injected[Trial],
        viewer: Injected[StaffViewer],
    ) -> Response[Any]:
        """Test it, then attach it; a refusal shows the form again with all but the token."""
        choose_language(request, pseudo=renderer().pseudo)
        values = await form_values(request)
        try:
            form, wish = _read_form(values)
            tried = await service.try_wish(database, keyring, trial, wish)
            if not tried.ok and not form.anyway:
                return await _again(request, database, viewer, _form_view(values, None, **_failed(tried)))
            async with database.transaction() as tx:
                number = await service.attach(tx, keyring, actor_of(viewer), wish, tried, twice=form.twice)
        except Invalid as error:
            return await _again(request, database, viewer, _form_view(values, None, **_refusal(error)))
        return go(request, f"{BASE}/{number}")

    @page_get("/{connection_id:int}", auth="admin")
    async def connection(
        self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer], connection_id: FromPath[int]
    ) -> Response[Any]:
        """One of them."""
        choose_language(request, pseudo=renderer().pseudo)
        row = await admin.facts.one(db, connection_id)
        standing = await admin.standing.one(db, connection_id)
        view = detail_view(row, await admin.probes.all(db, connection_id), standing)
        await renderer().navigation.fill_counts(request, db, viewer)
        return page(request, "servers/connection.html", {"d": view, "c": view.connection})

    @page_get("/{connection_id:int}/edit", auth="admin")
    async def edit(
        self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer], connection_id: FromPath[int]
    ) -> Response[Any]:
        """Its form."""
        choose_language(request, pseudo=renderer().pseudo)
        row = await admin.facts.one(db, connection_id)
        await renderer().navigation.fill_counts(request, db, viewer)
        return page(request, "servers/connection_form.html", {"f": _form_view(_stored(row), row)})

    @page_post("/{connection_id:int}", auth="admin")
    async def change(
        self,
        request: AnyRequest,
        database: Injected[Database],
        keyring: Injected[Keyring],
        trial: Injected[Trial],
        viewer: Injected[StaffViewer],
        connection_id: FromPath[int],
    ) -> Response[Any]:
        """Test it, then change it; an empty token keeps the one that is stored."""
        choose_language(request, pseudo=renderer().pseudo)
        values = await form_values(request)
        async with database.acquire() as db:
            row = await admin.facts.one(db, connection_id)
        try:
            form, wish = _read_form(values)
            tried = None
            if service.reaches_elsewhere(row, wish):
                tried = await service.try_wish(database, keyring, trial, wish, connection_id)
                if not tried.ok and not form.anyway:
                    return await _again(request, database, viewer, _form_view(values, row, **_failed(tried)))
            async with database.transaction() as tx:
                actor = actor_of(viewer)
                version = form.version or None
                await service.change(tx, keyring, actor, connection_id, wish, tried, version=version, twice=form.twice)
        except (Invalid, ChangedMeanwhile) as error:
            return await _again(request, database, viewer, _form_view(values, row, **_refusal(error)))
        return go(request, f"{BASE}/{connection_id}")

    @page_post("/{connection_id:int}/check", auth="admin")
    async def check(
        self,
        request: AnyRequest,
        database: Injected[Database],
        keyring: Injected[Keyring],
        trial: Injected[Trial],
        viewer: Injected[StaffViewer],
        connection_id: FromPath[int],
    ) -> Response[Any]:
        """Ask VirtFusion for each thing that we need."""
        await service.check_now(database, keyring, trial, actor_of(viewer), connection_id)
        return go(request, f"{BASE}/{connection_id}")

    @page_post("/{connection_id:int}/switch-off", auth="admin")
    async def switch_off(
        self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[StaffViewer], connection_id: FromPath[int]
    ) -> Response[Any]:
        """Ask nothing of it any more."""
        await service.switch(tx, actor_of(viewer), connection_id, enabled=False)
        return go(request, f"{BASE}/{connection_id}")

    @page_post("/{connection_id:int}/switch-on", auth="admin")
    async def switch_on(
        self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[StaffViewer], connection_id: FromPath[int]
    ) -> Response[Any]:
        """Read it again."""
        await service.switch(tx, actor_of(viewer), connection_id, enabled=True)
        return go(request, f"{BASE}/{connection_id}")

    @page_post("/{connection_id:int}/remove", auth="admin")
    async def remove(
        self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[StaffViewer], connection_id: FromPath[int]
    ) -> Response[Any]:
        """Forget it."""
        await service.remove(tx, actor_of(viewer), connection_id)
        return go(request, BASE)


async def _again(request: AnyRequest, database: Database, viewer: StaffViewer, form: FormView) -> Response[Any]:
    async with database.acquire() as db:
        await renderer().navigation.fill_counts(request, db, viewer)
    return page(request, "servers/connection_form.html", {"f": form}, status=REFUSED)
