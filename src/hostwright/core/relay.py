"""Carries bytes between two ends, each way no faster than its receiver takes them. Knows no protocol and no feature."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from enum import StrEnum
from typing import Any, Final, Protocol

from hostwright.core import metrics

CHUNK: Final = 256 * 1024
LONGEST_SLEEP: Final = 3600.0
HIGH_WATER: Final = 256 * 1024  # what waits for a slow receiver, at most, before its sender waits too


class End(Protocol):
    """One side of a relay."""

    async def receive(self) -> bytes:
        """Some bytes; none when the other side has gone."""
        ...

    async def send(self, data: bytes) -> None:
        """Returns when there is room for more; raises OSError when the other side has gone."""
        ...

    async def close(self) -> None:
        """Let go; never raises OSError."""
        ...


class TcpEnd:
    """A TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        writer.transport.set_write_buffer_limits(high=HIGH_WATER)

    async def receive(self) -> bytes:
        """Some bytes; none when the other side has gone."""
        try:
            return await self._reader.read(CHUNK)
        except OSError:
            return b""

    async def send(self, data: bytes) -> None:
        """Returns when there is room for more; raises OSError when the other side has gone."""
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        """Let go at once: what still waits for a peer that does not read is nobody's any more."""
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()


class Buffered:
    """An end that can be asked for an exact number of bytes before it is relayed."""

    def __init__(self, end: End) -> None:
        self._end = end
        self._kept = b""

    async def exactly(self, size: int) -> bytes:
        """So many bytes; raises ConnectionResetError when the other side goes before it has sent them."""
        while len(self._kept) < size:
            more = await self._end.receive()
            if not more:
                raise ConnectionResetError
            self._kept += more
        found, self._kept = self._kept[:size], self._kept[size:]
        return found

    async def receive(self) -> bytes:
        """What was received with the last exact number comes first."""
        if self._kept:
            found, self._kept = self._kept, b""
            return found
        return await self._end.receive()

    async def send(self, data: bytes) -> None:
        """Returns when there is room for more."""
        await self._end.send(data)

    async def close(self) -> None:
        """Let go."""
        await self._end.close()


class Ended(StrEnum):
    """Why a relay ended by itself."""

    NEAR = "near"
    FAR = "far"
    IDLE = "idle"


class Relay:
    """Between somebody near and something far. ``idle`` is in seconds without input from the near end.

    ``counts`` says of each chunk whether it is input. ``up`` and ``down`` are bytes to the far and to the near end.
    """

    def __init__(
        self,
        near: End,
        far: End,
        *,
        idle: float = math.inf,
        counts: Callable[[bytes], bool] = bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.near = near
        self.far = far
        self.up = 0
        self.down = 0
        self._idle = idle
        self._counts = counts
        self._monotonic = monotonic
        self.input_at = monotonic()

    async def run[T](self, *watches: Coroutine[Any, Any, T]) -> Ended | T:
        """Carry until one side goes, nobody is there any more, or a watch returns; that is what is returned.

        Closes neither end.
        """
        parts: list[Coroutine[Any, Any, Ended | T]] = [*watches, self._carry_up(), self._carry_down(), self._tire()]
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            # A watch knows best why it ends, so watches come first.
            return next(task for task in tasks if task in done).result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry_up(self) -> Ended:
        count = metrics.relay_counter("up")
        while data := await self.near.receive():
            if self._counts(data):
                self.input_at = self._monotonic()
            try:
                await self.far.send(data)
            except OSError:
                return Ended.FAR
            self.up += len(data)
            count(len(data))
        return Ended.NEAR

    async def _carry_down(self) -> Ended:
        count = metrics.relay_counter("down")
        while data := await self.far.receive():
            try:
                await self.near.send(data)
            except OSError:
                return Ended.NEAR
            self.down += len(data)
            count(len(data))
        return Ended.FAR

    async def _tire(self) -> Ended:
        while (left := self.input_at + self._idle - self._monotonic()) > 0:  # noqa: ASYNC110  input is far too frequent for events
            await asyncio.sleep(min(left, LONGEST_SLEEP))
        return Ended.IDLE
