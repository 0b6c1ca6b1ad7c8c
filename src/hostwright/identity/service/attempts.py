"""Growing delays for wrong passwords, wherever one is asked for."""

from __future__ import annotations

from typing import Final

from hostwright.core.db import Database
from hostwright.core.errors import TooManyRequests
from hostwright.identity import queries

LONGEST_WAIT: Final = 300.0
"""Seconds. A wait ends by itself and hangs on where one comes from: nobody can lock a stranger out."""


async def count_attempt(database: Database, key: bytes, free: int) -> None:
    """Count this try before the password is looked at; raises `TooManyRequests` while the counter waits.

    In a transaction of its own, so that the count stays when the rest is refused.
    """
    async with database.transaction() as tx:
        counted = await queries.count_attempt.maybe(tx, key, free, LONGEST_WAIT)
        if counted is None:
            wait = await queries.attempt_wait.maybe(tx, key) or 1.0
            raise TooManyRequests(int(wait) + 1, "Too many tries. Wait a moment and try again.")
