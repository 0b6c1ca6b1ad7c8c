"""The identity API."""

from typing import Any, Final

from hostwright.identity.api.auth import AuthApi
from hostwright.identity.api.cookies import ended_cookies, session_cookies
from hostwright.identity.api.user import UserApi

HANDLERS: Final[list[Any]] = [AuthApi, UserApi]

__all__ = ["HANDLERS", "ended_cookies", "session_cookies"]
