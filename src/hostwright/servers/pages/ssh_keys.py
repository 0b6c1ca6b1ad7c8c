"""The page of SSH keys. A form with a private key in it comes back empty."""

from collections.abc import Mapping
from typing import Any, Final

from litestar import Controller, Response
from litestar.params import FromPath

from hostwright.core.db import Database
from hostwright.core.errors import AppError, Conflict, Invalid, TooManyRequests
from hostwright.identity.schemas import Viewer
from hostwright.servers.ports import Providers
from hostwright.servers.schemas.ssh_keys import SshKeyAdd
from hostwright.servers.service import AnswerLost, UpstreamAway, UpstreamRefused, actor_of
from hostwright.servers.service.public_keys import is_private, refuse_private
from hostwright.servers.service.ssh_keys import add_key, delete_key, read_keys
from hostwright.servers.views.ssh_keys import keys_view
from hostwright.web.answer import go, page
from hostwright.web.bodies import decode_form, form_values
from hostwright.web.i18n import choose_language, gettext
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.messages import field_message
from hostwright.web.openapi import page_get, page_post
from hostwright.web.render import renderer

URL: Final = "/servers/keys"
NO_STORE: Final = "no-store"
SHOWN: Final = (Invalid, Conflict, TooManyRequests, AnswerLost, UpstreamAway, UpstreamRefused)


def _errors(error: AppError) -> dict[str, str]:
    if isinstance(error, Invalid):
        return {problem.field: field_message(problem.message) for problem in error.problems}
    return {"form": gettext(error.message)}


async def _show(
    request: AnyRequest,
    database: Database,
    providers: Providers,
    viewer: Viewer,
    values: Mapping[str, str] | None = None,
    error: AppError | None = None,
) -> Response[Any]:
    choose_language(request, pseudo=renderer().pseudo)
    found = await read_keys(database, providers, viewer.customer_id)
    errors = _errors(error) if error else {}
    view = keys_view(found, values or {}, errors, adding=error is not None or "add" in request.query_params)
    async with database.acquire() as db:
        await renderer().navigation.fill_counts(request, db, viewer)
    status = 200 if error is None else 422 if isinstance(error, Invalid) else error.status
    answer = page(request, "servers/keys.html", {"k": view}, status=status)
    answer.headers["Cache-Control"] = NO_STORE
    return answer


def _kept(values: Mapping[str, str]) -> dict[str, str]:
    """What may be shown again: never a private key."""
    kept = {name: values.get(name, "") for name in ("name", "connectionId", "publicKey")}
    return {name: "" if is_private(value) else value for name, value in kept.items()}


class SshKeyPages(Controller):
    """A customer's keys."""

    path = URL

    @page_get("")
    async def keys(
        self,
        request: AnyRequest,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[Viewer],
    ) -> Response[Any]:
        """All of them, by control system."""
        return await _show(request, database, providers, viewer)

    @page_post("")
    async def add(
        self,
        request: AnyRequest,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[Viewer],
    ) -> Response[Any]:
        """One more; a refusal shows the form again with the reason."""
        actor = actor_of(viewer)
        values = await form_values(request)
        given = {name: value for name, value in values.items() if value}
        try:
            refuse_private(*given.values())
            await add_key(database, providers, actor, viewer.customer_id, decode_form(SshKeyAdd, given))
        except SHOWN as error:
            return await _show(request, database, providers, viewer, _kept(values), error)
        return go(request, URL)

    @page_post("/{connection_id:int}/{key_id:int}/delete")
    async def delete(
        self,
        request: AnyRequest,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[Viewer],
        connection_id: FromPath[int],
        key_id: FromPath[int],
    ) -> Response[Any]:
        """One less; the page has asked before."""
        await delete_key(database, providers, actor_of(viewer), viewer.customer_id, key_id, connection_id)
        return go(request, URL)
