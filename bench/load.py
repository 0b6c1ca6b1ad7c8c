"""A load generator in a process of its own: so many connections, each with one request under way, for so long.

    python bench/load.py PORT SECONDS CONNECTIONS < request

Reads the request's bytes from standard input (several may be given, divided by a NUL byte; connections take turns) and
prints one line of JSON: how many answers came, how many were not 2xx, and the latencies' quantiles in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from typing import Final, cast

import uvloop

HEAD_END: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length:"


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, requests: list[bytes], first: int, stride: int, ended: asyncio.Event) -> None:
        self.requests = requests
        self.turn = first
        self.stride = stride
        self.ended = ended
        self.latencies: list[float] = []
        self.refused = 0
        self.lost = False
        self.began = 0.0
        self.buffer = bytearray()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own class
        self.send()

    def send(self) -> None:
        if self.ended.is_set() or self.transport is None:
            return
        self.turn += self.stride
        self.began = time.perf_counter()
        self.transport.write(self.requests[self.turn % len(self.requests)])

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head = self.buffer.find(HEAD_END)
        if head < 0:
            return
        lowered = bytes(self.buffer[:head]).lower()
        at = lowered.find(LENGTH)
        length = int(lowered[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.buffer) < head + len(HEAD_END) + length:
            return
        self.latencies.append((time.perf_counter() - self.began) * 1000)
        if bytes(self.buffer[9:10]) != b"2":
            self.refused += 1
        del self.buffer[: head + len(HEAD_END) + length]
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.lost = not self.ended.is_set()


def quantile(values: list[float], share: float) -> float:
    """The value that ``share`` of the sorted values do not pass."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


async def main(port: int, seconds: float, connections: int) -> dict[str, float]:
    """Load one server on loopback."""
    requests = sys.stdin.buffer.read().split(b"\0")
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    callers: list[Caller] = []
    begin = random.randrange(len(requests))  # so that the next run does not begin with the same callers
    began = time.perf_counter()
    for at in range(connections):
        _, caller = await loop.create_connection(
            lambda at=at: Caller(requests, begin + at, connections, ended), "127.0.0.1", port
        )
        callers.append(caller)
    await asyncio.sleep(seconds)
    ended.set()
    spent = time.perf_counter() - began
    latencies = sorted(value for caller in callers for value in caller.latencies)
    for caller in callers:
        if caller.transport is not None:
            caller.transport.close()
    return {
        "answers": len(latencies),
        "rate": len(latencies) / spent,
        "refused": sum(caller.refused for caller in callers),
        "lost": sum(caller.lost for caller in callers),
        "p50": quantile(latencies, 0.5),
        "p99": quantile(latencies, 0.99),
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))))
