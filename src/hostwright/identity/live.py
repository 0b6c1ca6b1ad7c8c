"""The live stream's route: its topics come from who is signed in."""

import asyncio
from collections.abc import Mapping
from typing import Any

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from hostwright.core.errors import Forbidden
from hostwright.identity.schemas import Viewer
from hostwright.web.inject import Injected, Services, Unit
from hostwright.web.live import LivePart, LiveStream
from hostwright.web.openapi import page_get


def topics_of(viewer: Viewer) -> list[str]:
    """What concerns this viewer: the customer, the session (which may be ended), and for staff everything."""
    topics = [f"customer:{viewer.customer_id}", f"session:{viewer.session_id}"]
    return [*topics, "staff"] if viewer.is_staff else topics


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
        return LiveStream(request, services, viewer, topics_of(viewer), parts).answer(closing)

    return events
