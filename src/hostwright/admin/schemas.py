"""What the admin API speaks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from hostwright.core.paging import Pagination
from hostwright.core.queue import JobState


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
