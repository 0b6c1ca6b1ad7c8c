"""A browser's socket to a web process, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import httpx

from tests.support.sockets import PROTOCOL, Viewer


class Socket:
    """The client's side, as an end of a relay. ``code`` is with what it was closed."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        self.connection = connection

    @property
    def code(self) -> int | None:
        return self.connection.close_code

    async def receive(self) -> bytes:
        message = await self.connection.receive()
        return message.data if message.type is aiohttp.WSMsgType.BINARY else b""

    async def send(self, data: bytes) -> None:
        await self.connection.send_bytes(data)

    async def close(self) -> None:
        await self.connection.close()

    async def end(self) -> int | None:
        """Read to the end; the code that it was closed with."""
        while await self.receive():
            pass
        return self.code


@asynccontextmanager
async def watching(browser: httpx.AsyncClient, server_id: int) -> AsyncGenerator[tuple[Socket, Viewer]]:
    """A server's screen in a browser that has signed in."""
    answer = await browser.post(f"/api/user/servers/{server_id}/console")
    assert answer.status_code == 200, answer.text
    made = answer.json()
    url = str(browser.base_url).rstrip("/")
    headers = {"Origin": url, "Cookie": f"hw_session={browser.cookies['hw_session']}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(
            url + made["socket"], protocols=(PROTOCOL, f"ticket.{made['ticket']}"), max_msg_size=0
        ) as connection,
    ):
        socket = Socket(connection)
        viewer = Viewer(socket)
        await viewer.begin()
        yield socket, viewer
