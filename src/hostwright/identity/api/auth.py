"""Getting in and out."""

from typing import Any

from litestar import Controller, Request, Response
from litestar.params import JSONBody

from hostwright.core.config import Config
from hostwright.core.db import Database, Tx
from hostwright.identity import queries, service
from hostwright.identity.access import client_of
from hostwright.identity.api.cookies import ended_cookies, session_cookies
from hostwright.identity.api.user import user_read
from hostwright.identity.records import UserRecord
from hostwright.identity.schemas import CustomerRead, Register, SignIn, UserRead, Viewer
from hostwright.identity.service.own_sessions import sign_out
from hostwright.web.inject import Injected, Services
from hostwright.web.openapi import post_op


async def _answer(services: Services, user: UserRecord, session: service.NewSession, status: int) -> Response[UserRead]:
    async with services.database.acquire() as db:
        customer = await queries.first_membership.one(db, user.id)
    return Response(
        user_read(user, CustomerRead(customer.id, customer.name, customer.role)),
        status_code=status,
        cookies=session_cookies(services, session),
        headers={"Cache-Control": "no-store"},
    )


class AuthApi(Controller):
    """Getting in and out."""

    path = "/api/auth"
    tags = ["Identity"]  # noqa: RUF012  Litestar's own name and type

    @post_op("/login", op="signIn", summary="Sign in", auth="public", tag="Identity", errors=(400, 403))
    async def sign_in(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[SignIn],
        database: Injected[Database],
        services: Injected[Services],
    ) -> Response[UserRead]:
        """Sign in with a name or an e-mail address; sets the session's cookies."""
        user, session = await service.sign_in(
            database,
            services.passwords,
            services.keyring,
            data,
            client_of(request),
            session_days=services.config.session_days,
        )
        return await _answer(services, user, session, 200)

    @post_op(
        "/register",
        op="register",
        summary="Create an account",
        auth="public",
        tag="Identity",
        errors=(400,),
        status=201,
    )
    async def register(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[Register],
        database: Injected[Database],
        services: Injected[Services],
    ) -> Response[UserRead]:
        """Create an account and its customer, and sign in."""
        user, session = await service.register(
            database, services.passwords, data, client_of(request), session_days=services.config.session_days
        )
        return await _answer(services, user, session, 201)

    @post_op("/logout", op="signOut", summary="Sign out", tag="Identity", status=204)
    async def sign_out(
        self, tx: Injected[Tx], viewer: Injected[Viewer], app_config: Injected[Config]
    ) -> Response[None]:
        """End this session."""
        await sign_out(tx, viewer)
        return Response(None, status_code=204, cookies=ended_cookies(app_config))
