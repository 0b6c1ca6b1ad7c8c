"""A mirror of 5,000 servers over real HTTP: our own time, beside a simulated VirtFusion in a process of its own.

Run as a program it is that simulator: `python -m bench.mirror PORT`.
"""

from __future__ import annotations

import asyncio
import sys
import time

from bench.processes import answers, free_port
from bench.results import Row, at_most
from hostwright.core.config import Config, Environment
from hostwright.core.crypto import Keyring
from hostwright.core.db import create_database
from hostwright.core.paging import Page
from hostwright.core.scope import Staff
from hostwright.servers import queries
from hostwright.servers.queries import ServerFilter
from hostwright.servers.service import add_connection, refresh_details, run_mirror
from hostwright.upstream.factory import connection_providers
from hostwright.upstream.simulators import VIRTFUSION, serve_simulators
from hostwright.upstream.virtfusion.simulator import WorldPlan

PLAN = WorldPlan(servers=5_000, users=300)
BUDGET = 60


async def measure(dsn: str, keyring: Keyring) -> list[Row]:
    """One complete list, every server's details, and a list that finds nothing new."""
    port = free_port()
    simulator = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.mirror", str(port))
    try:
        while not await asyncio.to_thread(answers, port, VIRTFUSION):
            await asyncio.sleep(0.05)
        return await _mirror(dsn, keyring, f"http://127.0.0.1:{port}{VIRTFUSION}")
    finally:
        simulator.terminate()
        await simulator.wait()


async def _mirror(dsn: str, keyring: Keyring, url: str) -> list[Row]:
    config = Config(database_url=dsn, environment=Environment.DEVELOPMENT)
    database = await create_database(dsn)
    async with database.transaction() as tx:
        number = await add_connection(tx, keyring, name="Bench", base_url=url, token=PLAN.token)
    async with connection_providers(config, database, keyring) as providers:
        began, own = time.perf_counter(), time.process_time()
        listed = await run_mirror(database, providers, number)
        details = await refresh_details(database, providers, number, budget=PLAN.servers, limited=False)
        again = await run_mirror(database, providers, number)
        own, spent = time.process_time() - own, time.perf_counter() - began
    async with database.acquire() as db:
        page = await queries.list_rows(db, ServerFilter(Staff("servers.manage")), Page())
    await database.close()
    if (listed.created, details.stored, again.changed, page.total) != (PLAN.servers, PLAN.servers, 0, PLAN.servers):
        message = f"the mirror is not complete: {listed}, {details}, {again}"
        raise RuntimeError(message)
    name = f"Mirror of 5,000 servers, own time ({listed.calls} list calls, {spent:.0f} s in all)"
    return [at_most(name, own, "s", BUDGET)]


if __name__ == "__main__":
    serve_simulators("127.0.0.1", int(sys.argv[1]), None, PLAN)
