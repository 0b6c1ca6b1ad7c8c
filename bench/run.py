"""`make bench`: every budget that exists by now, as a table and as `bench/results.json`. Exits 1 for a missed one."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from bench import jobs, lists, mirror, processes, relay, requests, results, weights
from bench.world import Filled, fill
from hostwright.cli.postgres import APP_ROLE, OWNER_ROLE, Server
from hostwright.core.crypto import Keyring, new_key
from hostwright.core.migrations import migrate
from hostwright.core.passwords import Passwords

PASSWORD = "bench-bench-1"
SMALL, LARGE = 1_000, 100_000
OWNER = 777 % 20  # who owns the server that `bench.lists` looks for


async def _migrated(server: Server, name: str) -> str:
    await asyncio.to_thread(server.sql, f"create database {name} owner {OWNER_ROLE}")
    dsn = server.dsn(OWNER_ROLE, name)
    await migrate(dsn, APP_ROLE)
    return dsn


async def _filled(server: Server, name: str, keyring: Keyring, *, people: int, servers: int, keys: int = 0) -> Filled:
    dsn = await _migrated(server, name)
    hashed = await Passwords().hash_password(PASSWORD)
    return await fill(dsn, keyring, people=people, servers=servers, keys=keys, password_hash=hashed)


async def _background(server: Server, keyring: Keyring) -> list[results.Row]:
    rows = await jobs.measure(await _migrated(server, "queue"))
    return rows + await mirror.measure(await _migrated(server, "mirror"), keyring)


def _lists(server: Server, keyring: Keyring) -> list[results.Row]:
    async def measure() -> list[results.Row]:
        small = await _filled(server, "small", keyring, people=20, servers=SMALL)
        large = await _filled(server, "large", keyring, people=20, servers=LARGE)
        return await lists.measure(
            (server.dsn(OWNER_ROLE, "small"), small.customer_ids[OWNER]),
            (server.dsn(OWNER_ROLE, "large"), large.customer_ids[OWNER]),
        )

    return asyncio.run(measure())


def _requests(server: Server, key: str) -> list[results.Row]:
    keyring = Keyring.parse(key)
    filled = asyncio.run(_filled(server, "web", keyring, people=300, servers=12_000, keys=3000))
    environ = {
        "DATABASE_URL": server.dsn(APP_ROLE, "web"),
        "DATABASE_ADMIN_URL": server.dsn(OWNER_ROLE, "web"),
        "HOSTWRIGHT_KEYS": key,
        "HOSTWRIGHT_ENVIRONMENT": "production",
        "PUBLIC_URL": "http://127.0.0.1",
    }
    ours, base = processes.free_port(), processes.free_port()
    with (
        processes.running(processes.serve(ours), ours, "/health/live", environ) as (process, first),
        processes.running(processes.bare(base), base, "/session", environ),
    ):
        rows = requests.measure(ours, base, filled)
        rows += asyncio.run(_paint(ours, filled.sessions[0]))
        return rows + processes.weight(process, ours, PASSWORD, first)


def _consoles(server: Server, key: str) -> list[results.Row]:
    keyring = Keyring.parse(key)
    filled = asyncio.run(_filled(server, "consoles", keyring, people=20, servers=200))
    port = processes.free_port()
    environ = {
        "DATABASE_URL": server.dsn(APP_ROLE, "consoles"),
        "HOSTWRIGHT_KEYS": key,
        "HOSTWRIGHT_ENVIRONMENT": "production",
        "PUBLIC_URL": "http://127.0.0.1",
        "ALLOW_LOCAL_UPSTREAMS": "yes",
        "CONSOLES_PER_USER": "100",
    }
    with (
        relay.screen_of_bench() as screen,
        processes.running(processes.serve(port), port, "/health/live", environ) as (process, _),
    ):
        tickets = relay.Tickets(server.dsn(OWNER_ROLE, "consoles"), keyring, filled, screen)
        return relay.measure(port, process, screen, tickets)


async def _paint(port: int, session: str) -> list[results.Row]:
    from tests.support.paint import first_paint  # noqa: PLC0415  the browser only when it is measured

    paint, shift = await first_paint(f"http://127.0.0.1:{port}/servers", session)
    return [
        results.at_most("Servers list, first contentful paint", paint, "ms", 200),
        results.at_most("Servers list, layout shift", shift, "", 0),
    ]


def main() -> int:
    """Measure one thing after the other, so that nothing disturbs it but itself."""
    key = new_key()
    with tempfile.TemporaryDirectory(prefix="hw-bench-") as folder, Server(Path(folder)) as server:
        rows = weights.measure()
        rows += _requests(server, key)
        rows += _consoles(server, key)
        rows += _lists(server, Keyring.parse(key))
        rows += asyncio.run(_background(server, Keyring.parse(key)))
    rows += processes.demo()
    results.write(rows)
    print("\n" + results.show(rows))
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
