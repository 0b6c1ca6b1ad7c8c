"""What the API of usage speaks."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Range(StrEnum):
    """How far back a graph goes."""

    HOUR = "1h"
    SIX_HOURS = "6h"
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"


class UsagePoint(msgspec.Struct, frozen=True, rename="camel"):
    """A stretch that begins at ``at``; null was not seen. Sizes in MiB and GiB."""

    at: datetime
    cpu_percent: float | None
    memory_used_mib: float | None
    memory_mib: int | None
    disk_read_bytes_per_second: float | None
    disk_written_bytes_per_second: float | None
    disk_used_gib: float | None
    disk_gib: float | None


class UsageRead(msgspec.Struct, frozen=True, rename="camel"):
    """What a server did. ``sampledAt``: the last sample; ``silentSince``: VirtFusion does not answer since then."""

    range: Range
    step_seconds: int
    sampled_at: datetime | None
    silent_since: datetime | None
    points: list[UsagePoint]
