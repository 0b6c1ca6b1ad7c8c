"""Screens of simulated servers: a real RFB 3.8 server with password, over TCP and over a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import secrets
import struct
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

import msgspec

from hostwright.core.relay import Buffered, End, TcpEnd
from hostwright.core.rfb import answer_to
from hostwright.upstream.simulation.asgi import Receive, Scope, Send
from hostwright.upstream.virtfusion.simulator.facts import ServerFact
from hostwright.upstream.virtfusion.simulator.font import GLYPHS, HIGH, WIDE
from hostwright.upstream.virtfusion.simulator.terminal import COLUMNS, ROWS, Terminal
from hostwright.upstream.virtfusion.simulator.world import World

CELL_WIDE: Final = 2 * (WIDE + 1)
CELL_HIGH: Final = 2 * HIGH + 2
WIDTH: Final = COLUMNS * CELL_WIDE
HEIGHT: Final = ROWS * CELL_HIGH
LETTERS: Final = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
GREEN: Final = (74, 222, 128)
GREY: Final = (214, 214, 214)
BLACK: Final = (0, 0, 0)
TICK: Final = 0.05
LONGEST_CUT: Final = 1024 * 1024

type Colour = tuple[int, int, int]


class Screen(msgspec.Struct):
    """A server's screen: whether it is shown, by which password, and at which token. A POST renews both."""

    terminal: Terminal
    enabled: bool = False
    password: str = ""
    token: str = ""
    viewers: int = 0


class Shape(msgspec.Struct, frozen=True):
    """How a client wants a dot: four bytes, with each colour moved by so many bits."""

    big: bool
    red: int
    green: int
    blue: int

    def dot(self, colour: Colour) -> bytes:
        value = colour[0] << self.red | colour[1] << self.green | colour[2] << self.blue
        return value.to_bytes(4, "big" if self.big else "little")


USUAL: Final = Shape(big=False, red=16, green=8, blue=0)


