"""VirtFusion's own view of a server, for staff."""

from typing import Any, Final

import msgspec
from litestar import Response

from hostwright.core.db import Database
from hostwright.core.errors import AppError, Conflict, TooManyRequests, Unavailable
from hostwright.identity.schemas import Viewer
from hostwright.servers import queries
from hostwright.servers.pages.screens import AnyRequest, Place, show_server
from hostwright.servers.ports import Providers
from hostwright.servers.queries import operations
from hostwright.servers.service.upstream_view import RawView, read_upstream
from hostwright.servers.views import words
from hostwright.web.i18n import choose_language
from hostwright.web.render import renderer

ITEMS: Final = 20


async def show_upstream(
    request: AnyRequest, database: Database, providers: Providers, viewer: Viewer, place: Place, server_id: int
) -> Response[Any]:
    """What VirtFusion says about it, and our actions there; when it does not answer the page says so and stays."""
    choose_language(request, pseudo=renderer().pseudo)
    raw: RawView | None = None
    problem: AppError | None = None
    try:
        raw = await read_upstream(database, providers, viewer.scope, server_id)
    except (Conflict, TooManyRequests, Unavailable) as error:
        problem = error
    async with database.acquire() as db:
        row = await queries.server_for(db, viewer.scope, server_id)
        queue = await operations.queue_of.all(db, server_id, ITEMS)
        text = msgspec.json.format(msgspec.json.encode(raw.data), indent=2).decode() if raw else ""
        extra = {
            "raw": text,
            "read_at": raw.read_at if raw else None,
            "away": words.said(problem.message) if problem else "",
            "queue": [(item, words.verb(item.kind), words.action_state(item.state)) for item in queue],
        }
        return await show_server(request, db, viewer, place, row, "upstream", extra)
