"""What the machinery leaves behind is cleaned once an hour."""

from __future__ import annotations

from typing import Final

from hostwright.core.events import Nothing
from hostwright.core.jobs import Job, Work, WorkPart, every, runs
from hostwright.core.work import queries

CLEAN: Final = Job("work.clean", Nothing)
BATCH: Final = 5000


async def clean(work: Work, payload: Nothing) -> None:
    """Delete old events, deliveries, finished jobs' logs, starts, limits and silent processes."""
    del payload
    for statement in queries.CLEANING:
        deleted = BATCH
        while deleted >= BATCH:
            async with work.database.transaction() as tx:
                deleted = await statement.run(tx)


def part() -> WorkPart:
    """The job and its schedule."""
    return WorkPart(bindings=[runs(CLEAN, clean)], schedules=[every("41 * * * *", CLEAN, Nothing())])
