"""The page of API keys. Its form answers with the new key, which stands in no address and in no store."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Controller, Response
from litestar.params import FromPath

from hostwright.core.config import Config
from hostwright.core.db import Database, Db, Tx
from hostwright.core.errors import AppError, Invalid
from hostwright.identity import policy, queries, service
from hostwright.identity.pages.common import field_errors, go
from hostwright.identity.schemas import KeyMake, Viewer
from hostwright.web.bodies import decode_body, form_lists
from hostwright.web.i18n import choose_language, gettext, marked
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.openapi import page_get, page_post, scopes_asked_for
from hostwright.web.render import render, renderer

URL: Final = "/account/keys"
NAME: Final = "name"
SCOPES: Final = "scopes"
DAYS: Final = "expiresInDays"
CHOICES: Final = (30, 60, 90, 180, 365)
USUAL: Final = "90"
LONGEST_NUMBER: Final = 4

GROUPS: Final = (
    (marked("Account"), ("read:user",)),
    (marked("Servers"), ("read:servers", "write:servers")),
    (marked("Game servers"), ("read:gameservers", "write:gameservers")),
    (marked("Domains"), ("read:dns", "write:dns")),
    (marked("Billing"), ("read:billing", "write:billing")),
    (marked("Tickets"), ("read:tickets", "write:tickets")),
    (marked("Staff"), ("admin:users", "admin:billing", "admin:system")),
)
WORDS: Final = {
    "read:user": marked("See your name, address and customer"),
    "read:servers": marked("See servers, their traffic and activity"),
    "write:servers": marked("Switch servers, reinstall them, reset passwords"),
    "read:gameservers": marked("See game servers"),
    "write:gameservers": marked("Operate game servers"),
    "read:dns": marked("See zones and their records"),
    "write:dns": marked("Change zones and their records"),
    "read:billing": marked("See balance, invoices and payments"),
    "write:billing": marked("Pay and change billing details"),
    "read:tickets": marked("Read tickets"),
    "write:tickets": marked("Write and answer tickets"),
    "admin:users": marked("Look after users and customers"),
    "admin:billing": marked("Look after everybody's billing"),
    "admin:system": marked("Look after jobs and settings"),
}
# Raised by the service, which knows no languages.
RAISED: Final = (marked("You have 50 API keys already. Revoke one before you make another."),)


class ScopeLine(msgspec.Struct, frozen=True):
    """One scope to choose."""

    scope: str
    words: str
    chosen: bool


class ScopeGroup(msgspec.Struct, frozen=True):
    """Scopes of one part of the panel."""

    label: str
    lines: list[ScopeLine]


class KeyForm(msgspec.Struct, frozen=True):
    """The form for a new key, as it was sent; None of the page when it is closed."""

    name: str
    days: str
    groups: list[ScopeGroup]
    ends: list[tuple[str, str]]
    errors: dict[str, str]


def _form(
    request: AnyRequest,
    viewer: Viewer,
    sent: Mapping[str, list[str]] | None = None,
    errors: dict[str, str] | None = None,
) -> KeyForm:
    allowed = policy.allowed_scopes(viewer.role) & scopes_asked_for(request.app)
    chosen = (sent or {}).get(SCOPES, [])
    groups = [
        ScopeGroup(
            gettext(label),
            [ScopeLine(scope, gettext(WORDS[scope]), scope in chosen) for scope in scopes if scope in allowed],
        )
        for label, scopes in GROUPS
    ]
    ends = [(str(days), gettext("In %(n)s days", n=days)) for days in CHOICES]
    return KeyForm(
        name=_last(sent or {}, NAME),
        days=USUAL if sent is None else _last(sent, DAYS),
        groups=[group for group in groups if group.lines],
        ends=[*ends, ("", gettext("Never"))],
        errors=errors or {},
    )


def _last(sent: Mapping[str, list[str]], name: str) -> str:
    return sent.get(name, [""])[-1]


def _wanted(sent: Mapping[str, list[str]]) -> KeyMake:
    """The form as the API takes it; raises `Invalid` with one entry per field."""
    days = _last(sent, DAYS)
    number = int(days) if days.isdecimal() and len(days) <= LONGEST_NUMBER else days
    body = {NAME: _last(sent, NAME).strip(), SCOPES: sent.get(SCOPES, []), DAYS: number or None}
    return decode_body(KeyMake, msgspec.json.encode(body))


def _errors(request: AnyRequest, sent: Mapping[str, list[str]], error: AppError) -> dict[str, str]:
    errors = field_errors(request, error)
    if SCOPES in errors and not sent.get(SCOPES):
        errors[SCOPES] = gettext("Choose at least one.")
    return errors


async def _show(  # noqa: PLR0913  the parts of one page
    request: AnyRequest,
    db: Db,
    viewer: Viewer,
    config: Config,
    *,
    form: KeyForm | None = None,
    made: str | None = None,
    status: int = 200,
) -> Response[Any]:
    await renderer().navigation.fill_counts(request, db, viewer)
    context = {
        "keys": await queries.keys_of.all(db, viewer.user_id),
        "customer_id": viewer.customer_id,
        "form": form,
        "made": made,
        "url": config.public_url,
    }
    answer = render(request, "identity/keys.html", context, status=status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


class KeyPages(Controller):
    """One's own keys."""

    path = URL

    @page_get("")
    async def keys(
        self, request: AnyRequest, db: Injected[Db], viewer: Injected[Viewer], app_config: Injected[Config]
    ) -> Response[Any]:
        """All of them; ``add`` opens the form."""
        choose_language(request, pseudo=renderer().pseudo)
        form = _form(request, viewer) if "add" in request.query_params else None
        return await _show(request, db, viewer, app_config, form=form)

    @page_post("")
    async def make(
        self,
        request: AnyRequest,
        database: Injected[Database],
        viewer: Injected[Viewer],
        app_config: Injected[Config],
    ) -> Response[Any]:
        """The page with the new key, this once; a refusal shows the form again with the reason."""
        sent = await form_lists(request)
        try:
            wanted = _wanted(sent)
            async with database.transaction() as tx:
                _, key = await service.make_key(tx, viewer, wanted)
        except (Invalid, service.TooManyKeys) as error:
            status = 422 if isinstance(error, Invalid) else error.status
            form = _form(request, viewer, sent, _errors(request, sent, error))
            async with database.acquire() as db:
                return await _show(request, db, viewer, app_config, form=form, status=status)
        async with database.acquire() as db:
            return await _show(request, db, viewer, app_config, made=key)

    @page_post("/{api_key_id:int}/revoke")
    async def revoke(self, tx: Injected[Tx], viewer: Injected[Viewer], api_key_id: FromPath[int]) -> Response[Any]:
        """One less; the page has asked before."""
        await service.drop_key(tx, viewer, api_key_id)
        return go(URL)
