"""What the admin API speaks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from hostwright.core.paging import Pagination


class JobRead(msgspec.Struct, rename="camel"):
    """A job. ``error`` and ``diedAt`` are null unless it is dead; ``dueAt`` is null when it is."""

    id: int
    name: str
    state: str
    attempts: int
    payload: Any
    error: str | None
    created_at: datetime | None
    due_at: datetime | None
    died_at: datetime | None


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
