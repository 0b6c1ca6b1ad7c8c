"""Live events: one LISTEN connection a process, fanned out to the bounded queues of its readers.

Messages follow the commit of their transaction and carry ids, not data. They may be lost; a reader that may have missed
some gets `RESYNC` and loads its state anew.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import asyncpg
import structlog

from hostwright.core import metrics
from hostwright.core.db import Scalar, Tx

CHANNEL: Final = "hw_live"
RESYNC: Final = "resync"
QUEUE_SIZE: Final = 64
MAX_BYTES: Final = 7900
PROBE_SECONDS: Final = 15.0
REMEMBERED: Final = 20_000  # topics whose latest message's time is kept

log = structlog.get_logger(__name__)

notify = Scalar(int, "select 1 from pg_notify('hw_live', $1)")


async def publish(tx: Tx, topic: str, data: str) -> None:
    """Tell readers of a topic when ``tx`` commits; raises `ValueError` over 7,900 bytes or for a topic with ``|``."""
    message = f"{topic}|{data}"
    if "|" in topic or len(message.encode()) > MAX_BYTES:
        problem = f"a live message for {topic.partition('|')[0]} cannot be sent; send ids, not data"
        raise ValueError(problem)
    await notify.value(tx, message)


class Hub:
    """The readers of one process. ``connect`` opens a connection of its own (not a pooled one)."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection[Any]]]) -> None:
        self._connect = connect
        self._queues: dict[str, set[asyncio.Queue[str | None]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._heard: dict[str, float] = {}
        self._listens_since = math.inf
        self.listening = asyncio.Event()
        """Set while messages arrive."""

    def start(self) -> None:
        """Begin to listen; needs a running loop."""
        self._task = asyncio.create_task(self._listen_for_ever())

    async def stop(self) -> None:
        """End every reader's stream and the connection."""
        self.close()
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def close(self) -> None:
        """End every reader's stream; new ones end at once."""
        self._closed = True
        for queue in {queue for queues in self._queues.values() for queue in queues}:
            self._put(queue, None)

    async def _listen_for_ever(self) -> None:
        delay, lost_before = 0.1, False
        while True:
            began = asyncio.get_running_loop().time()
            with suppress(
                OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError
            ):
                await self._listen(resync=lost_before)
            self.listening.clear()
            lived = asyncio.get_running_loop().time() - began
            delay = 0.1 if lived > PROBE_SECONDS else min(delay * 2, 2.0)
            lost_before = True
            log.warning("live.connection_lost", again_in=delay)
            await asyncio.sleep(delay)

    async def _listen(self, *, resync: bool) -> None:
        """One connection, until it is lost."""
        connection = await asyncio.wait_for(self._connect(), 5)
        lost = asyncio.Event()

        def note_loss(_: object) -> None:
            lost.set()

        try:
            connection.add_termination_listener(note_loss)
            await connection.add_listener(CHANNEL, self._received)
            self._listens_since = time.time()
            self.listening.set()
            if resync:
                self._everyone(RESYNC)
            while not lost.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), PROBE_SECONDS)
                if not lost.is_set():
                    await connection.execute("select 1", timeout=5)  # finds half-open connections
        finally:
            connection.terminate()

    def _received(self, _connection: object, _pid: object, _channel: object, payload: object) -> None:
        topic, _, data = str(payload).partition("|")
        if len(self._heard) >= REMEMBERED:
            self._forget()
        self._heard[topic] = time.time()
        for queue in self._queues.get(topic, ()):
            self._put(queue, data)

    def _forget(self) -> None:
        """Drop the older half of the times; whoever asks about an earlier one is told that it may lack something."""
        times = sorted(self._heard.values())
        self._listens_since = max(self._listens_since, times[len(times) // 2])
        self._heard = {topic: heard for topic, heard in self._heard.items() if heard > self._listens_since}

    def missed(self, topics: Sequence[str], moment: float) -> bool:
        """Whether somebody who read at ``moment`` (Unix time) and subscribed since may lack a message of ``topics``."""
        return moment < self._listens_since or any(self._heard.get(topic, 0.0) >= moment for topic in topics)

    def _everyone(self, data: str) -> None:
        for queue in {queue for queues in self._queues.values() for queue in queues}:
            self._put(queue, data)

    @staticmethod
    def _put(queue: asyncio.Queue[str | None], data: str | None) -> None:
        if queue.full():  # a slow reader loses its backlog, not the process its memory
            while not queue.empty():
                queue.get_nowait()
            data = RESYNC if data is not None else None
        queue.put_nowait(data)

    def readers(self, topic: str) -> int:
        """How many read this topic in this process."""
        return len(self._queues.get(topic, ()))

    async def subscribe(self, *topics: str, counted: bool = True) -> AsyncGenerator[str]:
        """Messages of these topics, until the hub closes. Messages count from the first `anext`.

        ``counted``: the metric of open streams shows it; the process's own reading is none.
        """
        queue: asyncio.Queue[str | None] = asyncio.Queue(QUEUE_SIZE)
        if self._closed:
            return
        for topic in topics:
            self._queues.setdefault(topic, set()).add(queue)
        metrics.live_subscribers(int(counted))
        try:
            while (data := await queue.get()) is not None:
                yield data
        finally:
            metrics.live_subscribers(-int(counted))
            for topic in topics:
                readers = self._queues.get(topic, set())
                readers.discard(queue)
                if not readers:
                    self._queues.pop(topic, None)
