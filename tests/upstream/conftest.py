from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from hostwright.core.http import Reach, Settings
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from hostwright.upstream.virtfusion.client import VirtFusionClient
from tests.support.simulator import RunningSimulator, running_simulator


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
