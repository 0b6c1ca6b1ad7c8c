"""Pages of the identity feature: sign in, register, sign out, sessions."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from litestar import Controller, Response
from litestar.datastructures import Cookie
from litestar.params import FromPath
from litestar.response import Redirect

from hostwright.core.config import Config
from hostwright.core.db import Database, Db, Tx
from hostwright.core.errors import AppError, Invalid, NotFound
from hostwright.identity import queries, service
from hostwright.identity.access import Caller, client_of
from hostwright.identity.api import ended_cookies, session_cookies
from hostwright.identity.records import Role
from hostwright.identity.schemas import Register, SignIn, Viewer
from hostwright.settings.queries import setup_is_open
from hostwright.web.bodies import decode_form, form_values
from hostwright.web.i18n import choose_language, gettext
from hostwright.web.inject import AnyRequest, Injected, Services
from hostwright.web.messages import field_message
from hostwright.web.openapi import page_get, page_post
from hostwright.web.render import render, renderer
from hostwright.web.shell import NavGroup, NavItem

HOME: Final = "/servers"
STAFF_HOME: Final = "/admin/servers"
SETUP: Final = "/setup"


def home_of(role: Role) -> str:
    """Where the day begins: with one's own servers, for staff with everybody's."""
    return STAFF_HOME if role is Role.ADMIN else HOME


def safe_next(target: str | None, home: str) -> str:
    """Where to go after signing in: a path of ours, or home."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return home
    parts = urlsplit(target)
    return home if parts.scheme or parts.netloc or "\\" in target or not target.isprintable() else target


def _go(target: str, cookies: list[Cookie] | None = None) -> Response[Any]:
    return Redirect(target, status_code=303, cookies=cookies or [])


def _form(
    request: AnyRequest, template: str, values: dict[str, str], errors: dict[str, str], status: int
) -> Response[Any]:
    shown = {name: value for name, value in values.items() if name not in ("password", "csrf")}
    context = {"values": shown, "errors": errors, "next": values.get("next", "")}
    return render(request, template, context, status=status)


def _field_errors(request: AnyRequest, error: AppError) -> dict[str, str]:
    choose_language(request, pseudo=renderer().pseudo)
    if isinstance(error, Invalid):
        return {problem.field: field_message(problem.message) for problem in error.problems}
    return {"": gettext(error.message)}


class IdentityShell:
    """The sidebar's line for one's own account."""

    def groups(self, viewer: Viewer, counts: Mapping[str, int]) -> Sequence[NavGroup]:
        """The same for everybody."""
        del viewer, counts
        sessions = NavItem(icon="monitor-smartphone", label=gettext("Sessions"), url="/account/sessions")
        return [NavGroup(gettext("Account"), (sessions,))]

    async def counts(self, db: Db, viewer: Viewer) -> Mapping[str, int]:
        """No figures."""
        del db, viewer
        return {}


class SignInPages(Controller):
    """Getting in and out, with or without JavaScript."""

    @page_get("/", auth="public")
    async def home(self, caller: Injected[Caller], database: Injected[Database]) -> Response[Any]:
        """The first page there is: that of the first run until the company is set up."""
        if caller.viewer is None or caller.viewer.is_staff:
            async with database.acquire() as db:
                if await setup_is_open.value(db):
                    return _go(SETUP)
        return _go(home_of(caller.viewer.role) if caller.viewer else "/sign-in")

    @page_get("/sign-in", auth="public")
    async def sign_in_form(self, request: AnyRequest, caller: Injected[Caller]) -> Response[Any]:
        """The form, or home for somebody who is signed in."""
        target = request.query_params.get("next", "")
        if caller.viewer is not None:
            return _go(safe_next(target, home_of(caller.viewer.role)))
        return _form(request, "identity/sign_in.html", {"next": target}, {}, 200)

    @page_post("/sign-in", auth="public")
    async def sign_in(
        self, request: AnyRequest, database: Injected[Database], services: Injected[Services]
    ) -> Response[Any]:
        """Sign in and go on; a refusal shows the form again with the reason."""
        values = await form_values(request)
        try:
            wanted = decode_form(SignIn, values)
            user, session = await service.sign_in(
                database,
                services.passwords,
                services.keyring,
                wanted,
                client_of(request),
                session_days=services.config.session_days,
            )
        except AppError as error:
            status = 422 if isinstance(error, Invalid) or error.status == 401 else error.status  # noqa: PLR2004
            return _form(request, "identity/sign_in.html", values, _field_errors(request, error), status)
        return _go(safe_next(values.get("next"), home_of(user.role)), session_cookies(services, session))

    @page_get("/register", auth="public")
    async def register_form(self, request: AnyRequest, caller: Injected[Caller]) -> Response[Any]:
        """The form for a new account."""
        if caller.viewer is not None:
            return _go(home_of(caller.viewer.role))
        return _form(request, "identity/register.html", {}, {}, 200)

    @page_post("/register", auth="public")
    async def register(
        self, request: AnyRequest, database: Injected[Database], services: Injected[Services]
    ) -> Response[Any]:
        """Create the account and sign in; bad fields show the form again, filled in."""
        values = await form_values(request)
        try:
            wanted = decode_form(Register, values)
            _, session = await service.register(
                database, services.passwords, wanted, client_of(request), session_days=services.config.session_days
            )
        except AppError as error:
            status = 422 if isinstance(error, Invalid) else error.status
            return _form(request, "identity/register.html", values, _field_errors(request, error), status)
        return _go(HOME, session_cookies(services, session))

    @page_post("/sign-out")
    async def sign_out(self, tx: Injected[Tx], viewer: Injected[Viewer], app_config: Injected[Config]) -> Response[Any]:
        """End this session and show the sign-in page."""
        if viewer.session_id is not None:
            await service.end_session(tx, viewer.session_id)
        return _go("/sign-in", ended_cookies(app_config))


class SessionPages(Controller):
    """Where one is signed in."""

    path = "/account/sessions"

    @page_get("")
    async def sessions(
        self, request: AnyRequest, db: Injected[Db], viewer: Injected[Viewer], app_config: Injected[Config]
    ) -> Response[Any]:
        """Every live session of the user, the latest first."""
        rows = await queries.sessions_of.all(db, viewer.user_id, service.idle_time(app_config.session_idle_hours))
        await renderer().navigation.fill_counts(request, db, viewer)
        return render(request, "identity/sessions.html", {"sessions": rows, "current": viewer.session_id})

    @page_post("/{session_id:int}/revoke")
    async def revoke(self, tx: Injected[Tx], viewer: Injected[Viewer], session_id: FromPath[int]) -> Response[Any]:
        """End one session; one's own ends with a sign-out."""
        if not await service.revoke_session(tx, viewer.user_id, session_id):
            raise NotFound
        return _go("/sign-in" if session_id == viewer.session_id else "/account/sessions")

    @page_post("/revoke-others")
    async def revoke_others(self, tx: Injected[Tx], viewer: Injected[Viewer]) -> Response[Any]:
        """End every other session."""
        await service.revoke_other_sessions(tx, viewer.user_id, viewer.session_id or 0)
        return _go("/account/sessions")
