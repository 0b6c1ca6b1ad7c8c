"""Rows of the first run."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Step(StrEnum):
    """What is asked for, in this order. The value is the last part of its address."""

    TOKEN = "token"  # noqa: S105  a step's name
    ADMIN = "admin"
    COMPANY = "company"
    VIRTFUSION = "virtfusion"
    IMPORT = "import"


class SetupRow(msgspec.Struct, frozen=True):
    """How far the first run is. The hashes are of what is printed, and of the cookie of whoever entered that."""

    token_hash: bytes | None
    token_expires_at: datetime | None
    visitor_hash: bytes | None
    visitor_expires_at: datetime | None
    admin_id: int | None
    company_at: datetime | None
    connection_id: int | None
    connection_at: datetime | None
    finished_at: datetime | None
    has_admin: bool

    def __repr__(self) -> str:
        """Without hashes."""
        return f"SetupRow(finished_at={self.finished_at!r})"


class Draft(msgspec.Struct, frozen=True):
    """The control system as it was entered; its token is ciphertext."""

    id: int
    base_url: str
    token: bytes
    verify_tls: bool

    def __repr__(self) -> str:
        """Without the ciphertext."""
        return f"Draft(id={self.id})"


class Progress(msgspec.Struct, frozen=True):
    """How far the import is. ``state`` is of the latest run of the mirror, None before the first."""

    state: str | None
    error: str | None
    servers: int
    detailed: int
    complete: bool
    enabled: bool
