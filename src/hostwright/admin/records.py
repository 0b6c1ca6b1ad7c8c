"""Rows that staff see of the machinery."""

from __future__ import annotations

from datetime import datetime

import msgspec

from hostwright.identity.records import MemberRole, Role


class MirrorRun(msgspec.Struct, frozen=True):
    """The latest mirror run of a connection; None fields when there was none yet."""

    connection_id: int
    name: str
    last_list_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    prune_stopped_at: datetime | None
    prune_count: int
    prune_confirmed_at: datetime | None
    state: str | None
    listed: int | None
    changed: int | None
    calls: int | None
    error: str | None
    started_at: datetime | None
    finished_at: datetime | None


class Process(msgspec.Struct, frozen=True):
    """A web or worker process that was seen lately."""

    role: str
    host: str
    pid: int
    version: str
    started_at: datetime
    seen_at: datetime


class UserRow(msgspec.Struct, frozen=True):
    """A user as staff see them. ``customer_name`` is the oldest of theirs."""

    id: int
    username: str
    email: str
    full_name: str
    role: Role
    language: str
    disabled_at: datetime | None
    disabled_reason: str | None
    email_verified_at: datetime | None
    created_at: datetime
    last_sign_in_at: datetime | None
    sessions: int
    servers: int
    customer_name: str | None
    linked: bool


class UserCounts(msgspec.Struct, frozen=True):
    """Figures of all users; ``migrated`` are those of a customer that is linked to a user at VirtFusion."""

    total: int
    active: int
    admins: int
    migrated: int


class UserCustomer(msgspec.Struct, frozen=True):
    """A customer that a user belongs to, and as what."""

    id: int
    number: int
    name: str
    role: MemberRole
    servers: int
    linked: bool


class UserKey(msgspec.Struct, frozen=True):
    """An API key of a user, without the key."""

    id: int
    prefix: str
    name: str
    customer_name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
