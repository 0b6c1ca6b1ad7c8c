"""Keeps a simulated company in a file while its process runs."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Final

from hostwright.upstream.virtfusion.simulator.world import World

CALM: Final = 0.5  # seconds that changes are gathered for


class Keeper:
    """Writes the company shortly after each change and at the end. Without a file it does nothing."""

    def __init__(self, world: World, path: Path | None) -> None:
        self._path = path
        self._dirty = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.watch(world)

    def watch(self, world: World) -> None:
        """Keep this company from now on."""
        self._world = world
        world.changed = self._dirty.set
        self._dirty.set()

    async def start(self) -> None:
        """Write once, so that a file that cannot be written is known at once, then go on by itself."""
        if self._path is not None:
            self._world.save(self._path)
            self._dirty.clear()
            self._task = asyncio.create_task(self._keep(self._path))

    async def close(self) -> None:
        """Stop, and write what has changed since."""
        if self._task is None or self._path is None:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        self._world.settle()
        if self._dirty.is_set():
            self._world.save(self._path)

    async def _keep(self, path: Path) -> None:
        while True:
            await self._dirty.wait()
            await asyncio.sleep(CALM)
            self._dirty.clear()
            try:
                self._world.save(path)
            except OSError:
                # A full disk must not end the simulator; it is tried again with the next change.
                self._dirty.set()
                await asyncio.sleep(CALM * 10)
