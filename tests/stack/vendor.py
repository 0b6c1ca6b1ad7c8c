"""A simulated VirtFusion that can go away and come back, and lists of it that leave servers out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager

from hostwright.upstream.simulation.serving import serving
from hostwright.upstream.simulators import VIRTFUSION, Simulators
from hostwright.upstream.virtfusion.simulator import VirtFusionSimulator, World
from hostwright.upstream.virtfusion.simulator.facts import ServerFact
from tests.support.simulator import RunningSimulator


class Vendor(RunningSimulator):
    """One port for its whole life, whether or not anything listens there."""

    def __init__(self, simulators: Simulators) -> None:
        super().__init__(simulators.virtfusion, 0)
        self._simulators = simulators
        self._serving = AsyncExitStack()

    async def come(self) -> None:
        """Listen, at the same port as before."""
        self.port = await self._serving.enter_async_context(serving(self._simulators, port=self.port))
        self.url = f"http://127.0.0.1:{self.port}{VIRTFUSION}"

    async def go_away(self) -> None:
        """Refuse connections from now on."""
        await self._serving.aclose()


@asynccontextmanager
async def running_vendor(world: World) -> AsyncGenerator[Vendor]:
    """A vendor that listens on a free port to begin with."""
    simulators = Simulators(VirtFusionSimulator(world))
    async with simulators.running():
        vendor = Vendor(simulators)
        await vendor.come()
        try:
            yield vendor
        finally:
            await vendor.go_away()


class ForgetfulWorld(World):
    """A company whose list leaves out ``unlisted``, though each of them still answers for itself."""

    unlisted: frozenset[int] = frozenset()

    @property
    def listed(self) -> list[ServerFact]:
        return [server for server in super().listed if server.id not in self.unlisted]
