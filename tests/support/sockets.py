"""WebSockets to an application in the test's own loop, and the client's side of RFB over them."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from hostwright.app import App
from hostwright.core.relay import Buffered
from hostwright.identity.access import session_cookie
from tests.support.app import Client

PROTOCOL: Final = "hostwright.console"
PATIENCE: Final = 20.0


class AsgiSocket:
    """A browser's WebSocket: an end of a relay. ``code`` is with what it was closed; ``held`` stops reading."""

    def __init__(self, app: App, path: str, headers: Sequence[tuple[str, str]], protocols: Sequence[str]) -> None:
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1)
        named = [(name.lower().encode(), value.encode()) for name, value in headers]
        if protocols:
            named.append((b"sec-websocket-protocol", ", ".join(protocols).encode()))
        path, _, query = path.partition("?")
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": named,
            "client": ("127.0.0.1", 40_000),
            "server": ("panel.test", 80),
            "subprotocols": list(protocols),
            "state": {},
            "extensions": {},
        }
        self.code: int | None = None
        self.accepted: str | None = None
        self._to_app.put_nowait({"type": "websocket.connect"})
        asgi: Any = app.asgi
        self.task = asyncio.ensure_future(asgi(scope, self._to_app.get, self._from_app.put))

    async def open(self) -> bool:
        """Whether the application lets it in."""
        message = await self._next()
        if message["type"] == "websocket.accept":
            self.accepted = message["subprotocol"]
            return True
        self.code = message.get("code", 1006)
        return False

    async def _next(self) -> dict[str, Any]:
        getting = asyncio.ensure_future(self._from_app.get())
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.wait({getting, self.task}, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                return getting.result()
            self.task.result()
            return {"type": "websocket.close", "code": 1006}
        finally:
            getting.cancel()

    async def receive(self) -> bytes:
        """The next message; none when the application has closed it."""
        if self.code is not None:
            return b""
        message = await self._next()
        if message["type"] == "websocket.send":
            return message["bytes"]
        self.code = message.get("code", 1000)
        return b""

    async def send(self, data: bytes) -> None:
        await self._to_app.put({"type": "websocket.receive", "bytes": data, "text": None})

    async def text(self, data: str) -> None:
        await self._to_app.put({"type": "websocket.receive", "bytes": None, "text": data})

    async def close(self) -> None:
        """Go away, and wait until the application has noticed."""
        if self.code is None:
            await self._to_app.put({"type": "websocket.disconnect", "code": 1005})
            self.code = 1005
        async with asyncio.timeout(PATIENCE):
            while not self.task.done():
                getting = asyncio.ensure_future(self._from_app.get())
                await asyncio.wait({getting, self.task}, return_when=asyncio.FIRST_COMPLETED)
                getting.cancel()
        await self.task

    async def end(self) -> int:
        """Read to the end; the code that the application closes with."""
        while await self.receive():
            pass
        assert self.code is not None
        return self.code


@asynccontextmanager
async def console_socket(
    app: App, client: Client, path: str, ticket: str, *, origin: str | None = None, **headers: str
) -> AsyncGenerator[AsgiSocket]:
    """A socket as the page of ``client`` opens it."""
    cookie = client.cookies.get(session_cookie(app.config), "")
    sent = {"Host": "panel.test", "Origin": origin or app.config.public_url, "Cookie": f"hw_session={cookie}"} | headers
    protocols = [PROTOCOL, f"ticket.{ticket}"]
    socket = AsgiSocket(app, path, [pair for pair in sent.items() if pair[1]], protocols)
    try:
        yield socket
    finally:
        await socket.close()


class Viewer:
    """Who looks at a screen: speaks RFB 3.8 to somebody who asks for no password."""

    def __init__(self, end: Any) -> None:
        self.peer = Buffered(end)
        self.size = (0, 0)

    async def begin(self) -> None:
        """From the greeting to the first picture's size."""
        async with asyncio.timeout(PATIENCE):
            assert await self.peer.exactly(12) == b"RFB 003.008\n"
            await self.peer.send(b"RFB 003.008\n")
            assert await self.peer.exactly(2) == bytes([1, 1])
            await self.peer.send(bytes([1]))
            assert await self.peer.exactly(4) == bytes(4)
            await self.peer.send(bytes([1]))
            found = await self.peer.exactly(24)
            self.size = struct.unpack(">HH", found[:4])
            await self.peer.exactly(int.from_bytes(found[20:24]))
            # Plain dots only, whatever else the screen can do.
            await self.peer.send(struct.pack(">BxHi", 2, 1, 0))

    async def picture(self, *, changes: bool = False) -> bytes:
        """The dots of the next picture, or of what has changed."""
        async with asyncio.timeout(PATIENCE):
            await self.peer.send(struct.pack(">BBHHHH", 3, int(changes), 0, 0, *self.size))
            while (kind := (await self.peer.exactly(1))[0]) != 0:
                assert kind == 2, kind  # a bell
            dots = b""
            for _ in range(int.from_bytes((await self.peer.exactly(3))[1:])):
                _, _, width, height, _ = struct.unpack(">HHHHi", await self.peer.exactly(12))
                dots += await self.peer.exactly(width * height * 4)
            return dots

    async def press(self, *keys: int) -> None:
        """Keys, one after the other."""
        for key in keys:
            for down in (1, 0):
                await self.peer.send(struct.pack(">BBxxI", 4, down, key))

    async def type(self, text: str) -> None:
        """Letters."""
        await self.press(*map(ord, text))
