"""The relay of bytes, between ends in memory and over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from hostwright.core.relay import HIGH_WATER, Buffered, Ended, Relay, TcpEnd

MUCH = 64 * 1024 * 1024


class MemoryEnd:
    """What it receives is put into ``incoming``; what is sent to it waits in ``sent``, at most ``room`` at a time."""

    def __init__(self, room: int = 0) -> None:
        self.incoming: asyncio.Queue[bytes] = asyncio.Queue()
        self.sent: asyncio.Queue[bytes] = asyncio.Queue(room)
        self.gone = False
        self.asked = 0

    async def receive(self) -> bytes:
        self.asked += 1
        return await self.incoming.get()

    async def send(self, data: bytes) -> None:
        if self.gone:
            raise ConnectionResetError
        await self.sent.put(data)

    async def close(self) -> None:
        self.gone = True


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def never() -> str:
    await asyncio.Event().wait()
    return "never"


async def test_both_ways_and_counted() -> None:
    near, far = MemoryEnd(), MemoryEnd()
    relay = Relay(near, far)
    task = asyncio.ensure_future(relay.run())
    near.incoming.put_nowait(b"up")
    far.incoming.put_nowait(b"down!")
    assert (await far.sent.get(), await near.sent.get()) == (b"up", b"down!")
    far.incoming.put_nowait(b"")
    assert await task is Ended.FAR
    assert (relay.up, relay.down) == (2, 5)


@pytest.mark.parametrize(("side", "expected"), [("near", Ended.NEAR), ("far", Ended.FAR)])
async def test_either_side_may_go(side: str, expected: Ended) -> None:
    ends = {"near": MemoryEnd(), "far": MemoryEnd()}
    ends[side].incoming.put_nowait(b"")
    assert await Relay(ends["near"], ends["far"]).run() is expected


@pytest.mark.parametrize(("side", "expected"), [("near", Ended.FAR), ("far", Ended.NEAR)])
async def test_a_side_that_takes_nothing_any_more_has_gone(side: str, expected: Ended) -> None:
    ends = {"near": MemoryEnd(), "far": MemoryEnd()}
    ends[side].incoming.put_nowait(b"x")
    ends["far" if side == "near" else "near"].gone = True
    assert await Relay(ends["near"], ends["far"]).run() is expected


async def test_a_watch_ends_it_with_its_own_word_and_nothing_is_left_running() -> None:
    before = asyncio.all_tasks()

    async def watch() -> str:
        return "enough"

    assert await Relay(MemoryEnd(), MemoryEnd()).run(never(), watch()) == "enough"
    assert asyncio.all_tasks() == before


async def test_a_watch_that_breaks_is_not_hidden() -> None:
    async def watch() -> str:
        message = "broken"
        raise LookupError(message)

    with pytest.raises(LookupError, match="broken"):
        await Relay(MemoryEnd(), MemoryEnd()).run(watch())


async def test_it_ends_when_nothing_counts_as_input_for_too_long() -> None:
    near, far, hands = MemoryEnd(), MemoryEnd(), Hands()
    relay = Relay(near, far, idle=0.05, counts=lambda data: data == b"key", monotonic=hands)
    hands.now += 0.04
    near.incoming.put_nowait(b"key")
    task = asyncio.ensure_future(relay.run())
    assert await far.sent.get() == b"key"
    assert relay.input_at == hands.now
    hands.now += 0.04
    near.incoming.put_nowait(b"talk")
    assert await far.sent.get() == b"talk"
    assert not task.done()
    hands.now += 0.02
    assert await asyncio.wait_for(task, 20) is Ended.IDLE


@pytest.mark.parametrize("slow", ["near", "far"])
async def test_a_slow_side_holds_the_other_one_up(slow: str) -> None:
    ends = {"near": MemoryEnd(room=1), "far": MemoryEnd(room=1)}
    source = ends["far" if slow == "near" else "near"]
    for _ in range(50):
        source.incoming.put_nowait(b"x" * 1000)
    task = asyncio.ensure_future(Relay(ends["near"], ends["far"]).run())
    for _ in range(100):
        await asyncio.sleep(0)
    assert source.asked == 2  # one waits at the slow side, one with the relay
    for _ in range(50):
        await ends[slow].sent.get()
    source.incoming.put_nowait(b"")
    await task


# --- over TCP


@asynccontextmanager
async def tcp(handle: Callable[[TcpEnd], Awaitable[None]]) -> AsyncGenerator[TcpEnd]:
    """Our end of a connection whose other end is handled."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        end = TcpEnd(reader, writer)
        await handle(end)
        await end.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    end = TcpEnd(*await asyncio.open_connection(*server.sockets[0].getsockname()))
    try:
        yield end
    finally:
        await end.close()
        server.close()
        server.close_clients()
        await server.wait_closed()


async def test_exact_numbers_first_and_the_rest_after() -> None:
    async def handle(end: TcpEnd) -> None:
        for part in (b"ab", b"cdef", b"gh"):
            await end.send(part)
            await asyncio.sleep(0.01)

    async with tcp(handle) as end:
        buffered = Buffered(end)
        assert await buffered.exactly(0) == b""
        assert await buffered.exactly(3) == b"abc"
        rest = b""
        while data := await buffered.receive():
            rest += data
        assert rest == b"defgh"
        with pytest.raises(ConnectionResetError):
            await buffered.exactly(1)


async def test_a_peer_that_does_not_read_stops_the_sender() -> None:
    stop = asyncio.Event()

    async def handle(end: TcpEnd) -> None:
        await stop.wait()

    async with tcp(handle) as end:
        sent = 0

        async def send() -> None:
            nonlocal sent
            while sent < MUCH:
                await end.send(b"x" * 65536)
                sent += 65536

        task = asyncio.ensure_future(send())
        before = -1
        while before != sent:  # until it stands still
            before = sent
            await asyncio.sleep(0.2)
        assert not task.done()
        assert end._writer.transport.get_write_buffer_size() <= HIGH_WATER + 65536
        task.cancel()
        stop.set()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_peer_that_resets_is_an_end_and_no_error() -> None:
    async def handle(end: TcpEnd) -> None:
        await end.close()

    async with tcp(handle) as end:
        assert await end.receive() == b""
        with pytest.raises(OSError):
            while True:
                await end.send(b"x")
                await asyncio.sleep(0)
        await end.close()
        await end.close()
