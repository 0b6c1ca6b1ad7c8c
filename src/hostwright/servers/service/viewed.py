"""Who is looked at: details of those servers are read first."""

from __future__ import annotations

from collections.abc import Sequence

from hostwright.core.db import Db
from hostwright.servers import queries


async def note_viewed(db: Db, server_ids: Sequence[int]) -> None:
    """Say that somebody looks at these servers.

    One statement that writes a row once a minute at most. Called for one server and for pages, never for lists of the
    API: a program that reads every page must not turn the order of the mirror upside down.
    """
    await queries.touch_viewed(db, server_ids)
