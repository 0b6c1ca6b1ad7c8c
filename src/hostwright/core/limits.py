"""Limits that all processes share: the generic cell rate algorithm in one statement."""

from __future__ import annotations

import math
from datetime import timedelta

from hostwright.core.db import Db, Scalar
from hostwright.core.errors import TooManyRequests

# clock_timestamp(), not now(): the latter stands still inside a transaction.
take = Scalar(
    float,
    """
    insert into rate_limits as r (key, tat) values ($1, clock_timestamp() + $2::interval)
    on conflict (key) do update set tat = greatest(r.tat, clock_timestamp()) + $2::interval
    where r.tat + $2::interval <= clock_timestamp() + $2::interval * $3::int
    returning extract(epoch from tat - clock_timestamp())::float8
    """,
)
wait = Scalar(
    float,
    """
    select greatest(0, extract(epoch from tat + $2::interval - clock_timestamp() - $2::interval * $3::int))::float8
    from rate_limits where key = $1
    """,
)


async def check_limit(db: Db, key: str, *, per: timedelta, burst: int) -> float | None:
    """Count one call: ``burst`` at once, one more each ``per``. None: refused; else seconds until the burst is whole.

    In autocommit the count stands even when the request is refused later; inside a transaction its row stays locked.
    """
    return await take.maybe(db, key, per, burst)


async def retry_after(db: Db, key: str, *, per: timedelta, burst: int) -> float:
    """Seconds until the next call would pass."""
    return await wait.maybe(db, key, per, burst) or 0.0


async def spend(db: Db, key: str, *, per: timedelta, burst: int, message: str | None = None) -> float:
    """As `check_limit`, but raises `TooManyRequests` with the time to wait."""
    left = await check_limit(db, key, per=per, burst=burst)
    if left is None:
        raise TooManyRequests(math.ceil(await retry_after(db, key, per=per, burst=burst)), message)
    return left
