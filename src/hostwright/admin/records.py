"""Rows that staff see of the machinery."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class JobState(StrEnum):
    """Where a job is. ``held``: the queue keeps it after a failure that nobody counted as dead."""

    QUEUED = "queued"
    RUNNING = "running"
    DEAD = "dead"


class WaitingJob(msgspec.Struct, frozen=True):
    """A job that waits or runs. ``attempts`` counts its starts; ``payload`` is JSON."""

    id: int
    name: str
    attempts: int
    payload: str | None
    created_at: datetime
    due_at: datetime
    touched_at: datetime


class DeadJob(msgspec.Struct, frozen=True):
    """A job that was given up, until staff replay or discard it. ``payload`` is JSON."""

    id: int
    name: str
    attempts: int
    payload: str
    error: str
    died_at: datetime


class JobCounts(msgspec.Struct, frozen=True):
    """How many jobs there are by state, and since when the oldest due one waits."""

    queued: int
    running: int
    dead: int
    oldest_due_at: datetime | None


class MirrorRun(msgspec.Struct, frozen=True):
    """The latest mirror run of a connection; None fields when there was none yet."""

    connection_id: int
    name: str
    last_list_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    prune_stopped_at: datetime | None
    state: str | None
    listed: int | None
    changed: int | None
    detailed: int | None
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
