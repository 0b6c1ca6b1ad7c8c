"""One run of the mirror, and one pass over details, at the hour of the house."""

from __future__ import annotations

from hostwright.servers.service import refresh_details, run_mirror
from hostwright.servers.service.mirror import MirrorOutcome

from .helpers import House


async def mirror(house: House) -> MirrorOutcome:
    return await run_mirror(house.database, house.providers, house.connection_id, clock=house.clock)


async def details(house: House) -> int:
    outcome = await refresh_details(
        house.database, house.providers, house.connection_id, budget=1000, clock=house.clock, limited=False
    )
    return outcome.stored
