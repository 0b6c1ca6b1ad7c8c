"""The adapter over the simulator, and the fake that the servers feature is tested with, hold to the same rules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from tests.servers.helpers import MemoryCompute
from tests.support.simulator import RunningSimulator
from tests.upstream.conformance import CHECKS, Subject

type Check = Callable[[Subject], Awaitable[None]]


@pytest.mark.parametrize("check", CHECKS)
async def test_virtfusion(check: Check, compute: VirtFusionCompute, simulator: RunningSimulator):
    running = next(server.id for server in simulator.world.listed if server.running and not server.suspended)
    await check(Subject(compute, running, pause=0.01, other_user=103))


@pytest.mark.parametrize("check", CHECKS)
async def test_the_fake_in_memory(check: Check):
    fake = MemoryCompute()
    for number in (11, 12, 13):
        fake.add(number)
    await check(Subject(fake, running=12))
