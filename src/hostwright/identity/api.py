"""The identity API: sign in, register, sign out, who am I."""

from typing import Any

from litestar import Controller, Request, Response
from litestar.datastructures import Cookie
from litestar.params import JSONBody

from hostwright.core.config import Config
from hostwright.core.db import Database, Db, Tx
from hostwright.identity import queries, service
from hostwright.identity.access import client_of, csrf_cookie, csrf_token, session_cookie
from hostwright.identity.records import UserRecord
from hostwright.identity.schemas import CustomerRead, Register, SignIn, UserRead, Viewer
from hostwright.web.inject import Injected, Services
from hostwright.web.openapi import get_op, post_op


def session_cookies(services: Services, session: service.NewSession) -> list[Cookie]:
    """The session's cookie and the readable one with its CSRF token."""
    config = services.config
    seconds = config.session_days * 86_400
    return [
        _cookie(config, session_cookie(config), session.token, seconds, httponly=True),
        _cookie(config, csrf_cookie(config), csrf_token(services.keyring, session.token), seconds, httponly=False),
    ]


def ended_cookies(config: Config) -> list[Cookie]:
    """Both cookies, emptied."""
    return [_cookie(config, name, "", 0, httponly=False) for name in (session_cookie(config), csrf_cookie(config))]


def _cookie(config: Config, name: str, value: str, seconds: int, *, httponly: bool) -> Cookie:
    return Cookie(
        key=name,
        value=value,
        max_age=seconds,
        path="/",
        httponly=httponly,
        secure=config.secure_cookies,
        samesite="lax",
    )


def _user_read(user: UserRecord, customer: CustomerRead) -> UserRead:
    return UserRead(
        id=user.id,
        username=user.username,
        email=user.email,
        full_name=user.full_name,
        role=user.role,
        language=user.language,
        email_verified=user.email_verified_at is not None,
        created_at=user.created_at,
        customer=customer,
    )


async def _answer(services: Services, user: UserRecord, session: service.NewSession, status: int) -> Response[UserRead]:
    async with services.database.acquire() as db:
        customer = await queries.first_membership.one(db, user.id)
    return Response(
        _user_read(user, CustomerRead(customer.id, customer.name, customer.role)),
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
        if viewer.session_id is not None:
            await service.end_session(tx, viewer.session_id)
        return Response(None, status_code=204, cookies=ended_cookies(app_config))


class UserApi(Controller):
    """The caller themselves."""

    path = "/api/user"

    @get_op("", op="getUser", summary="Who is signed in", scope="read:user", tag="Identity")
    async def read(self, db: Injected[Db], viewer: Injected[Viewer]) -> UserRead:
        """The user and the customer that this request is for."""
        user = await queries.user_by_id.one(db, viewer.user_id)
        return _user_read(user, CustomerRead(viewer.customer_id, viewer.customer_name, viewer.member_role))
