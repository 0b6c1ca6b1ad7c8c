"""The outermost ASGI layer. Litestar's middleware does not see unknown routes, so what every answer needs stands here:
a request id, security headers, rate-limit headers, a limit on bodies, metrics and one log line.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import structlog

from hostwright.core import metrics
from hostwright.core.config import Config
from hostwright.core.errors import BodyTooLarge
from hostwright.web.address import client_address

log = structlog.get_logger("hostwright.access")

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Asgi = Callable[[Any, Receive, Send], Awaitable[None]]

MAX_BODY_BYTES: Final = 1_048_576
DROPPED_BYTES: Final = 8 * MAX_BODY_BYTES
LAST: Final = (b"connection", b"close")  # the next request goes to a process that stays
NOT_KEPT: Final = (b"cache-control", b"no-store")
LONGEST_LENGTH: Final = 12  # digits
POLICY: Final = (
    b"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def security_headers(config: Config) -> list[tuple[bytes, bytes]]:
    """Headers of every answer; HSTS only where people come over HTTPS."""
    found = [
        (b"content-security-policy", POLICY),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
        (b"x-frame-options", b"DENY"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
    ]
    if config.secure_cookies:
        found.append((b"strict-transport-security", b"max-age=31536000"))
    return found


def _limited(scope: Any, receive: Receive) -> Receive:
    """Whoever reads the body gets `BodyTooLarge`; a body that nobody reads does no harm."""
    seen = MAX_BODY_BYTES if _declared_too_large(scope) else 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen <= MAX_BODY_BYTES:
            return message
        # Whoever still sends would see a broken connection instead of the refusal, so some more is read and dropped.
        while message.get("more_body") and seen <= DROPPED_BYTES:
            message = await receive()
            seen += len(message.get("body", b""))
        raise BodyTooLarge

    return counted


def _declared_too_large(scope: Any) -> bool:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return not value.isdigit() or len(value) > LONGEST_LENGTH or int(value) > MAX_BODY_BYTES
    return False


def route_of(scope: Any) -> str:
    """The route's template, so that metrics do not grow with ids."""
    return scope.get("path_template") or "unmatched"


class Outer:
    """Wraps the Litestar application."""

    def __init__(self, app: Asgi, config: Config, draining: asyncio.Event) -> None:
        self.app = app
        self.draining = draining
        self.config = config
        self.headers = security_headers(config)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = secrets.token_hex(8)
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["address"] = client_address(scope, self.config.trusted_proxies)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        status = 500

        async def finish(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = list(message.get("headers", ()))
                headers = [*own, *self.headers, (b"x-request-id", request_id.encode())]
                if not any(name.lower() == b"cache-control" for name, _ in own):
                    headers.append(NOT_KEPT)  # what a session reads is nobody else's
                headers.extend(state.get("extra_headers", ()))
                if self.draining.is_set() and scope.get("http_version") == "1.1":
                    headers.append(LAST)
                message["headers"] = headers
            await send(message)

        try:
            await self.app(scope, _limited(scope, receive), finish)
        finally:
            seconds = time.perf_counter() - began
            metrics.observe_request(scope["method"], route_of(scope), status, seconds)
            if status >= 500 or self.config.log_level == "debug":  # noqa: PLR2004
                log.info(
                    "request", method=scope["method"], route=route_of(scope), status=status, ms=round(seconds * 1e3)
                )
