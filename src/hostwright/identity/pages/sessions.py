"""The page of sessions."""

from typing import Any

from litestar import Controller, Response
from litestar.params import FromPath

from hostwright.core.config import Config
from hostwright.core.db import Db, Tx
from hostwright.core.errors import NotFound
from hostwright.identity import queries, service
from hostwright.identity.pages.common import go
from hostwright.identity.schemas import Viewer
from hostwright.identity.service.own_sessions import end_own_other_sessions, end_own_session
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.openapi import page_get, page_post
from hostwright.web.render import render, renderer


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
        if not await end_own_session(tx, viewer, session_id):
            raise NotFound
        return go("/sign-in" if session_id == viewer.session_id else "/account/sessions")

    @page_post("/revoke-others")
    async def revoke_others(self, tx: Injected[Tx], viewer: Injected[Viewer]) -> Response[Any]:
        """End every other session."""
        await end_own_other_sessions(tx, viewer)
        return go("/account/sessions")
