"""A vendor's client over the client base, with time that passes by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from hostwright.core.http import Call, HttpClient, Method, Pace, Reach, Settings
from tests.support.raw_server import RawServer, Reply

TOKEN = "s3cret-t0ken-of-ours"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Value(msgspec.Struct, frozen=True):
    value: int


class HandPace:
    """Time that passes only by sleeping; jitter takes the most."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)

    def pace(self) -> Pace:
        return Pace(sleep=self.sleep, monotonic=lambda: self.time, now=lambda: NOW, jitter=lambda _, most: most)


class ExampleClient(HttpClient):
    vendor = "example"
    label = "Example"

    def error_text(self, status: int, body: bytes) -> str | None:
        try:
            return msgspec.json.decode(body, type=dict[str, str]).get("error")
        except msgspec.DecodeError:
            return None

    async def read(self, path: str = "/things/1", *, of_one: bool = True, query: dict[str, str] | None = None) -> int:
        return (await self.send(self._call(Method.GET, path, of_one=of_one, query=query or {}))).value

    async def write(self, method: Method = Method.POST, body: bytes | None = None) -> int:
        return (await self.send(self._call(method, "/things/1/start", of_one=True, body=body))).value

    @staticmethod
    def _call(method: Method, path: str, **more: Any) -> Call[Value]:
        decode = msgspec.json.Decoder(Value, strict=False).decode
        return Call(operation="thing", method=method, path=path, decode=decode, **more)


class Bench:
    def __init__(self, server: RawServer, client: ExampleClient, hand: HandPace) -> None:
        self.server = server
        self.client = client
        self.hand = hand

    def script(self, *replies: Reply) -> None:
        self.server.script.extend(replies)

    @property
    def asked(self) -> int:
        return len(self.server.requests)


@asynccontextmanager
async def client_of(url: str, hand: HandPace | None = None, **settings: Any) -> AsyncGenerator[ExampleClient]:
    chosen: dict[str, Any] = {"total": 5.0, "connect": 2.0, "reach": Reach.ANYWHERE} | settings
    client = ExampleClient(url, {"Authorization": f"Bearer {TOKEN}"}, Settings(**chosen), (hand or HandPace()).pace())
    try:
        yield client
    finally:
        await client.close()
