"""The live stream's route: its topics come from who is signed in."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from hostwright.core.db import Db
from hostwright.core.errors import Forbidden, TooManyRequests
from hostwright.core.live import Hub
from hostwright.identity import queries
from hostwright.identity.schemas import Viewer
from hostwright.identity.service import idle_time
from hostwright.web.inject import Injected, Services, Unit
from hostwright.web.live import LivePart, LiveStream, moment
from hostwright.web.openapi import page_get

MOST_STREAMS: Final = 20
"""Of one session in one process: every visible page has one, and a browser shows few at a time."""
PAUSE: Final = 15


class SignedIn:
    """Whoever has a session, and what concerns them: their customer, the session itself, for staff everything."""

    def __init__(self, viewer: Viewer, *, idle_hours: int) -> None:
        self.viewer = viewer
        self._idle = idle_time(idle_hours)
        self._session = f"session:{viewer.session_id}"
        own = [f"customer:{viewer.customer_id}", self._session]
        self.topics: Sequence[str] = [*own, "staff"] if viewer.is_staff else own

    def is_full(self, hub: Hub) -> bool:
        """Whether one more stream would be too many."""
        return hub.readers(self._session) >= MOST_STREAMS

    def is_crowded(self, hub: Hub) -> bool:
        """Many requests at once may have passed `is_full` before any of them read."""
        return hub.readers(self._session) > MOST_STREAMS

    async def may_go_on(self, db: Db) -> bool:
        """Whether the session lives, its user is enabled, and role and membership are what they were."""
        found = await queries.standing.maybe(db, self.viewer.session_id, self.viewer.customer_id, self._idle)
        return found is not None and (found.role, found.member_role) == (self.viewer.role, self.viewer.member_role)


def live_route(parts: Mapping[str, LivePart[Viewer]], closing: asyncio.Event) -> HTTPRouteHandler:
    """``GET /events`` over the features' live parts; ``closing`` ends every stream when the process stops."""

    @page_get("/events")
    async def events(
        request: Request[Any, Any, Any], viewer: Injected[Viewer], unit: Injected[Unit], services: Injected[Services]
    ) -> Stream:
        """Server-sent events for one visible page; holds no connection."""
        if viewer.session_id is None:
            raise Forbidden
        await unit.release()
        reader = SignedIn(viewer, idle_hours=services.config.session_idle_hours)
        if reader.is_full(services.hub):
            raise TooManyRequests(PAUSE, "Too many pages are open at once. Close some of them.")
        since = moment(request.query_params.get("since", ""))
        return LiveStream(request, services, reader, parts, since).answer(closing)

    return events
