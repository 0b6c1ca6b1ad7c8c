"""The identity API."""

from typing import Any, Final

from hostwright.identity.api.account import AccountApi
from hostwright.identity.api.auth import AuthApi
from hostwright.identity.api.cookies import ended_cookies, session_cookies
from hostwright.identity.api.keys import KeysApi
from hostwright.identity.api.me import MeApi
from hostwright.identity.api.user import UserApi

HANDLERS: Final[list[Any]] = [AuthApi, UserApi, AccountApi, KeysApi, MeApi]

__all__ = ["HANDLERS", "ended_cookies", "session_cookies"]
