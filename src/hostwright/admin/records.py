"""Rows that staff see of the machinery."""

from __future__ import annotations

from datetime import datetime

import msgspec


class MirrorRun(msgspec.Struct, frozen=True):
    """The latest mirror run of a connection; None fields when there was none yet."""

    connection_id: int
    name: str
    last_list_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    prune_stopped_at: datetime | None
    prune_count: int
    prune_confirmed_at: datetime | None
    state: str | None
    listed: int | None
    changed: int | None
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
