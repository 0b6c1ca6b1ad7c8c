"""What the admin API speaks."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hostwright.audit.records import Outcome
from hostwright.core.paging import Cursor, Pagination
from hostwright.core.queue import JobState
from hostwright.identity.records import MemberRole, Role


class JobRead(msgspec.Struct, rename="camel"):
    """A job. ``stateSince``: when it was queued, last touched by its worker, or given up; ``dueAt`` no dead one has."""

    id: int
    name: str
    state: JobState
    attempts: int
    payload: Any
    error: str | None
    state_since: datetime
    due_at: datetime | None


class JobStatistics(msgspec.Struct, rename="camel"):
    """How many jobs there are by state."""

    queued: int
    running: int
    dead: int


class JobList(msgspec.Struct, rename="camel"):
    """A page of jobs of one state."""

    items: list[JobRead]
    pagination: Pagination
    statistics: JobStatistics


class AuditRead(msgspec.Struct, rename="camel"):
    """A line of the audit log: names are those of the time. ``detail`` may say what was ``before`` and ``after``."""

    id: int
    at: datetime
    actor_id: int | None
    actor: str
    action: str
    outcome: Outcome
    customer_id: int | None
    object_type: str | None
    object_id: str | None
    object: str | None
    detail: dict[str, Any]
    address: str | None
    request_id: str | None


class AuditList(msgspec.Struct, rename="camel"):
    """Lines, newest first."""

    items: list[AuditRead]
    pagination: Cursor


class UserFilter(StrEnum):
    """Which users; ``migrated`` are those of a customer that is linked to a user at VirtFusion."""

    ALL = "all"
    ACTIVE = "active"
    INACTIVE = "inactive"
    ADMIN = "admin"
    MIGRATED = "migrated"


class UserSort(StrEnum):
    """What users are sorted by."""

    USERNAME = "username"
    EMAIL = "email"
    FULL_NAME = "fullName"
    CREATED = "createdAt"


class SortOrder(StrEnum):
    """Which way round."""

    ASC = "asc"
    DESC = "desc"


class AdminUserRead(msgspec.Struct, rename="camel"):
    """A user as staff see them. ``linked``: at least one of their customers is linked to a user at VirtFusion."""

    id: int
    username: str
    email: str
    full_name: str
    role: Role
    language: str
    enabled: bool
    suspended_at: datetime | None
    suspend_reason: str | None
    email_verified: bool
    created_at: datetime
    last_sign_in_at: datetime | None
    session_count: int
    server_count: int
    linked: bool


class AdminUserCustomer(msgspec.Struct, rename="camel"):
    """A customer that a user belongs to, and as what."""

    id: int
    number: int
    name: str
    role: MemberRole
    server_count: int
    linked: bool


class AdminUserSession(msgspec.Struct, rename="camel"):
    """A session that goes on."""

    id: int
    created_at: datetime
    seen_at: datetime
    address: str | None
    user_agent: str | None


class AdminUserKey(msgspec.Struct, rename="camel"):
    """An API key: how it begins, never the key."""

    id: int
    prefix: str
    name: str
    customer: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class AdminUserDetail(AdminUserRead, rename="camel"):
    """A user with what belongs to them."""

    customers: list[AdminUserCustomer]
    sessions: list[AdminUserSession]
    api_keys: list[AdminUserKey]


class UserStatistics(msgspec.Struct, rename="camel"):
    """Figures of all users, whatever the filter."""

    total_users: int
    migrated_users: int
    admin_count: int
    active_count: int


class AdminUserList(msgspec.Struct, rename="camel"):
    """A page of users."""

    items: list[AdminUserRead]
    pagination: Pagination
    statistics: UserStatistics


class StatusChange(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Whether somebody may sign in. Suspending needs a reason, which staff read."""

    enabled: bool
    reason: Annotated[str, Meta(max_length=500)] = ""
