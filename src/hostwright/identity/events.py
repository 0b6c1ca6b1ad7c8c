"""Facts that identity announces, and its jobs."""

from __future__ import annotations

import msgspec

from hostwright.core.events import Event
from hostwright.core.jobs import Job


class UserRegistered(Event, frozen=True):
    """Somebody made an account."""

    user_id: int
    customer_id: int


class SessionsRevoked(Event, frozen=True):
    """Sessions of a user were ended."""

    user_id: int


class Nothing(msgspec.Struct, frozen=True):
    """A job without a payload."""


FORGET_ENDED_SESSIONS = Job("identity.forget_ended_sessions", Nothing)
