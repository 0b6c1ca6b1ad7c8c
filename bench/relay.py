"""Consoles measured: what a relay carries beside a plain copy, and what 500 idle ones weigh in one web worker.

python -m bench.relay spout PORT        a screen that lets everybody in, and then sends for ever or is silent
python -m bench.relay copy PORT FROM    a plain asyncio copy of TCP, for comparison
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from statistics import median

import asyncpg
import msgspec
import psutil
import uvloop

from bench.processes import free_port
from bench.results import Row, at_least_share, at_most
from bench.world import Filled
from hostwright.core.crypto import Keyring, token_hash
from hostwright.core.providers import ConsoleTarget

CHUNK = 64 * 1024
SECONDS = 3.0
ROUNDS = 3
IDLE = 500
EACH = 50  # consoles of one user
LOUD, SILENT = b"\1", b"\0"
PATIENCE = 20.0
LIMIT_MIB = 160
CALLER = """
    select s.id, s.user_id, m.customer_id, nextval(pg_get_serial_sequence('console_tickets', 'id')) as ticket,
    (select v.id from servers v where v.customer_id = m.customer_id and v.state = 'active' limit 1) as server
    from sessions s join members m on m.user_id = s.user_id where s.token_hash = $1
"""


# --- the screen, and the plain copy: processes of their own


def spout(port: int) -> None:
    """Serve for ever."""
    with socket.create_server(("127.0.0.1", port), backlog=1024) as listening:
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=_show, args=(connection,), daemon=True).start()


def _show(connection: socket.socket) -> None:
    try:
        connection.sendall(b"RFB 003.008\n")
        connection.recv(12)
        connection.sendall(bytes([1, 1]))
        connection.recv(1)
        connection.sendall(bytes(4))
        if connection.recv(1) == LOUD:
            data = bytes(CHUNK)
            while True:
                connection.sendall(data)
        connection.recv(1)
    except OSError:
        connection.close()


async def copy(port: int, source: int) -> None:
    """Copy both ways for ever, as little as that can be."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", source, limit=CHUNK)

        async def carry(of: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
            while data := await of.read(CHUNK):
                to.write(data)
                await to.drain()

        await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(connected, "127.0.0.1", port, limit=CHUNK)
    await server.serve_forever()


@contextmanager
def _process(*arguments: str) -> Generator[None]:
    child = subprocess.Popen([sys.executable, "-m", "bench.relay", *arguments], stderr=subprocess.DEVNULL)
    try:
        for _ in range(int(PATIENCE / 0.05)):
            try:
                socket.create_connection(("127.0.0.1", int(arguments[1]))).close()
                break
            except OSError:
                time.sleep(0.05)
        yield
    finally:
        child.terminate()
        child.wait(10)


# --- callers


def _read_for(connection: socket.socket, seconds: float) -> float:
    """Bytes a second."""
    buffer, found = bytearray(CHUNK * 4), 0
    began = time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds:
        got = connection.recv_into(buffer)
        if not got:
            message = "the stream ended"
            raise RuntimeError(message)
        found += got
    return found / spent


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = connection.recv(size - len(found))
        if not more:
            message = "it hung up"
            raise RuntimeError(message)
        found += more
    return found


def _plain(port: int) -> socket.socket:
    """Past the greeting, through the copy."""
    connection = socket.create_connection(("127.0.0.1", port))
    _exactly(connection, 12)
    connection.sendall(b"RFB 003.008\n")
    _exactly(connection, 2)
    connection.sendall(b"\1")
    _exactly(connection, 4)
    connection.sendall(LOUD)
    return connection


def _frame(data: bytes) -> bytes:
    """A client's message; masked with zeros, which changes nothing."""
    return bytes([0x82, 0x80 | len(data)]) + bytes(4) + data


def _message(connection: socket.socket) -> bytes:
    size = _exactly(connection, 2)[1]
    if size == 126:
        size = struct.unpack(">H", _exactly(connection, 2))[0]
    return _exactly(connection, size)


def _console(port: int, server_id: int, session: str, ticket: str, wanted: bytes) -> socket.socket:
    """An open console, past the greeting."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.settimeout(PATIENCE)
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    lines = [
        f"GET /console/{server_id} HTTP/1.1",
        "Host: 127.0.0.1",
        "Origin: http://127.0.0.1",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
        f"Sec-WebSocket-Protocol: hostwright.console, ticket.{ticket}",
        f"Cookie: hw_session={session}",
    ]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _exactly(connection, 1)
    if b" 101 " not in head.partition(b"\r\n")[0]:
        message = f"no console: {head[:60]!r}"
        raise RuntimeError(message)
    _message(connection)
    connection.sendall(_frame(b"RFB 003.008\n"))
    _message(connection)
    connection.sendall(_frame(b"\1"))
    _message(connection)
    connection.sendall(_frame(wanted))
    return connection


class Tickets:
    """Makes tickets that lead to the screen, past the vendor, who is not there."""

    def __init__(self, dsn: str, keyring: Keyring, filled: Filled, screen: int) -> None:
        self.dsn = dsn
        self.keyring = keyring
        self.filled = filled
        self.target = msgspec.json.encode(ConsoleTarget(address="127.0.0.1", port=screen))

    async def make(self, people: range) -> list[tuple[int, str, str]]:
        """A server's id, a session and a ticket of each of these people."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute("update connections set enabled = true")
            return [await self._one(connection, person) for person in people]
        finally:
            await connection.close()

    async def _one(self, connection: asyncpg.Connection[asyncpg.Record], person: int) -> tuple[int, str, str]:
        session, ticket = self.filled.sessions[person], secrets.token_urlsafe(32)
        row = await connection.fetchrow(CALLER, token_hash(session))
        assert row is not None
        await connection.execute("update servers set power = 'running' where id = $1", row["server"])
        now = datetime.now(UTC)
        secret = self.keyring.encrypt("console_tickets", "target", row["ticket"], self.target)
        await connection.execute(
            """insert into console_tickets (id, ticket_hash, server_id, user_id, session_id, customer_id, staff, target,
            created_at, expires_at) values ($1, $2, $3, $4, $5, $6, false, $7, $8, $9)""",
            *(row["ticket"], token_hash(ticket), row["server"], row["user_id"], row["id"], row["customer_id"], secret),
            now,
            now + timedelta(minutes=5),
        )
        return row["server"], session, ticket


def _resident(process: psutil.Process) -> float:
    return max(worker.memory_info().rss for worker in process.children(recursive=True)) / 2**20


def _idle(port: int, process: psutil.Process, tickets: Tickets) -> Row:
    """What a worker weighs that does nothing but keep consoles open."""
    before = _resident(process)
    open_ones: list[socket.socket] = []
    for _ in range(EACH):
        made = asyncio.run(tickets.make(range(IDLE // EACH)))
        open_ones += [_console(port, *one, SILENT) for one in made]
    time.sleep(2)
    resident = _resident(process)
    for connection in open_ones:
        connection.close()
    name = f"Web worker, resident with {len(open_ones)} idle consoles ({before:.0f} MiB without)"
    return at_most(name, resident, "MiB", LIMIT_MIB)


def measure(port: int, process: psutil.Process, screen: int, tickets: Tickets) -> list[Row]:
    """``port`` is a web process's that has done nothing yet; ``screen`` is where a spout is."""
    rows = [_idle(port, process, tickets)]
    copied: list[float] = []
    relayed: list[float] = []
    plain = free_port()
    with _process("copy", str(plain), str(screen)):
        for _ in range(ROUNDS):
            with _plain(plain) as connection:
                copied.append(_read_for(connection, SECONDS))
            [one] = asyncio.run(tickets.make(range(1)))
            with _console(port, *one, LOUD) as connection:
                relayed.append(_read_for(connection, SECONDS))
    name = "Console relay, down, to a plain asyncio copy in a process of its own"
    return [*rows, at_least_share(name, median(relayed) / 1e6, "MB/s", median(copied) / 1e6, 0.7)]


@contextmanager
def screen_of_bench() -> Generator[int]:
    """A spout in a process of its own."""
    port = free_port()
    with _process("spout", str(port)):
        yield port


if __name__ == "__main__":
    if sys.argv[1] == "spout":
        spout(int(sys.argv[2]))
    else:
        uvloop.run(copy(int(sys.argv[2]), int(sys.argv[3])))
