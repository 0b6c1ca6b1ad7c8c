"""Reading the whole list: a call per 200 servers, complete or not at all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import msgspec
import pytest

from hostwright.core.http import Reach, Settings
from hostwright.core.providers import Refused, Transient
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from hostwright.upstream.virtfusion.client import VirtFusionClient
from hostwright.upstream.virtfusion.simulator import WorldPlan
from tests.support.raw_server import RawServer, Reply, raw_server
from tests.support.simulator import RunningSimulator, running_simulator


def page(number: int, ids: Sequence[int], *, last: int, total: int) -> Reply:
    lines = [{"id": one, "commissioned": 3, "created": "2025-01-20T14:00:47+00:00", "name": "x"} for one in ids]
    content = {"current_page": number, "last_page": last, "total": total, "data": lines}
    return Reply(body=msgspec.json.encode(content))


@pytest.fixture
async def vendor() -> AsyncGenerator[RawServer]:
    async with raw_server() as server:
        yield server


@pytest.fixture
async def client(vendor: RawServer) -> AsyncGenerator[VirtFusionClient]:
    found = VirtFusionClient(vendor.url, "token", Settings(attempts=1, reach=Reach.ANYWHERE))
    yield found
    await found.close()


async def test_pages_are_asked_for_by_number(vendor: RawServer, client: VirtFusionClient):
    vendor.script.extend([page(1, [1, 2], last=2, total=3), page(2, [3], last=2, total=3)])
    lines, calls = await client.servers()
    assert ([line.id for line in lines], calls) == ([1, 2, 3], 2)
    assert [request.target for request in vendor.requests] == [
        "/api/v1/servers?results=200&page=1",
        "/api/v1/servers?results=200&page=2",
    ]


async def test_no_servers_at_all(vendor: RawServer, client: VirtFusionClient):
    vendor.script.append(page(1, [], last=1, total=0))
    assert await client.servers() == ([], 1)


FIRST = page(1, [1, 2], last=2, total=4)
SHIFTS = {
    "one was deleted": page(2, [4], last=2, total=3),
    "one was added": page(2, [3, 4], last=3, total=5),
    "one comes twice": page(2, [2, 3], last=2, total=4),
    "one comes twice on a page": page(2, [3, 3], last=2, total=4),
    "an empty page": page(2, [], last=2, total=4),
    "another page": page(1, [3, 4], last=2, total=4),
    "too few": page(2, [3], last=2, total=4),
    "too many": page(2, [3, 4, 5], last=2, total=4),
}


@pytest.mark.parametrize("shifted", SHIFTS.values(), ids=SHIFTS)
async def test_a_list_that_shifts_is_read_anew(vendor: RawServer, client: VirtFusionClient, shifted: Reply):
    vendor.script.extend([FIRST, shifted, FIRST, page(2, [3, 4], last=2, total=4)])
    lines, calls = await client.servers()
    assert ([line.id for line in lines], calls) == ([1, 2, 3, 4], 4)


@pytest.mark.parametrize("shifted", SHIFTS.values(), ids=SHIFTS)
async def test_a_list_that_keeps_shifting_is_never_taken_for_complete(
    vendor: RawServer, client: VirtFusionClient, shifted: Reply
):
    vendor.script.extend([FIRST, shifted] * 3)
    with pytest.raises(Transient, match="kept changing"):
        await client.servers()
    assert len(vendor.requests) == 6


async def test_a_page_that_fails_fails_the_whole(vendor: RawServer, client: VirtFusionClient):
    vendor.script.extend([FIRST, Reply(status=500)])
    with pytest.raises(Transient):
        await client.servers()
    vendor.script.extend([FIRST, Reply(body=b'{"data": []}')])
    with pytest.raises(Refused):
        await client.servers()


async def listed(simulator: RunningSimulator) -> tuple[set[int], int]:
    """The ids that are listed, and the calls that this says to have taken."""
    client = VirtFusionClient(simulator.url, simulator.token, Settings(reach=Reach.ANYWHERE))
    try:
        listing = await VirtFusionCompute(client).list_servers()
    finally:
        await client.close()
    return {server.external_id for server in listing.servers}, listing.calls


async def test_five_thousand_servers_cost_25_calls():
    async with running_simulator(WorldPlan(servers=5_000, users=300)) as simulator:
        assert await listed(simulator) == (set(simulator.world.servers), 25)
        assert len(simulator.requests()) == 25
        simulator.world.add(101, "one-more")
        assert await listed(simulator) == (set(simulator.world.servers), 26)
        assert len(simulator.requests()) == 51


async def test_a_hidden_server_is_not_listed(simulator: RunningSimulator):
    simulator.world.servers[1003].hidden = True
    assert await listed(simulator) == (set(simulator.world.servers) - {1003}, 1)
