"""Who calls: a session's cookie or an API key, once per request, on the request's own connection, before any BEGIN."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog
from litestar.di import Provide

from hostwright.core.crypto import token_hash
from hostwright.core.errors import BadRequest, Forbidden, InvalidScope, NotFound, TooManyRequests, Unauthorized
from hostwright.identity import queries
from hostwright.identity.access.csrf import SAFE, check_csrf, check_origin, csrf_token, session_cookie
from hostwright.identity.records import KeyCaller, MemberRole, Role, SessionCaller
from hostwright.identity.schemas import StaffViewer, Viewer
from hostwright.identity.service import AccountDisabled, Client
from hostwright.web.address import counted_address
from hostwright.web.inject import AnyRequest, Injected, Services, Unit

TOUCH_AFTER: Final = timedelta(minutes=1)
KEY_LIMIT: Final = 100
SECONDS_PER_CALL: Final = 0.6


class CustomerRequired(BadRequest):
    """Several customers and none named."""

    code = "customer_required"
    default_message = "You belong to several customers. Name one in the header Hostwright-Customer."


class KeyNotAllowed(Forbidden):
    """An operation for people only, or for another kind of caller."""

    code = "key_not_allowed"
    default_message = "API keys cannot do this."


class Caller(msgspec.Struct):
    """Who calls, if anybody: a signed-in person, a key, or nobody."""

    viewer: Viewer | None


def client_of(request: AnyRequest) -> Client:
    """Where this request comes from."""
    address = request.scope["state"].get("address")
    return Client(
        address=address,
        counted=counted_address(address),
        user_agent=request.headers.get("user-agent"),
        request_id=request.scope["state"].get("request_id", ""),
    )


def _wanted_customer(request: AnyRequest) -> int | None:
    text = request.headers.get("hostwright-customer") or request.query_params.get("customer")
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 18:  # noqa: PLR2004  more digits than a bigint holds
        raise NotFound
    return int(text)


def _membership(row: SessionCaller, wanted: int | None, *, strict: bool) -> tuple[int, str, MemberRole]:
    """The customer that this request is for: the named one, or the only one; pages take the first."""
    ids, names, roles = row.customer_ids or [], row.customer_names or [], row.member_roles or []
    if wanted is not None:
        if wanted not in ids:
            raise NotFound
        at = ids.index(wanted)
    elif not ids:
        raise Forbidden
    elif len(ids) > 1 and strict:
        raise CustomerRequired
    else:
        at = 0
    return ids[at], names[at], MemberRole(roles[at])


async def _by_session(request: AnyRequest, unit: Unit, services: Services, token: str) -> Viewer | None:
    idle = timedelta(hours=services.config.session_idle_hours)
    db = await unit.connection()
    row = await queries.session_caller.maybe(db, token_hash(token), idle)
    if row is None or row.disabled:
        return None
    if request.method not in SAFE:
        await check_csrf(request, services.keyring, token)
    if datetime.now(UTC) - row.seen_at > TOUCH_AFTER:
        await queries.touch_session.run(await unit.autocommit(), row.session_id)
    strict = request.scope["path"].startswith("/api/")
    customer_id, customer_name, member_role = _membership(row, _wanted_customer(request), strict=strict)
    if not strict:
        request.scope["state"]["csrf"] = csrf_token(services.keyring, token)
    return _viewer(request, row, customer_id, customer_name, member_role, session_id=row.session_id)


def _viewer(  # noqa: PLR0913  two kinds of callers meet here
    request: AnyRequest,
    row: SessionCaller | KeyCaller,
    customer_id: int,
    customer_name: str,
    member_role: MemberRole,
    *,
    session_id: int | None = None,
    key: KeyCaller | None = None,
) -> Viewer:
    kind = StaffViewer if request.route_handler.opt.get("auth") == "admin" else Viewer
    return kind(
        user_id=row.user_id,
        username=row.username,
        full_name=row.full_name,
        email=row.email,
        role=row.role,
        customer_id=customer_id,
        customer_name=customer_name,
        member_role=member_role,
        language=row.language,
        session_id=session_id,
        key_id=key.key_id if key else None,
        scopes=frozenset(key.scopes) if key else None,
        address=request.scope["state"].get("address"),
        request_id=request.scope["state"].get("request_id", ""),
    )


def _limit_headers(ahead: float) -> list[tuple[bytes, bytes]]:
    remaining = max(0, int(KEY_LIMIT - ahead / SECONDS_PER_CALL + 1e-6))
    reset = int(datetime.now(UTC).timestamp() + ahead) + 1
    return [
        (b"x-ratelimit-limit", str(KEY_LIMIT).encode()),
        (b"x-ratelimit-remaining", str(remaining).encode()),
        (b"x-ratelimit-reset", str(reset).encode()),
    ]


async def _by_key(request: AnyRequest, unit: Unit, authorization: str) -> Viewer:
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or not key.startswith("hw_"):
        raise Unauthorized("The API key is not valid.", code="invalid_api_key")
    db = await unit.connection()
    row = await queries.key_caller.maybe(db, token_hash(key.strip()))
    if row is None or row.member_role is None:
        raise Unauthorized("The API key is not valid.", code="invalid_api_key")
    ahead = row.ahead if row.ahead is not None else KEY_LIMIT * SECONDS_PER_CALL
    request.scope["state"]["extra_headers"] = _limit_headers(ahead)
    if row.ahead is None:
        raise TooManyRequests(1, "This key made more than 100 requests in a minute.")
    if row.disabled:
        raise AccountDisabled
    if row.last_used_at is None or datetime.now(UTC) - row.last_used_at > TOUCH_AFTER:
        await queries.touch_key.run(await unit.autocommit(), row.key_id)
    wanted = _wanted_customer(request)
    if wanted is not None and wanted != row.customer_id:
        raise NotFound
    return _viewer(request, row, row.customer_id, row.customer_name, row.member_role, key=row)


def _check_operation(request: AnyRequest, viewer: Viewer) -> None:
    """What the operation asks of its caller (`opt` of the handler): staff, a key's scope, or a person."""
    opt = request.route_handler.opt
    if viewer.scopes is not None:
        scope = opt.get("scope")
        if scope is None:
            raise KeyNotAllowed
        if scope not in viewer.scopes:
            raise InvalidScope(scope)
    elif opt.get("auth") == "api-key":
        raise Unauthorized("This operation takes API keys only.")
    if opt.get("auth") == "admin" and viewer.role is not Role.ADMIN:
        raise Forbidden


