"""What the worker does for identity."""

from __future__ import annotations

from hostwright.core.jobs import Work, WorkPart, every, runs
from hostwright.identity import service
from hostwright.identity.events import FORGET_ENDED_SESSIONS, Nothing


def work(*, idle_hours: int) -> WorkPart:
    """Sessions that ended and old sign-in counts are dropped once an hour."""

    async def forget(work: Work, payload: Nothing) -> None:
        del payload
        async with work.database.transaction() as tx:
            await service.forget_ended(tx, idle_hours=idle_hours)

    return WorkPart(
        bindings=[runs(FORGET_ENDED_SESSIONS, forget)],
        schedules=[every("17 * * * *", FORGET_ENDED_SESSIONS, Nothing())],
        subscriptions=[],
    )
