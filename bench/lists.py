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
WARM = 8  # the first calls plan anew
KNOWN = "lallpc-777"  # the name of one server at either size (see `bench.world`), and part of two more at the larger
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
        found[f"{who} search"] = lists.ServerFilter(scope, search=KNOWN), Page()
    found["one customer for staff"] = lists.ServerFilter(STAFF, customer_id=customer_id), Page()
    return found


async def _open(dsn: str) -> Any:
    connection: Any = await asyncpg.connect(dsn)
    await prepare_connection(connection)
    return connection


async def _spent(connection: Any, wanted: lists.ServerFilter, page: Page) -> float:
    began = time.perf_counter()
    await lists.list_reads(connection, wanted, page)
    return (time.perf_counter() - began) * 1000


async def measure(small: tuple[str, int], large: tuple[str, int]) -> list[Row]:
    """The worst of all lists; arguments are a DSN and a customer there. Sizes take turns, so that noise meets both."""
    at_small, at_large = await _open(small[0]), await _open(large[0])
    large_variants = variants(large[1])
    found: dict[str, tuple[float, float]] = {}
    for name, (wanted, page) in variants(small[1]).items():
        pairs = [
            (await _spent(at_small, wanted, page), await _spent(at_large, *large_variants[name]))
            for _ in range(RUNS + WARM)
        ][WARM:]
        found[name] = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
        few, many = found[name]
        print(f"  {name:28} {few:8.3f} ms {many:8.3f} ms  {many / few:.2f}")
    worst = max(found, key=lambda name: found[name][1] / found[name][0])
    few, many = found[worst]
    return [at_most_times(f"Any list, 100,000 to 1,000 servers (worst: {worst})", many, "ms", few, 2.0)]
