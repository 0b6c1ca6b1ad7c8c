"""Two programs for a test: a simulated VirtFusion with 5,000 servers, and a mirror of it that measures itself.

`python -m tests.stack.five_thousand simulate PORT` and `… mirror DSN URL`.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from typing import Final

import msgspec

from hostwright.core.crypto import Keyring
from hostwright.core.db import create_database
from hostwright.servers.service import DetailsOutcome, MirrorOutcome, add_connection, refresh_details, run_mirror
from hostwright.upstream.factory import connection_providers
from hostwright.upstream.simulators import serve_simulators
from hostwright.upstream.virtfusion.simulator import WorldPlan
from tests.support.app import KEYS, config_of

SERVERS: Final = 5_000
PLAN: Final = WorldPlan(servers=SERVERS, users=300, build_minutes=600)


class Measured(msgspec.Struct, frozen=True):
    """What the mirror did, and what it cost its process: seconds of its own time, MiB that were resident at most."""

    first: MirrorOutcome
    details: DetailsOutcome
    again: MirrorOutcome
    own_seconds: float
    seconds: float
    resident_mib: float


async def mirror(dsn: str, url: str) -> Measured:
    """A first list, everybody's details, and a list that finds nothing new."""
    keyring = Keyring.parse(KEYS)
    database = await create_database(dsn)
    try:
        async with database.transaction() as tx:
            number = await add_connection(tx, keyring, name="Frankfurt", base_url=url, token=PLAN.token)
        async with connection_providers(config_of(dsn), database, keyring) as providers:
            own, began = time.process_time(), time.perf_counter()
            first = await run_mirror(database, providers, number)
            details = await refresh_details(database, providers, number, budget=SERVERS, limited=False)
            again = await run_mirror(database, providers, number)
            own, spent = time.process_time() - own, time.perf_counter() - began
    finally:
        await database.close()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(first, details, again, own, spent, resident)


if __name__ == "__main__":
    if sys.argv[1] == "simulate":
        serve_simulators("127.0.0.1", int(sys.argv[2]), None, PLAN)
    else:
        sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(mirror(sys.argv[2], sys.argv[3]))))
