"""Pages of one's own profile and password."""

from typing import Any, Final

from litestar import Controller, Response
from litestar.datastructures import Cookie

from hostwright.core.db import Database, Db, Tx
from hostwright.core.errors import AppError, Invalid
from hostwright.identity.pages.common import field_errors, go
from hostwright.identity.queries import account as sql
from hostwright.identity.schemas import PasswordChange, ProfileChange, Viewer
from hostwright.identity.service.password import change_password
from hostwright.identity.service.profile import change_profile
from hostwright.web.bodies import decode_form, form_values
from hostwright.web.i18n import COOKIE
from hostwright.web.inject import AnyRequest, Injected, Services
from hostwright.web.openapi import page_get, page_post
from hostwright.web.render import render, renderer

PROFILE: Final = "/account/profile"
PASSWORD: Final = "/account/password"  # noqa: S105  a page's address
REFUSED: Final = 422
A_YEAR: Final = 31_536_000


async def _profile(
    request: AnyRequest, db: Db, viewer: Viewer, values: dict[str, str], errors: dict[str, str], status: int = 200
) -> Response[Any]:
    account = await sql.account_of.one(db, viewer.user_id)
    await renderer().navigation.fill_counts(request, db, viewer)
    shown = {"fullName": account.full_name, "language": account.language} | values
    context = {"account": account, "values": shown, "errors": errors, "saved": "saved" in request.query_params}
    return render(request, "identity/profile.html", context, status=status)


async def _password(
    request: AnyRequest, db: Db, viewer: Viewer, errors: dict[str, str], status: int = 200
) -> Response[Any]:
    await renderer().navigation.fill_counts(request, db, viewer)
    context = {"errors": errors, "saved": "saved" in request.query_params}
    return render(request, "identity/password.html", context, status=status)


def _language_cookie(services: Services, language: str) -> Cookie:
    """What the language menu sets too: it goes before the account's language, so it has to follow."""
    secure = services.config.secure_cookies
    return Cookie(key=COOKIE, value=language, max_age=A_YEAR, path="/", secure=secure, samesite="lax")


class AccountPages(Controller):
    """Who one is, and how one gets in."""

    @page_get(PROFILE)
    async def profile(self, request: AnyRequest, db: Injected[Db], viewer: Injected[Viewer]) -> Response[Any]:
        """Name, language, and what is known about the account."""
        return await _profile(request, db, viewer, {}, {})

    @page_post(PROFILE)
    async def save_profile(
        self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[Viewer], services: Injected[Services]
    ) -> Response[Any]:
        """Store name and language; the next page is in that language."""
        values = await form_values(request)
        try:
            user = await change_profile(tx, viewer, decode_form(ProfileChange, values))
        except Invalid as error:
            return await _profile(request, tx, viewer, values, field_errors(request, error), REFUSED)
        return go(f"{PROFILE}?saved=1", [_language_cookie(services, user.language)])

    @page_get(PASSWORD)
    async def password(self, request: AnyRequest, db: Injected[Db], viewer: Injected[Viewer]) -> Response[Any]:
        """The form for another password."""
        return await _password(request, db, viewer, {})

    @page_post(PASSWORD)
    async def save_password(
        self, request: AnyRequest, database: Injected[Database], viewer: Injected[Viewer], services: Injected[Services]
    ) -> Response[Any]:
        """Change the password; a refusal shows the form again, empty, with the reason."""
        values = await form_values(request)
        try:
            wanted = decode_form(PasswordChange, values)
            await change_password(database, services.passwords, services.keyring, viewer, wanted)
        except AppError as error:
            status = REFUSED if isinstance(error, Invalid) else error.status
            async with database.acquire() as db:
                return await _password(request, db, viewer, field_errors(request, error), status)
        return go(f"{PASSWORD}?saved=1")
