"""All vendors' simulators on one port, each under its prefix."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from hostwright.upstream.simulation.asgi import Receive, Scope, Send, json_answer
from hostwright.upstream.simulation.serving import serving, until_stopped
from hostwright.upstream.virtfusion.simulator import VirtFusionSimulator, World, WorldPlan

VIRTFUSION: Final = "/virtfusion"


class Simulators:
    """An ASGI application that hands each request to the simulator of its prefix."""

    def __init__(self, virtfusion: VirtFusionSimulator) -> None:
        self.virtfusion = virtfusion
        self._by_prefix = {VIRTFUSION: virtfusion}

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Simulators]:
        """Keep what they know while they are used; raises OSError when a file cannot be written."""
        async with AsyncExitStack() as stack:
            for simulator in self._by_prefix.values():
                await simulator.start()
                stack.push_async_callback(simulator.close)
            yield self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        for prefix, simulator in self._by_prefix.items():
            if path.startswith(prefix + "/"):
                inner = path.removeprefix(prefix)
                await simulator({**scope, "path": inner, "raw_path": inner.encode()}, receive, send)
                return
        await json_answer(404, {"message": "No vendor is simulated here.", "prefixes": list(self._by_prefix)}).send(
            send
        )


def create_simulators(state_file: Path | None = None, plan: WorldPlan | None = None) -> Simulators:
    """Simulators of a company: that of ``state_file`` when it exists, a new one made after ``plan`` otherwise.

    Raises `WorldBroken` with one clear line for a file that cannot be read.
    """
    known = state_file is not None and state_file.exists()
    world = World.load(state_file) if known and state_file is not None else World(plan)
    return Simulators(VirtFusionSimulator(world, state_file))


def serve_simulators(host: str, port: int, state_file: Path | None = None, world: WorldPlan | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then end within a second.

    Raises OSError for a port in use or a file that cannot be written, `WorldBroken` for one that cannot be read.
    """
    asyncio.run(_serve(create_simulators(state_file, world), host, port))


async def _serve(simulators: Simulators, host: str, port: int) -> None:
    async with simulators.running(), serving(simulators, host, port):
        await until_stopped()
