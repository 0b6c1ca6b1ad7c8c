"""Fills the mirror over real HTTP, first as of three days ago and then as of now, with what happened in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from hostwright.cli.demo.simulated import Json, ask
from hostwright.cli.problems import Problem
from hostwright.core.clock import Clock, SystemClock
from hostwright.core.db import Database
from hostwright.core.providers import ServerState
from hostwright.servers.ports import Providers
from hostwright.servers.service import refresh_details, run_mirror

ATTACHED_BEFORE: Final = timedelta(hours=68)
"""Less than the simulator's youngest finished server is old, so that none was found before it was made."""
SUSPENDED_BEFORE: Final = timedelta(hours=27)
SUSPENDED: Final = 1004
FORMER: Final = {1001: "10.90.0.17", 1003: "10.90.0.23", 1015: "10.90.1.5"}
"""Servers of the vendor that had another address before, so that there is an address history."""
FIRST_READ: Final = 40
EVERYTHING: Final = 10_000

type History = Callable[[Database, datetime], Awaitable[None]]


class PastClock:
    """A clock that stands at a moment of the past."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self) -> datetime:
        """That moment."""
        return self._moment


class Mirror:
    """One connection's mirror at several moments."""

    def __init__(self, database: Database, providers: Providers, connection_id: int) -> None:
        self.database = database
        self.providers = providers
        self.connection_id = connection_id

    async def list(self, clock: Clock) -> None:
        """Take over a complete list."""
        outcome = await run_mirror(self.database, self.providers, self.connection_id, clock=clock)
        if outcome.state != "done":
            message = f"The simulated company could not be read: {outcome.error or outcome.state}"
            raise Problem(message)

    async def read(self, clock: Clock, budget: int) -> None:
        """Read the details of so many servers, those never read and the first ones first."""
        outcome = await refresh_details(
            self.database, self.providers, self.connection_id, budget=budget, clock=clock, limited=False
        )
        if outcome.error is not None:
            message = f"The simulated servers could not be read: {outcome.error}"
            raise Problem(message)

    async def building(self) -> list[int]:
        """The vendor's numbers of servers that are being built."""
        listing = await (await self.providers.compute(self.connection_id)).list_servers()
        return [server.external_id for server in listing.servers if server.state is ServerState.BUILDING]


async def fill_mirror(
    database: Database, providers: Providers, connection_id: int, simulator: str, add_history: History
) -> None:
    """Mirror the past, put ``add_history`` (which gets the time of the first list) on top, mirror the present."""
    mirror = Mirror(database, providers, connection_id)
    now = datetime.now(UTC).replace(microsecond=0)
    attached = PastClock(now - ATTACHED_BEFORE)
    was, present = await asyncio.to_thread(_differences, simulator, await mirror.building())
    await asyncio.to_thread(_change, simulator, was)
    await mirror.list(attached)
    await mirror.read(attached, FIRST_READ)
    await add_history(database, attached.now())
    await asyncio.to_thread(_change, simulator, {SUSPENDED: present.pop(SUSPENDED)})
    await mirror.list(PastClock(now - SUSPENDED_BEFORE))
    await asyncio.to_thread(_change, simulator, present)
    await mirror.list(SystemClock())
    await mirror.read(SystemClock(), EVERYTHING)


def _differences(simulator: str, building: list[int]) -> tuple[dict[int, Json], dict[int, Json]]:
    """By server, what was different three days ago and what it is now."""
    was: dict[int, Json] = {number: {"hidden": True} for number in building}
    now: dict[int, Json] = {number: {"hidden": False} for number in building}
    was[SUSPENDED], now[SUSPENDED] = {"suspended": False}, {"suspended": True}
    for number, address in FORMER.items():
        server = ask(simulator, f"servers/{number}")
        was[number], now[number] = {"ipv4": [address]}, {"ipv4": server["ipv4"]}
    return was, now


def _change(simulator: str, changes: dict[int, Json]) -> None:
    for number, change in changes.items():
        ask(simulator, f"servers/{number}", change, method="POST")
