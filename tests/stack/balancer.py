"""A small load balancer for tests: plain TCP, round and round among copies that say that they are ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

import httpx

LOOK: Final = 0.1
CHUNK: Final = 65536


class Balancer:
    """``url`` is where clients go. ``used`` counts connections by copy."""

    def __init__(self, copies: list[str]) -> None:
        self.copies = copies
        self.ready: list[str] = list(copies)
        self.used = dict.fromkeys(copies, 0)
        self.url = ""
        self._turn = 0
        self._pipes: set[asyncio.Task[None]] = set()

    async def look(self) -> None:
        """Ask every copy for ever whether it wants requests, as balancers do."""
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            while True:
                for copy in self.copies:
                    ready = False
                    with suppress(httpx.TransportError):
                        ready = (await client.get(f"{copy}/health/ready")).status_code == 200
                    if ready and copy not in self.ready:
                        self.ready.append(copy)
                    elif not ready and copy in self.ready:
                        self.ready.remove(copy)
                await asyncio.sleep(LOOK)

    async def _open(self) -> tuple[str, asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the next copy; one that refuses it is left out. Nothing was sent yet, so nothing is lost."""
        for _ in range(2 * len(self.copies)):
            self._turn += 1
            copy = self.ready[self._turn % len(self.ready)]
            place = urlsplit(copy)
            try:
                return copy, *await asyncio.open_connection(place.hostname, place.port)
            except OSError:
                self.ready.remove(copy)
        message = "no copy takes connections"
        raise ConnectionError(message)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection, passed on both ways until either side ends it."""
        copy, back, forth = await self._open()
        self.used[copy] += 1
        both = [asyncio.create_task(_pass_on(reader, forth)), asyncio.create_task(_pass_on(back, writer))]
        self._pipes.update(both)
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            self._pipes.difference_update(both)
            forth.close()
            writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while part := await reader.read(CHUNK):
            writer.write(part)
            await writer.drain()


@asynccontextmanager
async def balancing(copies: list[str]) -> AsyncGenerator[Balancer]:
    """A balancer on a free port."""
    found = Balancer(copies)
    server = await asyncio.start_server(found.connected, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    looking = asyncio.create_task(found.look())
    try:
        yield found
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        server.close()
