"""What the API says about consoles. Never an address, a port or a password."""

from __future__ import annotations

from datetime import datetime

import msgspec


class ConsoleTicket(msgspec.Struct, frozen=True, rename="camel"):
    """Opens one WebSocket at ``socket``, once, until ``expires_at``: its second subprotocol is ``ticket.`` and this."""

    ticket: str
    socket: str
    expires_at: datetime

    def __repr__(self) -> str:
        """Without the ticket."""
        return f"ConsoleTicket(socket={self.socket!r})"


class ConsoleRead(msgspec.Struct, frozen=True, rename="camel"):
    """A server's screen. ``enabled`` null: VirtFusion does not say. ``available``: it says where the screen is."""

    enabled: bool | None
    available: bool


class ConsoleTest(msgspec.Struct, frozen=True, rename="camel"):
    """Whether the panel reaches a server's screen; ``problem`` says why not."""

    reachable: bool
    problem: str | None
