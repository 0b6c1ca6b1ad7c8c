"""The WebSocket that a ticket opens, and the console behind it."""

import asyncio
import secrets
from typing import Any, Final

import msgspec
import structlog
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from litestar.handlers import WebsocketRouteHandler
from litestar.params import FromPath

from hostwright.core import metrics, rfb
from hostwright.core.config import Config
from hostwright.core.errors import AppError
from hostwright.core.providers import ProviderError
from hostwright.core.relay import Buffered, Ended, Relay
from hostwright.identity.access import socket_token
from hostwright.identity.service import idle_time
from hostwright.servers.ports import Providers
from hostwright.servers.service import console as service
from hostwright.servers.service import relays
from hostwright.servers.service.relays import Ending, Knock, OpenConsole
from hostwright.web.address import client_address
from hostwright.web.inject import Injected, Services

PROTOCOL: Final = "hostwright.console"
TICKET: Final = "ticket."
LONGEST_TICKET: Final = 100
LET_IN_SECONDS: Final = 10.0
REFUSED: Final = 4403
# Why a console ended, for the page. 1012 is the standard's word for a restart: come again.
CODES: Final[dict[Ended | Ending, int]] = {
    Ended.NEAR: 1000,
    Ended.FAR: 4001,
    Ended.IDLE: 4002,
    Ending.OVER: 4003,
    Ending.RESTART: 1012,
}
NOT_REACHED: Final = 4004
TOO_MANY: Final = 4005

log = structlog.get_logger(__name__)


class NearEnd:
    """The browser's side of a console."""

    def __init__(self, socket: WebSocket[Any, Any, Any]) -> None:
        self._socket = socket
        self._closed = False

    async def receive(self) -> bytes:
        """The next message; none when the browser has gone, or speaks in text, which no client of ours does."""
        while True:
            message: Any = await self._socket.receive()
            data = message.get("bytes") if message["type"] == "websocket.receive" else None
            if data is None:
                return b""
            if data:
                return data

    async def send(self, data: bytes) -> None:
        """Returns when there is room for more; raises OSError when the browser has gone."""
        try:
            await self._socket.send({"type": "websocket.send", "bytes": data, "text": None})
        except (RuntimeError, WebSocketDisconnect) as error:
            raise ConnectionResetError from error

    async def close(self, code: int = 1000) -> None:
        """Say goodbye, and why, once."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._socket.close(code=code)
        except (RuntimeError, OSError, WebSocketDisconnect):
            log.debug("console.gone_before_goodbye")


def _knock(socket: WebSocket[Any, Any, Any], config: Config, server_id: int) -> Knock | None:
    """Who comes with which ticket; None for whoever is no page of ours. The ticket stands in no address."""
    token = socket_token(socket, config)
    offered = [one.strip() for one in socket.headers.get("sec-websocket-protocol", "").split(",")]
    tickets = [one.removeprefix(TICKET) for one in offered if one.startswith(TICKET)]
    if token is None or PROTOCOL not in offered or len(tickets) != 1 or len(tickets[0]) > LONGEST_TICKET:
        return None
    address = client_address(socket.scope, config.trusted_proxies)
    return Knock(token, tickets[0], server_id, address, secrets.token_hex(8))


class Tally(msgspec.Struct):
    """How a console went."""

    shown: bool = False
    up: int = 0
    down: int = 0
    why: str = "unreachable"
    code: int = NOT_REACHED


class Console:
    """One console of one process, from its ticket to its end."""

    def __init__(self, services: Services, providers: Providers, closing: asyncio.Event) -> None:
        self.services = services
        self.providers = providers
        self.closing = closing

    async def serve(self, socket: WebSocket[Any, Any, Any], server_id: int) -> None:
        """Refuse a handshake without a good ticket; show the screen otherwise."""
        config = self.services.config
        knock = _knock(socket, config, server_id)
        near = NearEnd(socket)
        if knock is None or self.closing.is_set():
            await near.close(REFUSED)
            return
        try:
            console = await relays.redeem_ticket(
                self.services.database,
                self.services.keyring,
                knock,
                idle=idle_time(config.session_idle_hours),
                most=config.consoles_per_user,
            )
        except service.TooManyConsoles:
            await socket.accept(subprotocols=PROTOCOL)
            await near.close(TOO_MANY)
            return
        except AppError as error:
            log.info("console.refused", server_id=server_id, code=error.code)
            await near.close(REFUSED)
            return
        await self._show(socket, near, console)

    async def _show(self, socket: WebSocket[Any, Any, Any], near: NearEnd, console: OpenConsole) -> None:
        tally = Tally()
        try:
            await socket.accept(subprotocols=PROTOCOL)
            await self._connect(near, console, tally)
            await near.close(tally.code)
        finally:
            await relays.note_closed(
                self.services.database, console, up=tally.up, down=tally.down, why=tally.why, shown=tally.shown
            )

    async def _connect(self, near: NearEnd, console: OpenConsole, tally: Tally) -> None:
        """Reach the screen and carry it to the browser, to the end of either."""
        try:
            provider = await self.providers.compute(console.server.connection_id)
            far = await provider.reach_console(console.target)
        except (ProviderError, AppError) as error:
            await relays.note_opened(self.services.database, console, error=error.message)
            return
        browser = Buffered(near)
        relay = Relay(browser, far, idle=self.services.config.console_idle_seconds, counts=rfb.is_input)
        metrics.open_relays(1)
        try:
            await relays.note_opened(self.services.database, console)
            tally.shown = True
            ended = await self._carry(browser, relay, console)
            tally.why, tally.code = ended.value, CODES[ended]
            await near.close(tally.code)  # first of all: a process that stops does not wait for long
        finally:
            metrics.open_relays(-1)
            tally.up, tally.down = relay.up, relay.down
            await far.close()
        tally.why, tally.code = ended.value, CODES[ended]

    async def _carry(self, near: Buffered, relay: Relay, console: OpenConsole) -> Ended | Ending:
        idle = idle_time(self.services.config.session_idle_hours)
        database, hub = self.services.database, self.services.hub
        try:
            async with asyncio.timeout(LET_IN_SECONDS):
                await rfb.let_in(near)
        except (OSError, TimeoutError, rfb.NotAScreen):
            return Ended.NEAR
        return await relay.run(
            self._closed(), relays.watch_console(database, hub, console, lambda: relay.input_at, idle=idle)
        )

    async def _closed(self) -> Ending:
        await self.closing.wait()
        return Ending.RESTART


def console_route(closing: asyncio.Event) -> WebsocketRouteHandler:
    """``/console/{server_id}``: not part of the API's document. ``closing`` ends every console with 1012."""

    @websocket("/console/{server_id:int}", opt={"auth": "user"})
    async def console(
        socket: WebSocket[Any, Any, Any],
        services: Injected[Services],
        providers: Injected[Providers],
        server_id: FromPath[int],
    ) -> None:
        """A server's screen, for the holder of a ticket."""
        await Console(services, providers, closing).serve(socket, server_id)

    return console