def identity_dependencies(services: Services) -> Mapping[str, Provide]:
    """``caller`` (anybody) and ``viewer`` (signed in; a `StaffViewer` where the operation is for staff)."""

    async def find(request: AnyRequest, unit: Unit) -> Viewer | None:
        authorization = request.headers.get("authorization")
        if authorization is not None:
            return await _by_key(request, unit, authorization)
        if request.method not in SAFE:
            check_origin(request, services.config)
        token = request.cookies.get(session_cookie(services.config))
        return await _by_session(request, unit, services, token) if token else None

    async def provide_caller(request: AnyRequest, unit: Injected[Unit]) -> Caller:
        try:
            viewer = await find(request, unit)
            if viewer is not None:
                request.scope["state"]["viewer"] = viewer
                structlog.contextvars.bind_contextvars(user_id=viewer.user_id)
            if request.route_handler.opt.get("auth") != "public":
                if viewer is None:
                    raise Unauthorized  # noqa: TRY301  the connection goes back the same way
                _check_operation(request, viewer)
        except BaseException:
            await unit.release()
            raise
        return Caller(viewer)

    async def provide_viewer(caller: Injected[Caller]) -> Viewer:
        if caller.viewer is None:
            raise Unauthorized
        return caller.viewer

    return {
        "caller": Provide(provide_caller),
        "viewer": Provide(provide_viewer),
    }
