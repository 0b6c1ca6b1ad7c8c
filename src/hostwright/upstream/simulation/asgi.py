"""The ASGI words that simulators use, and an answer that is held back until somebody decides what becomes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

type Scope = MutableMapping[str, Any]
type Message = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class Answer(msgspec.Struct):
    """A whole answer."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = []
    body: bytes = b""

    async def collect(self, message: Message) -> None:
        """Takes the place of ``send``."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", []))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    async def send(self, send: Send) -> None:
        """Pass it on."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def json_answer(status: int, content: object, **headers: str) -> Answer:
    """An answer in JSON."""
    body = msgspec.json.encode(content)
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    length = str(len(body)).encode()
    return Answer(status, [(b"content-type", b"application/json"), (b"content-length", length), *named], body)


async def whole_body(receive: Receive) -> bytes:
    """A request's body."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(parts)


def replay(body: bytes) -> Receive:
    """A ``receive`` that gives a body that was read before."""
    waiting = [body]

    async def receive() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return {"type": "http.disconnect"}

    return receive
