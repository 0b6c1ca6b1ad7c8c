"""Waiting between attempts: full jitter, ``Retry-After``, and a clock that tests can move."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

LONGEST_RETRY_AFTER: Final = 600.0  # a vendor that asks for more is asked again after ten minutes all the same


class Pace(msgspec.Struct, frozen=True):
    """Where time comes from. ``jitter`` picks a wait between its two arguments, in seconds."""

    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    jitter: Callable[[float, float], float] = random.uniform

    def backoff(self, attempt: int, *, first: float, longest: float) -> float:
        """Seconds to wait after attempt ``attempt`` (from 0): anything from nothing to a doubling bound."""
        return self.jitter(0.0, min(longest, first * 2.0**attempt))


def retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a ``Retry-After`` asks for, as a number or as an HTTP date; None when it says nothing usable."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - now).total_seconds()), LONGEST_RETRY_AFTER)
