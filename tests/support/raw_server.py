"""An HTTP server that does exactly what it is told, byte by byte: late, cut off, too much, or nothing at all."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import msgspec


class Reply(msgspec.Struct, frozen=True):
    """What one request gets.

    ``wait`` seconds pass before anything is sent; ``cut`` sends only so many bytes of the body and hangs up; ``drop``
    hangs up without a word; ``raw`` is sent instead of an answer, ``trickle`` seconds between its bytes.
    """

    status: int = 200
    body: bytes = b'{"value": 1}'
    headers: dict[str, str] = {}
    wait: float = 0.0
    cut: int | None = None
    drop: bool = False
    raw: bytes | None = None
    trickle: float = 0.0


class Request(msgspec.Struct, frozen=True):
    """What came in. ``connection`` counts connections from 1."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


class RawServer:
    """``script`` is used up request by request; after that ``usual`` is the answer."""

    def __init__(self) -> None:
        self.port = 0
        self.scheme = "http"
        self.script: deque[Reply] = deque()
        self.usual = Reply()
        self.requests: list[Request] = []
        self._connections = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        self._writers.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await self._converse(reader, writer, self._connections)
        writer.close()
        self._writers.discard(writer)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, target, _ = head[0].split(" ")
            pairs = (line.split(": ", 1) for line in head[1:] if line)
            headers = {name.lower(): value for name, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.requests.append(Request(method, target, headers, body, connection))
            if not await self._reply(writer, self.script.popleft() if self.script else self.usual):
                return

    async def _reply(self, writer: asyncio.StreamWriter, reply: Reply) -> bool:
        """Whether the connection may be used again."""
        await asyncio.sleep(reply.wait)
        if reply.drop:
            return False
        if reply.raw is not None:
            for byte in reply.raw if reply.trickle else ():
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(reply.trickle)
            writer.write(b"" if reply.trickle else reply.raw)
            await writer.drain()
            return False
        lines = [f"HTTP/1.1 {reply.status} Whatever", f"Content-Length: {len(reply.body)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + reply.body[: reply.cut])
        await writer.drain()
        return reply.cut is None

    def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def raw_server(tls: ssl.SSLContext | None = None) -> AsyncGenerator[RawServer]:
    """A server on a free port."""
    found = RawServer()
    listening = await asyncio.start_server(found.connected, "127.0.0.1", 0, ssl=tls)
    found.port = listening.sockets[0].getsockname()[1]
    found.scheme = "https" if tls else "http"
    try:
        yield found
    finally:
        listening.close()
        found.close()
        await listening.wait_closed()
