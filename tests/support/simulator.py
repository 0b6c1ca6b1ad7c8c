"""A simulated VirtFusion over real HTTP, in the test's own loop."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from hostwright.upstream.simulation.faults import Fault, Received
from hostwright.upstream.simulation.serving import serving
from hostwright.upstream.simulators import VIRTFUSION, Simulators
from hostwright.upstream.virtfusion.simulator import VirtFusionSimulator, World, WorldPlan
from hostwright.upstream.virtfusion.simulator.screen import Screens

SMALL = WorldPlan(servers=12, users=4, first_users=(5, 2), speed=20.0, build_minutes=600)


class RunningSimulator:
    """``url`` is a connection's base URL, ``token`` its token. ``world`` may be changed directly."""

    def __init__(self, simulator: VirtFusionSimulator, port: int) -> None:
        self._simulator = simulator
        self.port = port
        self.url = f"http://127.0.0.1:{port}{VIRTFUSION}"

    @property
    def world(self) -> World:
        return self._simulator.world

    @property
    def token(self) -> str:
        return self.world.plan.token

    @property
    def screens(self) -> Screens:
        return self._simulator.screens

    def faults(self, rules: list[dict[str, Any]]) -> None:
        """Put faults into force, written as for ``PUT /_sim/faults``."""
        self._simulator.stage.faults.replace(msgspec.convert(rules, list[Fault]))

    def requests(self, path: str = "") -> list[Received]:
        """What was received with ``path`` in its path, oldest first."""
        return [one for one in self._simulator.stage.requests if path in one.path]

    @property
    def late(self) -> bool:
        """Whether work whose answer was lost is still to come."""
        return self._simulator.stage.late

    def forget(self) -> None:
        """Forget what was received."""
        self._simulator.stage.requests.clear()


@asynccontextmanager
async def running_simulator(world: World | WorldPlan | None = None) -> AsyncGenerator[RunningSimulator]:
    """A simulator on a free port; by default of a dozen servers whose queued work takes a twentieth of its time."""
    if not isinstance(world, World):
        world = World(world or SMALL)
    simulators = Simulators(VirtFusionSimulator(world))
    async with simulators.running(), serving(simulators) as port:
        yield RunningSimulator(simulators.virtfusion, port)
