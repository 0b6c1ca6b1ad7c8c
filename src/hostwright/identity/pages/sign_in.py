"""Pages to get in and out."""

from typing import Any, Final

from litestar import Controller, Response

from hostwright.core.config import Config
from hostwright.core.db import Database, Tx
from hostwright.core.errors import AppError, Invalid
from hostwright.identity import service
from hostwright.identity.access import Caller, client_of
from hostwright.identity.api import ended_cookies, session_cookies
from hostwright.identity.pages.common import HOME, field_errors, form, go, home_of, safe_next
from hostwright.identity.schemas import Register, SignIn, Viewer
from hostwright.identity.service.own_sessions import sign_out
from hostwright.settings.queries import setup_is_open
from hostwright.web.bodies import decode_form, form_values
from hostwright.web.inject import AnyRequest, Injected, Services
from hostwright.web.openapi import page_get, page_post

SETUP: Final = "/setup"


class SignInPages(Controller):
    """Getting in and out, with or without JavaScript."""

    @page_get("/", auth="public")
    async def home(self, caller: Injected[Caller], database: Injected[Database]) -> Response[Any]:
        """The first page there is: that of the first run until the company is set up."""
        if caller.viewer is None or caller.viewer.is_staff:
            async with database.acquire() as db:
                if await setup_is_open.value(db):
                    return go(SETUP)
        return go(home_of(caller.viewer.role) if caller.viewer else "/sign-in")

    @page_get("/sign-in", auth="public")
    async def sign_in_form(self, request: AnyRequest, caller: Injected[Caller]) -> Response[Any]:
        """The form, or home for somebody who is signed in."""
        target = request.query_params.get("next", "")
        if caller.viewer is not None:
            return go(safe_next(target, home_of(caller.viewer.role)))
        return form(request, "identity/sign_in.html", {"next": target}, {}, 200)

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
            return form(request, "identity/sign_in.html", values, field_errors(request, error), status)
        return go(safe_next(values.get("next"), home_of(user.role)), session_cookies(services, session))

    @page_get("/register", auth="public")
    async def register_form(self, request: AnyRequest, caller: Injected[Caller]) -> Response[Any]:
        """The form for a new account."""
        if caller.viewer is not None:
            return go(home_of(caller.viewer.role))
        return form(request, "identity/register.html", {}, {}, 200)

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
            return form(request, "identity/register.html", values, field_errors(request, error), status)
        return go(HOME, session_cookies(services, session))

    @page_post("/sign-out")
    async def sign_out(self, tx: Injected[Tx], viewer: Injected[Viewer], app_config: Injected[Config]) -> Response[Any]:
        """End this session and show the sign-in page."""
        await sign_out(tx, viewer)
        return go("/sign-in", ended_cookies(app_config))
