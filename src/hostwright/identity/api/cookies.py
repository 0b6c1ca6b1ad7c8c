"""The session's cookies, as answers set and clear them."""

from litestar.datastructures import Cookie

from hostwright.core.config import Config
from hostwright.identity import service
from hostwright.identity.access import csrf_cookie, csrf_token, session_cookie
from hostwright.web.inject import Services


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