class Painter:
    """Draws lines of text; every character only once."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._cells: dict[tuple[str, Colour, bool], list[bytes]] = {}

    def _cell(self, character: str, colour: Colour, *, turned: bool) -> list[bytes]:
        """The lines of dots of a character."""
        found = self._cells.get((character, colour, turned))
        if found is None:
            ink, paper = self._shape.dot(colour), self._shape.dot(BLACK)
            if turned:
                ink, paper = paper, ink
            found = list[bytes]()
            for bits in GLYPHS.get(character, GLYPHS["?"]):
                line = b"".join(2 * (ink if bits >> (WIDE - 1 - at) & 1 else paper) for at in range(WIDE)) + 2 * paper
                found += [line, line]
            found += [paper * CELL_WIDE] * (CELL_HIGH - len(found))
            self._cells[character, colour, turned] = found
        return found

    def line(self, text: str, cursor: int | None) -> bytes:
        """One line of text across the whole screen."""
        good = text.startswith("[  OK  ]")
        cells = [
            self._cell(character, GREEN if good and 2 < at < 6 else GREY, turned=at == cursor)  # noqa: PLR2004
            for at, character in enumerate(text.ljust(COLUMNS))
        ]
        return b"".join(cell[row] for row in range(CELL_HIGH) for cell in cells)


class Viewing:
    """One client of one screen."""

    def __init__(self, peer: Buffered, screen: Screen, alive: Callable[[], bool]) -> None:
        self._peer = peer
        self._screen = screen
        self._alive = alive
        self._painter = Painter(USUAL)
        self._drawn: list[bytes] = []
        self._wanted = asyncio.Event()

    async def run(self) -> None:
        """Until the client goes, or the screen does."""
        await self._peer.exactly(1)
        name = b"screen"
        shape = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, USUAL.red, USUAL.green, USUAL.blue)
        await self._peer.send(struct.pack(">HH", WIDTH, HEIGHT) + shape + struct.pack(">I", len(name)) + name)
        tasks = [asyncio.ensure_future(part) for part in (self._listen(), self._paint(), self._watch())]
        self._screen.viewers += 1
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._screen.viewers -= 1
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self) -> None:
        while self._alive():  # noqa: ASYNC110  time itself changes a world
            await asyncio.sleep(TICK)

    async def _listen(self) -> None:
        while True:
            match (await self._peer.exactly(1))[0]:
                case 0:
                    self._reshape(await self._peer.exactly(19))
                case 2:
                    count = int.from_bytes((await self._peer.exactly(3))[1:])
                    await self._peer.exactly(4 * count)
                case 3:
                    if not (await self._peer.exactly(9))[0]:
                        self._drawn = []
                    self._wanted.set()
                case 4:
                    down, key = struct.unpack(">BxxI", await self._peer.exactly(7))
                    self._screen.terminal.press(key, down=bool(down))
                case 5:
                    await self._peer.exactly(5)
                case 6:
                    size = int.from_bytes((await self._peer.exactly(7))[3:], signed=True)
                    await self._peer.exactly(min(abs(size), LONGEST_CUT))
                case _:
                    return

    def _reshape(self, message: bytes) -> None:
        bits, _, big, colours, *_, red, green, blue = struct.unpack(">xxxBBBBHHHBBBxxx", message)
        if bits == 32 and colours:  # noqa: PLR2004  nothing else is asked for by the clients that come here
            self._painter = Painter(Shape(big=bool(big), red=red, green=green, blue=blue))
            self._drawn = []

    async def _paint(self) -> None:
        version = -1
        while True:
            await self._wanted.wait()
            terminal = self._screen.terminal
            terminal.tick()
            if terminal.version == version and self._drawn:
                await asyncio.sleep(TICK)
                continue
            version = terminal.version
            self._wanted.clear()
            await self._send_changes(terminal)

    async def _send_changes(self, terminal: Terminal) -> None:
        column, row = terminal.cursor
        lines = [*terminal.lines, *[""] * (ROWS - len(terminal.lines))]
        painted = [self._painter.line(text, column if at == row else None) for at, text in enumerate(lines)]
        before, self._drawn = self._drawn or [b""] * ROWS, painted
        changed = [at for at in range(ROWS) if painted[at] != before[at]] or [row]
        await self._peer.send(struct.pack(">BxH", 0, len(changed)))
        for at in changed:
            await self._peer.send(struct.pack(">HHHHi", 0, at * CELL_HIGH, WIDTH, CELL_HIGH, 0) + painted[at])


class Screens:
    """The screens of a company. One TCP port serves all of them: the password says which one is meant."""

    def __init__(self, world: Callable[[], World]) -> None:
        self._world = world
        self._screens: dict[int, Screen] = {}
        self._server: asyncio.Server | None = None
        self.port = 0
        self.with_wss = True
        """Whether answers name the way through the control server, as newer versions do."""
        self.lies: dict[str, Any] = {}
        """What answers say instead of the truth."""

    async def start(self) -> None:
        """Listen on a free port of this machine."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Hang up on everybody."""
        if self._server is not None:
            self._server.close()
            self._server.close_clients()
            await self._server.wait_closed()
            self._server = None

    def forget(self) -> None:
        """No screen is open any more, and all are as they were in the beginning."""
        self._screens.clear()

    def of(self, server: ServerFact) -> Screen:
        """A server's screen."""
        found = self._screens.get(server.id)
        if found is None:
            world = self._world()
            template = world.templates[server.template_id]
            system = f"{template.name} {template.version}"
            found = self._screens[server.id] = Screen(Terminal(server.name, system, world.clock))
        return found

    def enable(self, server: ServerFact, *, on: bool) -> Screen:
        """Show or hide a screen, in both cases under another password and token."""
        screen = self.of(server)
        screen.enabled = on
        screen.password = "".join(secrets.choice(LETTERS) for _ in range(8))
        screen.token = str(uuid4())
        return screen

    def _alive(self, server_id: int, screen: Screen) -> bool:
        server = self._world().server(server_id)
        shown = server is not None and server.running and not server.suspended
        if not shown and self._screens.get(server_id) is screen:
            del self._screens[server_id]  # what runs next boots anew
        return shown and screen.enabled

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        end = TcpEnd(reader, writer)
        await self._view(end, None)
        await end.close()

    async def websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A WebSocket at ``/vnc/?token=…``; any other is refused."""
        token = scope["query_string"].decode().removeprefix("token=")
        await receive()
        known = [one for one in self._screens.values() if one.token and hmac.compare_digest(one.token, token)]
        if not known or scope["path"] != "/vnc/":
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept", "subprotocol": "binary"})
        end = AsgiEnd(receive, send)
        await self._view(end, known[0])
        await end.close()

    async def _view(self, end: End, meant: Screen | None) -> None:
        peer = Buffered(end)
        with contextlib.suppress(OSError):
            found = await self._signed_in(peer, meant)
            if found is not None:
                server_id, screen = found
                await Viewing(peer, screen, lambda: self._alive(server_id, screen)).run()

    async def _signed_in(self, peer: Buffered, meant: Screen | None) -> tuple[int, Screen] | None:
        await peer.send(b"RFB 003.008\n")
        await peer.exactly(12)
        await peer.send(bytes([1, 2]))
        await peer.exactly(1)
        challenge = secrets.token_bytes(16)
        await peer.send(challenge)
        answer = await peer.exactly(16)
        for server_id, screen in list(self._screens.items()):
            right = hmac.compare_digest(answer_to(challenge, screen.password), answer)
            if screen.enabled and right and (meant is None or meant is screen) and self._alive(server_id, screen):
                await peer.send(bytes(4))
                return server_id, screen
        reason = b"Authentication failed"
        await peer.send(struct.pack(">II", 1, len(reason)) + reason)
        return None


class AsgiEnd:
    """The server's side of a WebSocket, as an end."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send

    async def receive(self) -> bytes:
        """The next message; none when the client has gone."""
        message = await self._receive()
        return message.get("bytes") or b""

    async def send(self, data: bytes) -> None:
        """Returns when there is room for more."""
        await self._send({"type": "websocket.send", "bytes": data})

    async def close(self) -> None:
        """Say goodbye."""
        with contextlib.suppress(OSError):
            await self._send({"type": "websocket.close", "code": 1000})
