"""Streams to vendors besides their API: a TCP connection or a WebSocket, as the ends of a relay."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from contextlib import suppress
from typing import Any, Final

import aiohttp

from hostwright.core.http.addresses import ForbiddenAddress, Reach, is_forbidden, open_socket
from hostwright.core.relay import HIGH_WATER, TcpEnd

CONNECT_SECONDS: Final = 5.0
GOODBYE_SECONDS: Final = 1.0
LARGEST_MESSAGE: Final = 16 * 1024 * 1024
REDIRECTS: Final = range(300, 400)
LARGEST_PORT: Final = 65535


def may_reach(address: str, reach: Reach, *, private: bool) -> bool:
    """Whether a stream may lead to an address; ``private``: to private networks too. Never to ours in production."""
    if reach is Reach.ANYWHERE:
        return True
    if is_forbidden(address):
        return False
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_global or private


async def open_tcp(host: str, port: int, reach: Reach, *, private: bool = False) -> TcpEnd:
    """Connect within five seconds; raises OSError, `ForbiddenAddress` among them, or TimeoutError.

    A name is resolved once, and what it leads to is both checked and connected to.
    """
    if not 0 < port <= LARGEST_PORT:
        raise ForbiddenAddress
    async with asyncio.timeout(CONNECT_SECONDS):
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (UnicodeError, ValueError) as error:
            raise ForbiddenAddress from error
        address = str(found[0][4][0])
        if not may_reach(address, reach, private=private):
            raise ForbiddenAddress
        return TcpEnd(*await asyncio.open_connection(address, port, limit=HIGH_WATER))


class SocketEnd:
    """A WebSocket that carries bytes."""

    def __init__(self, session: aiohttp.ClientSession, connection: aiohttp.ClientWebSocketResponse) -> None:
        self._session = session
        self._connection = connection

    async def receive(self) -> bytes:
        """The next message; none when the other side has gone, or sends something else than bytes."""
        while True:
            message = await self._connection.receive()
            if message.type is not aiohttp.WSMsgType.BINARY:
                return b""
            if message.data:
                return message.data

    async def send(self, data: bytes) -> None:
        """Returns when there is room for more; raises OSError when the other side has gone."""
        try:
            await self._connection.send_bytes(data)
        except (aiohttp.ClientError, RuntimeError) as error:
            raise ConnectionResetError from error

    async def close(self) -> None:
        """Say goodbye, for a moment at most, and let go."""
        with suppress(TimeoutError, aiohttp.ClientError, OSError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._connection.close()
        await self._session.close()


async def _stay(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """A redirect would take the token that stands in the address elsewhere."""
    response = await send(request)
    if response.status in REDIRECTS:
        response.close()
        raise ForbiddenAddress
    return response


async def open_websocket(url: str, reach: Reach, *, verify_tls: bool = True) -> SocketEnd:
    """Connect within five seconds; raises OSError, TimeoutError, or `aiohttp.ClientError`. Follows no redirect."""
    pool: dict[str, Any] = {"socket_factory": open_socket} if reach is Reach.NETWORK else {}
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=verify_tls, **pool),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        middlewares=(_stay,),
    )
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await session.ws_connect(
                url,
                protocols=("binary",),
                max_msg_size=LARGEST_MESSAGE,
            )
    except BaseException:
        await session.close()
        raise
    return SocketEnd(session, connection)
