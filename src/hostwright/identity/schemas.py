"""What the identity API speaks, and who calls."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from hostwright.core.scope import OwnedBy, Staff
from hostwright.identity.records import MemberRole, Role

MANAGE_SERVERS = "servers.manage"


class Viewer(msgspec.Struct, frozen=True):
    """Who calls, for which customer. ``scopes`` is None for a session: a person may do what their role allows."""

    user_id: int
    username: str
    full_name: str
    email: str
    role: Role
    customer_id: int
    customer_name: str
    member_role: MemberRole
    language: str
    session_id: int | None
    key_id: int | None
    scopes: frozenset[str] | None
    address: str | None
    request_id: str

    @property
    def scope(self) -> OwnedBy | Staff:
        """The rows of the viewer's customer."""
        return OwnedBy(self.customer_id)

    @property
    def is_staff(self) -> bool:
        """Whether the viewer works for the company."""
        return self.role is Role.ADMIN

    @property
    def label(self) -> str:
        """How the viewer is named in activity and audit."""
        return self.full_name


class StaffViewer(Viewer, frozen=True):
    """A viewer who works for the company, on a page or an operation for staff."""

    @property
    def scope(self) -> OwnedBy | Staff:
        """The rows of all customers."""
        return Staff(MANAGE_SERVERS)


class SignIn(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A name or an e-mail address, and the password."""

    username: Annotated[str, Meta(min_length=1, max_length=254)]
    password: Annotated[str, Meta(min_length=1, max_length=256)]


class Register(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A new account. These fields and no others. Python's ``$`` alone would take a line feed at the end."""

    username: Annotated[str, Meta(min_length=3, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$(?!\n)")]
    email: Annotated[str, Meta(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$(?!\n)")]
    full_name: Annotated[str, Meta(min_length=1, max_length=120)]
    password: Annotated[str, Meta(min_length=8, max_length=256)]


class CustomerRead(msgspec.Struct, rename="camel"):
    """A customer that the user belongs to."""

    id: int
    name: str
    role: MemberRole


class UserRead(msgspec.Struct, rename="camel"):
    """The user, without anything secret."""

    id: int
    username: str
    email: str
    full_name: str
    role: Role
    language: str
    email_verified: bool
    created_at: datetime
    customer: CustomerRead
