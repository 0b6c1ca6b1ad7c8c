"""The outermost ASGI layer. Litestar's middleware does not see unknown routes, so what every answer needs stands here:
a request id, security headers, rate-limit headers, a limit on bodies, metrics and one log line.
"""

import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import structlog

from hostwright.core import metrics
from hostwright.core.config import Config
from hostwright.web.address import client_address

log = structlog.get_logger("hostwright.access")

type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Asgi = Callable[[Any, Receive, Send], Awaitable[None]]

MAX_BODY_BYTES: Final = 1_048_576
TOO_LARGE: Final = (
    b'{"error":{"code":"request_too_large","message":"The request is larger than 1 MB.","status":413,"requestId":"%s"}}'
)
POLICY: Final = (
    b"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


class BodyTooLarge(Exception):
    """More bytes arrived than a request may have."""


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


def _limited(receive: Receive) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY_BYTES:
            raise BodyTooLarge
        return message

    return counted


def _declared_too_large(scope: Any) -> bool:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return not value.isdigit() or int(value) > MAX_BODY_BYTES
    return False


def route_of(scope: Any) -> str:
    """The route's template, so that metrics do not grow with ids."""
    return scope.get("path_template") or "unmatched"


class Outer:
    """Wraps the Litestar application."""

    def __init__(self, app: Asgi, config: Config) -> None:
        self.app = app
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
                headers = [*message.get("headers", ()), *self.headers, (b"x-request-id", request_id.encode())]
                headers.extend(state.get("extra_headers", ()))
                message["headers"] = headers
            await send(message)

        try:
            if scope["method"] not in ("GET", "HEAD"):
                if _declared_too_large(scope):
                    await _refuse(finish, request_id)
                    return
                receive = _limited(receive)
            await self.app(scope, receive, finish)
        except BodyTooLarge:
            await _refuse(finish, request_id)
        finally:
            seconds = time.perf_counter() - began
            metrics.observe_request(scope["method"], route_of(scope), status, seconds)
            if status >= 500 or self.config.log_level == "debug":  # noqa: PLR2004
                log.info(
                    "request", method=scope["method"], route=route_of(scope), status=status, ms=round(seconds * 1e3)
                )


async def _refuse(send: Send, request_id: str) -> None:
    body = TOO_LARGE % request_id.encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
