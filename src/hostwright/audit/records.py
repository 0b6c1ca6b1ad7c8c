"""Rows of the audit log."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class Outcome(StrEnum):
    """How it went."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class AuditRow(msgspec.Struct, frozen=True):
    """One line: ``actor_label`` and ``object_label`` are what they were called at the time."""

    id: int
    at: datetime
    actor_id: int | None
    actor_label: str
    action: str
    outcome: Outcome
    customer_id: int | None
    object_type: str | None
    object_id: str | None
    object_label: str | None
    detail: dict[str, Any]
    address: str | None
    request_id: str | None
