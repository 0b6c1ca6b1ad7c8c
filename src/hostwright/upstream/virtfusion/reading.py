"""Single values of VirtFusion's answers, made fit to be stored: an odd one is not known, and breaks nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, overload

import msgspec

from hostwright.core.http.failures import CONTROLS

LONGEST: Final = 255
MOST_CORES: Final = 2**31 - 1
MOST: Final = 2**63 - 1  # of everything that is counted or numbered


@overload
def text(value: str) -> str: ...
@overload
def text(value: str | None) -> str | None: ...
def text(value: str | None) -> str | None:
    """Without control characters, and no longer than a name may be."""
    return None if value is None else CONTROLS.sub("", value)[:LONGEST].strip()


def number(value: int | None, most: int = MOST) -> int | None:
    """A number from 0 to ``most``; None for any other."""
    return value if value is not None and 0 <= value <= most else None


def rounded(value: float | None) -> int | None:
    """A number from 0 on, also one that came with a fraction; None for any other."""
    return None if value is None else number(round(value))


def is_id(value: int) -> bool:
    """Whether this can be the number of something."""
    return 0 < value <= MOST


def moment(raw: msgspec.Raw) -> datetime | None:
    """A time, or None when it cannot be read."""
    try:
        return utc(msgspec.json.decode(raw, type=datetime, strict=False))
    except (msgspec.DecodeError, OverflowError):
        return None


def utc(value: datetime) -> datetime:
    """Times without a zone are taken for UTC, the zone that VirtFusion runs in."""
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
