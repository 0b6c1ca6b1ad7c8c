"""What the API of address history speaks."""

from __future__ import annotations

from datetime import datetime

import msgspec

from hostwright.core.paging import Pagination
from hostwright.core.providers import ServerState


class HeldRead(msgspec.Struct, frozen=True, rename="camel"):
    """An address of a server while one customer had it. ``until`` null: it is so today."""

    address: str
    server_id: int
    server_name: str
    server_state: ServerState
    connection_name: str
    customer_id: int | None
    customer_name: str | None
    since: datetime
    last_seen_at: datetime
    until: datetime | None


class HeldList(msgspec.Struct, frozen=True):
    """Who had it, newest first."""

    items: list[HeldRead]
    pagination: Pagination
