"""Who signs in from where, and the refusals that several use cases share."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from hostwright.core.errors import Forbidden, Unauthorized


class Client(msgspec.Struct, frozen=True):
    """Where a sign-in comes from; ``counted`` is the address as limits count it (IPv6 by /64)."""

    address: str | None
    counted: str
    user_agent: str | None
    request_id: str


class WrongCredentials(Unauthorized):
    """The name or the password is wrong; which one is not said."""

    code = "wrong_credentials"
    default_message = "The name or the password is wrong."


class AccountDisabled(Forbidden):
    """The account was disabled by staff."""

    code = "account_disabled"
    default_message = "This account is disabled. Ask the company's support."


def idle_time(hours: int) -> timedelta:
    """How long a session may rest before it ends."""
    return timedelta(hours=hours)
