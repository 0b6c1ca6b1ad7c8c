from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from hostwright.core.http import Reach, Settings
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from hostwright.upstream.virtfusion.client import VirtFusionClient
from tests.support.raw_server import RawServer, raw_server
from tests.support.simulator import RunningSimulator, running_simulator
from tests.upstream.vendor import json


@pytest.fixture
async def simulator() -> AsyncGenerator[RunningSimulator]:
    async with running_simulator() as found:
        yield found


@pytest.fixture
async def compute(simulator: RunningSimulator) -> AsyncGenerator[VirtFusionCompute]:
    settings = Settings(total=5.0, connect=2.0, first_wait=0.01, longest_wait=0.02, reach=Reach.ANYWHERE)
    client = VirtFusionClient(simulator.url, simulator.token, settings)
    yield VirtFusionCompute(client)
    await client.close()


@pytest.fixture
async def vendor() -> AsyncGenerator[RawServer]:
    async with raw_server() as server:
        # What is not scripted: neither templates nor packages may be read with this token.
        server.usual = json({"message": "This action is unauthorized."}, 403)
        yield server


@pytest.fixture
async def asking(vendor: RawServer) -> AsyncGenerator[VirtFusionCompute]:
    client = VirtFusionClient(vendor.url, "token", Settings(attempts=1, total=5.0, reach=Reach.ANYWHERE))
    yield VirtFusionCompute(client)
    await client.close()
