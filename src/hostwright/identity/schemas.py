"""What the identity API speaks, and who calls."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

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


class KeyMake(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A new API key for the customer that this request is for. Without ``expiresInDays`` it does not end by itself."""

    name: Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^\S[^\x00-\x1f\x7f]*$(?!\n)")]
    scopes: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(min_length=1, max_length=40)]
    expires_in_days: Annotated[int, Meta(ge=1, le=365)] | None = None


class KeyCustomer(msgspec.Struct, frozen=True, rename="camel"):
    """The one customer that a key is for."""

    id: int
    name: str


class KeyRead(msgspec.Struct, frozen=True, rename="camel"):
    """An API key: ``prefix`` is how it begins. Not ``active``: it has expired, or its user left the customer."""

    id: int
    name: str
    prefix: str
    scopes: list[str]
    customer: KeyCustomer
    active: bool
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class KeyMade(KeyRead, frozen=True, rename="camel"):
    """A key that was just made, with the key itself: this answer alone shows it."""

    key: str

    def __repr__(self) -> str:
        """Without the key."""
        return f"KeyMade(id={self.id})"


class KeyList(msgspec.Struct, frozen=True):
    """A user's API keys."""

    items: list[KeyRead]


class MeRead(UserRead, rename="camel"):
    """The user, and the key that asks."""

    key: KeyRead


class PasswordChange(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """The present password, and the one to use from now on."""

    current_password: Annotated[str, Meta(min_length=1, max_length=256)]
    new_password: Annotated[str, Meta(min_length=8, max_length=256)]

    def __repr__(self) -> str:
        """Without either, so that no log or traceback shows them."""
        return "PasswordChange()"


class PasswordChanged(msgspec.Struct, rename="camel"):
    """How many other sessions were ended by it."""

    sessions_ended: int


class ProfileChange(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """These fields and no others; what is left out stays. The languages are those of `web.i18n`."""

    full_name: Annotated[str, Meta(min_length=1, max_length=120)] | UnsetType = UNSET
    language: Literal["en", "de"] | UnsetType = UNSET


class AccountRead(msgspec.Struct, rename="camel"):
    """One's own profile. ``last_sign_in_at`` is null for who never signed in."""

    id: int
    username: str
    full_name: str
    email: str
    email_verified: bool
    roles: list[Role]
    language: str
    last_sign_in_at: datetime | None
    created_at: datetime
    customer: CustomerRead


class VerificationRead(msgspec.Struct, rename="camel"):
    """Whether the address was shown to be the user's, and since when."""

    email: str
    email_verified: bool
    verified_at: datetime | None
