"""What the API of connections speaks. A token goes in and never comes out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from hostwright.core.db import LARGEST_ID

# Python's ``$`` alone would take a line feed at the end.
Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^\S[^\x00-\x1f\x7f]*$(?!\n)")]
BaseUrl = Annotated[str, Meta(min_length=1, max_length=300)]
Token = Annotated[str, Meta(min_length=1, max_length=4096, pattern=r"^[\x21-\x7e]+$(?!\n)")]
Calls = Annotated[int, Meta(ge=1, le=6000)]
Id = Annotated[int, Meta(ge=1, le=LARGEST_ID)]


class ConnectionAdd(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A VirtFusion to attach. ``saveAnyway`` also when the test fails; ``twice`` also when the address is attached."""

    name: Name
    base_url: BaseUrl
    token: Token
    verify_tls: bool = True
    calls_per_minute: Calls = 120
    allow_private_targets: bool = False
    save_anyway: bool = False
    twice: bool = False

    def __repr__(self) -> str:
        """Without the token."""
        return f"ConnectionAdd(name={self.name!r})"


class ConnectionChange(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What to change; what is left out stays. Another host needs the token again."""

    name: Name | None = None
    base_url: BaseUrl | None = None
    token: Token | None = None
    verify_tls: bool | None = None
    calls_per_minute: Calls | None = None
    allow_private_targets: bool | None = None
    enabled: bool | None = None
    save_anyway: bool = False
    twice: bool = False

    def __repr__(self) -> str:
        """Without the token."""
        return f"ConnectionChange(name={self.name!r})"


class AreaRead(msgspec.Struct, frozen=True):
    """Whether one part of what we need works; ``problem`` says what does not."""

    area: str
    ok: bool
    problem: str | None


class TestRead(msgspec.Struct, frozen=True):
    """What a test found. ``problem`` is the first one; null when everything works."""

    ok: bool
    problem: str | None
    areas: list[AreaRead]


class ConnectionRead(msgspec.Struct, frozen=True, rename="camel"):
    """A connection. ``state`` is waiting until its servers were listed for the first time.

    ``callsAhead`` is how many calls of ``callsAtOnce`` are spent right now; ``callsPerMinute`` of them come back.
    """

    id: int
    name: str
    base_url: str
    verify_tls: bool
    calls_per_minute: int
    allow_private_targets: bool
    enabled: bool
    state: str
    created_at: datetime
    updated_at: datetime
    last_list_at: datetime | None
    last_good_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    servers_listed: int | None
    calls_ahead: int
    calls_at_once: int
    areas: list[AreaRead]
    checked_at: datetime | None


class ConnectionList(msgspec.Struct, frozen=True):
    """All connections, by name."""

    items: list[ConnectionRead]


class TestConnection(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """What to test: a stored connection, or an address with a token that is kept nowhere."""

    connection_id: Id | None = None
    base_url: BaseUrl | None = None
    token: Token | None = None
    verify_tls: bool = True

    def __repr__(self) -> str:
        """Without the token."""
        return f"TestConnection(connection_id={self.connection_id!r})"


class TestUser(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Whose user at VirtFusion would be made, and where: the first connection that is on, unless one is named."""

    customer_id: Id
    connection_id: Id | None = None
    relation_id: Id | None = None


class OutsideUserRead(msgspec.Struct, frozen=True, rename="camel"):
    """A user at VirtFusion."""

    external_id: int
    relation_id: int | None
    name: str
    email: str
    suspended: bool


class NewUserRead(msgspec.Struct, frozen=True, rename="camel"):
    """A user as it would be made at VirtFusion."""

    relation_id: int
    name: str
    email: str | None


class TestUserRead(msgspec.Struct, frozen=True, rename="camel"):
    """What would happen; nothing was changed. ``present`` has the relation already, ``linkedUserId`` is this customer.

    ``problem`` says why it cannot be told or done.
    """

    customer_id: int
    connection_id: int
    would_create: bool
    user: NewUserRead
    present: OutsideUserRead | None
    linked_user_id: int | None
    problem: str | None
