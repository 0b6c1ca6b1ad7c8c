"""Schedules: every worker knows them all; whoever moves a schedule's last tick on puts its job into the queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import croniter
import structlog

from hostwright.core.clock import Clock
from hostwright.core.db import Database
from hostwright.core.jobs import Schedule, enqueue
from hostwright.core.logs import error_text
from hostwright.core.work import queries
from hostwright.core.work.runner import DATABASE_ERRORS

LONGEST_SLEEP: Final = 60.0
AFTER_FAILURE: Final = 1.0

log = structlog.get_logger(__name__)
_cron = cast("Callable[[str, datetime], Any]", croniter.croniter)


def last_tick(cron: str, now: datetime) -> datetime:
    """The latest time of ``cron`` that is not after ``now``."""
    after = now.replace(microsecond=0) + timedelta(seconds=1)
    return cast("datetime", _cron(cron, after).get_prev(datetime)).astimezone(UTC)


def next_tick(cron: str, now: datetime) -> datetime:
    """The first time of ``cron`` after ``now``."""
    return cast("datetime", _cron(cron, now.replace(microsecond=0)).get_next(datetime)).astimezone(UTC)


class Ticker:
    """Fires schedules. A tick that was missed while no worker ran is made up for once."""

    def __init__(self, database: Database, clock: Clock, schedules: Sequence[Schedule]) -> None:
        self._database = database
        self._clock = clock
        self._schedules = schedules
        self._fired: dict[str, datetime] = {}
        names = [schedule.name for schedule in schedules]
        if len(set(names)) != len(names):
            message = "two schedules have the same job and times"
            raise ValueError(message)
        for schedule in schedules:
            next_tick(schedule.cron, clock.now())  # a wrong line is refused at the start

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self.fire_due()
            except DATABASE_ERRORS as error:
                log.warning("schedules.database_lost", error=error_text(error))
                await asyncio.sleep(AFTER_FAILURE)
                continue
            now = self._clock.now()
            upcoming = [next_tick(schedule.cron, now) for schedule in self._schedules]
            wait = min((tick - now).total_seconds() for tick in upcoming) if upcoming else LONGEST_SLEEP
            await asyncio.sleep(min(max(wait, 0.0) + 0.01, LONGEST_SLEEP))

    async def fire_due(self) -> int:
        """Fire what is due and not yet fired by anybody; returns how many we fired."""
        fired = 0
        for schedule in self._schedules:
            tick = last_tick(schedule.cron, self._clock.now())
            if self._fired.get(schedule.name) == tick:
                continue
            async with self._database.transaction() as tx:
                if await queries.claim_tick.maybe(tx, schedule.name, tick) is not None:
                    await enqueue(tx, schedule.job, schedule.payload, key=f"schedule {schedule.cron}")
                    fired += 1
            self._fired[schedule.name] = tick
        return fired
