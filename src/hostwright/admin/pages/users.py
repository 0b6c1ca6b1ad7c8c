"""Pages of everybody who can sign in."""

from typing import Any, Final

from litestar import Controller, Response
from litestar.params import FromPath

from hostwright.admin.queries import users as statements
from hostwright.admin.queries.users import user_page
from hostwright.admin.views.audit import line_view
from hostwright.admin.views.links import words_in
from hostwright.admin.views.users import BASE, UserView, customer_line, users_view, wanted_users
from hostwright.audit.service import entries_about_user
from hostwright.core.config import Config
from hostwright.core.db import Db, Tx
from hostwright.identity.queries import sessions_of
from hostwright.identity.schemas import StaffViewer
from hostwright.identity.service import idle_time
from hostwright.identity.service.suspending import enable_user, end_sessions_of, suspend_user
from hostwright.web.answer import go, page
from hostwright.web.bodies import form_values
from hostwright.web.i18n import choose_language, gettext
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.openapi import page_get, page_post
from hostwright.web.render import renderer

LONGEST_REASON: Final = 500
REFUSED: Final = 422


async def _user(db: Db, config: Config, viewer: StaffViewer, user_id: int, error: str = "") -> UserView:
    return UserView(
        row=await statements.one.one(db, user_id),
        customers=[customer_line(row) for row in await statements.customers_of.all(db, user_id)],
        sessions=await sessions_of.all(db, user_id, idle_time(config.session_idle_hours)),
        keys=await statements.keys_of.all(db, user_id),
        lines=[line_view(row) for row in await entries_about_user(db, user_id)],
        own=user_id == viewer.user_id,
        current=viewer.session_id,
        error=error,
    )


class UserPages(Controller):
    """Users, for staff."""

    path = BASE

    @page_get("", auth="admin")
    async def users(self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer]) -> Response[Any]:
        """A page of users, as the address asks for."""
        choose_language(request, pseudo=renderer().pseudo)
        place = wanted_users(request.query_params)
        found = await user_page(db, place.query, place.part)
        await renderer().navigation.fill_counts(request, db, viewer)
        return page(request, "admin/users.html", {"view": users_view(place, found)})

    @page_get("/{user_id:int}", auth="admin")
    async def user(
        self,
        request: AnyRequest,
        db: Injected[Db],
        viewer: Injected[StaffViewer],
        app_config: Injected[Config],
        user_id: FromPath[int],
    ) -> Response[Any]:
        """One user with customers, sessions, keys and what happened."""
        choose_language(request, pseudo=renderer().pseudo)
        view = await _user(db, app_config, viewer, user_id)
        await renderer().navigation.fill_counts(request, db, viewer)
        return page(request, "admin/user.html", {"u": view})

    @page_post("/{user_id:int}/suspend", auth="admin")
    async def suspend(
        self,
        request: AnyRequest,
        tx: Injected[Tx],
        viewer: Injected[StaffViewer],
        app_config: Injected[Config],
        user_id: FromPath[int],
    ) -> Response[Any]:
        """Keep somebody out, with a reason."""
        choose_language(request, pseudo=renderer().pseudo)
        reason = words_in((await form_values(request)).get("reason", ""), LONGEST_REASON)
        if not reason:
            error = gettext("Say why. Nothing was changed.")
            view = await _user(tx, app_config, viewer, user_id, error)
            await renderer().navigation.fill_counts(request, tx, viewer)
            return page(request, "admin/user.html", {"u": view}, status=REFUSED)
        await suspend_user(tx, viewer, user_id, reason)
        return go(request, f"{BASE}/{user_id}")

    @page_post("/{user_id:int}/enable", auth="admin")
    async def enable(
        self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[StaffViewer], user_id: FromPath[int]
    ) -> Response[Any]:
        """Let somebody in again."""
        await enable_user(tx, viewer, user_id)
        return go(request, f"{BASE}/{user_id}")

    @page_post("/{user_id:int}/end-sessions", auth="admin")
    async def end_sessions(
        self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[StaffViewer], user_id: FromPath[int]
    ) -> Response[Any]:
        """Sign somebody out everywhere."""
        await end_sessions_of(tx, viewer, user_id)
        return go(request, f"{BASE}/{user_id}")
