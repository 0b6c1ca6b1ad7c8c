"""Proof that a write by cookie comes from a page of ours."""

from typing import Any, Final
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection

from hostwright.core.config import Config
from hostwright.core.crypto import Keyring, token_hash
from hostwright.core.errors import Forbidden
from hostwright.web.bodies import form_values
from hostwright.web.inject import AnyRequest

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF: Final = "csrf"


class CsrfFailed(Forbidden):
    """A write by cookie that does not prove that our own page sent it."""

    code = "csrf_failed"
    default_message = "This page has been open too long. Reload it and try again. Nothing was changed."


def session_cookie(config: Config) -> str:
    """The session cookie's name; the prefix makes browsers refuse it from other hosts and over HTTP."""
    return "__Host-hw_session" if config.secure_cookies else "hw_session"


def csrf_cookie(config: Config) -> str:
    """The readable cookie that holds the CSRF token."""
    return "__Host-hw_csrf" if config.secure_cookies else "hw_csrf"


def csrf_token(keyring: Keyring, session_token: str) -> str:
    """The token that belongs to a session: an HMAC of it, so nothing has to be stored."""
    return keyring.mac(CSRF, token_hash(session_token)).hex()


def _bytes(text: str) -> bytes:
    """What a token in hexadecimal stands for; empty, which no token is, when it is not written as we write it."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        return b""
    return found if found.hex() == text else b""


def check_origin(request: ASGIConnection[Any, Any, Any, Any], config: Config) -> None:
    """Refuse a write that another site's page sent; raises `CsrfFailed`. Programs send neither header."""
    origin = request.headers.get("origin")
    if origin in config.allowed_origins:
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise CsrfFailed
    if origin is None:
        return
    own = {request.headers.get("host", ""), urlsplit(config.public_url).netloc} - {""}
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        raise CsrfFailed from None
    if host not in own:
        raise CsrfFailed


def socket_token(socket: ASGIConnection[Any, Any, Any, Any], config: Config) -> str | None:
    """The session's token of a WebSocket that a page of ours opens; None without one, and for other sites' pages.

    Browsers always say where a WebSocket comes from, so whoever does not is none.
    """
    if "origin" not in socket.headers:
        return None
    try:
        check_origin(socket, config)
    except CsrfFailed:
        return None
    return socket.cookies.get(session_cookie(config))


async def check_csrf(request: AnyRequest, keyring: Keyring, session_token: str) -> None:
    sent = request.headers.get("x-csrf-token")
    if sent is None and request.headers.get("content-type", "").startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ):
        sent = (await form_values(request)).get("csrf")
    if sent is None or not keyring.verify_mac(CSRF, token_hash(session_token), _bytes(sent)):
        raise CsrfFailed
