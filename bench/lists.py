"""Database time of every list at 1,000 and at 100,000 servers: each statement of the product, median of many runs."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import asyncpg

from bench.results import Row, at_most_times
from hostwright.core.db.pool import prepare_connection
from hostwright.core.paging import Page
from hostwright.core.providers import Power, ServerState
from hostwright.core.scope import OwnedBy, Staff
from hostwright.servers.queries import lists
from hostwright.servers.schemas import Sort

RUNS = 60
STAFF = Staff("servers.manage")


def variants(customer_id: int) -> dict[str, tuple[lists.ServerFilter, Page]]:
    """Lists of a customer and of staff: orders, filters, a search, the second page."""
    scopes = {"own": OwnedBy(customer_id), "all": STAFF}
    found: dict[str, tuple[lists.ServerFilter, Page]] = {}
    for who, scope in scopes.items():
        for sort in Sort:
            found[f"{who} by {sort}"] = lists.ServerFilter(scope, sort=sort), Page()
        found[f"{who} page 2"] = lists.ServerFilter(scope), Page(2)
        found[f"{who} running"] = (
            lists.ServerFilter(scope, state=ServerState.ACTIVE, power=Power.RUNNING),
            Page(),
        )
        found[f"{who} suspended"] = lists.ServerFilter(scope, state=ServerState.SUSPENDED), Page()
        found[f"{who} search"] = lists.ServerFilter(scope, search="host77.example"), Page()
    found["one customer for staff"] = lists.ServerFilter(STAFF, customer_id=customer_id), Page()
    return found


async def _times(dsn: str, customer_id: int) -> dict[str, float]:
    connection: Any = await asyncpg.connect(dsn)
    await prepare_connection(connection)
    found: dict[str, float] = {}
    for name, (wanted, page) in variants(customer_id).items():
        spent: list[float] = []
        for run in range(RUNS + 5):
            began = time.perf_counter()
            counts = await lists.list_counts(connection, wanted)
            await lists.list_reads(connection, wanted, page)
            await lists.total(connection, wanted, counts)
            if run >= 5:
                spent.append((time.perf_counter() - began) * 1000)
        found[name] = median(spent)
    await connection.close()
    return found


async def measure(small: tuple[str, int], large: tuple[str, int]) -> list[Row]:
    """The worst of all lists; each argument is a DSN and a customer's id there."""
    at_small, at_large = await _times(*small), await _times(*large)
    worst = max(at_small, key=lambda name: at_large[name] / at_small[name])
    for name in at_small:
        print(f"  {name:28} {at_small[name]:8.3f} ms {at_large[name]:8.3f} ms  {at_large[name] / at_small[name]:.2f}")
    name = f"Any list, 100,000 to 1,000 servers (worst: {worst})"
    return [at_most_times(name, at_large[worst], "ms", at_small[worst], 2.0)]
