"""Rows of the identity feature."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What a user is to the company."""

    CLIENT = "client"
    ADMIN = "admin"


class MemberRole(StrEnum):
    """What a user may do for a customer."""

    OWNER = "owner"
    BILLING = "billing"
    TECHNICAL = "technical"
    VIEWER = "viewer"


class UserRecord(msgspec.Struct, frozen=True):
    """A person who signs in, without the password's hash."""

    id: int
    username: str
    email: str
    full_name: str
    role: Role
    language: str
    disabled_at: datetime | None
    email_verified_at: datetime | None
    created_at: datetime


class AccountRecord(UserRecord, frozen=True):
    """A user as they see themselves. ``last_sign_in_at`` is None for who never signed in."""

    last_sign_in_at: datetime | None


class Credential(msgspec.Struct, frozen=True):
    """What sign-in compares."""

    user_id: int
    password_hash: str
    disabled: bool

    def __repr__(self) -> str:
        """Without the hash, so that no log or traceback shows it."""
        return f"Credential(user_id={self.user_id})"


class CustomerRecord(msgspec.Struct, frozen=True):
    """Who pays and owns. ``number`` is what people see."""

    id: int
    number: int
    name: str
    created_at: datetime


class SessionCaller(msgspec.Struct, frozen=True):
    """A session, its user and the user's customers, in one row."""

    session_id: int
    seen_at: datetime
    user_id: int
    username: str
    email: str
    full_name: str
    role: Role
    language: str
    disabled: bool
    customer_ids: list[int] | None
    customer_names: list[str] | None
    member_roles: list[str] | None


class KeyCaller(msgspec.Struct, frozen=True):
    """A key, its user and its customer. ``ahead`` is in seconds; None: the key's limit refuses this call."""

    key_id: int
    scopes: list[str]
    last_used_at: datetime | None
    user_id: int
    username: str
    email: str
    full_name: str
    role: Role
    language: str
    disabled: bool
    customer_id: int
    customer_name: str
    member_role: MemberRole | None
    ahead: float | None


class Standing(msgspec.Struct, frozen=True):
    """What somebody with a live session is at this moment."""

    role: Role
    member_role: MemberRole


class SessionRecord(msgspec.Struct, frozen=True):
    """A session as its owner sees it."""

    id: int
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str | None
    user_agent: str | None


class KeyRecord(msgspec.Struct, frozen=True):
    """An API key as its owner sees it; the key itself is shown once and stored nowhere."""

    id: int
    prefix: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class OwnKey(msgspec.Struct, frozen=True):
    """An API key with its customer. ``member``: whether its user still belongs to that customer; else it is dead."""

    id: int
    prefix: str
    name: str
    scopes: list[str]
    customer_id: int
    customer_name: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    expired: bool
    member: bool

    @property
    def works(self) -> bool:
        """Whether it opens anything."""
        return self.member and not self.expired


class FailureRow(msgspec.Struct, frozen=True):
    """How many sign-ins failed for one counter, and how long the next one has to wait (seconds)."""

    failures: int
    wait: float


class MembershipRecord(msgspec.Struct, frozen=True):
    """A customer and what the user may do for it."""

    id: int
    name: str
    role: MemberRole
