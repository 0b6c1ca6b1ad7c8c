"""Five thousand servers over real HTTP: as few calls as can be, and little time and memory of our own."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from hostwright.core.db import Scalar, create_database
from hostwright.upstream.simulators import VIRTFUSION
from tests.stack.five_thousand import SERVERS, Measured
from tests.support.stack import free_port, until

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "tests.stack.five_thousand")

shown = Scalar(int, "select n from server_counts where customer_id = -1 and state = 'active' and power = 'running'")
held = Scalar(int, "select count(distinct external_id) from servers where detailed_at is not null")


@pytest.fixture
async def vendor_url() -> AsyncIterator[str]:
    """A simulator in a process of its own."""
    port = free_port()
    url = f"http://127.0.0.1:{port}{VIRTFUSION}"
    process = await asyncio.create_subprocess_exec(*PROGRAM, "simulate", str(port), cwd=ROOT)

    async def answers() -> bool:
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(f"{url}/_sim/world")).status_code == 200
        except httpx.TransportError:
            return False

    try:
        await until(answers)
        yield url
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_five_thousand_servers_are_mirrored_within_a_minute_of_our_own_time(
    own_dsn: str, vendor_url: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "mirror", own_dsn, vendor_url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    found = msgspec.json.decode(out, type=Measured)
    print(
        f"{found.first.calls} list calls, {found.details.calls} for details: {found.own_seconds:.1f} s of our own time "
        f"in {found.seconds:.1f} s, at most {found.resident_mib:.0f} MiB resident"
    )
    assert (found.first.state, found.first.listed, found.first.created) == ("done", SERVERS, SERVERS)
    assert (found.details.stored, found.details.lost) == (SERVERS, 0)
    assert (found.again.state, found.again.created, found.again.changed, found.again.missing) == ("done", 0, 0, 0)
    assert found.own_seconds < 60
    assert found.resident_mib < 250

    async with httpx.AsyncClient(trust_env=False) as client:
        requests = (await client.get(f"{vendor_url}/_sim/requests", timeout=60)).json()
    paths = Counter(request["path"].rpartition("/")[2] for request in requests)
    assert paths["servers"] == found.first.calls + found.again.calls == 2 * 25
    assert paths["connect"] == 0  # nothing was missing, so nothing had to be checked
    assert sum(paths[str(1001 + number)] for number in range(SERVERS)) == SERVERS
    database = await create_database(own_dsn)
    async with database.acquire() as db:
        assert await held.value(db) == SERVERS
        assert await shown.value(db) > SERVERS // 2
    await database.close()
