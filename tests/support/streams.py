"""An event stream that is read while it goes on; httpx would wait for its end."""

from __future__ import annotations

import asyncio
from typing import Any

from hostwright.app import App
from tests.support.app import HOME, Client


class EventStream:
    """One open stream: its head, and its text as it comes."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.text = ""
        self._changed = asyncio.Event()
        self._leave = asyncio.Event()
        self._task: asyncio.Future[None] | None = None

    def open(self, app: App, client: Client, path: str = "/events") -> None:
        """Ask with the client's cookies and headers."""
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        headers = [(name.lower().encode(), value.encode()) for name, value in client.headers.items()]
        headers += [(b"cookie", cookie.encode()), (b"accept", b"text/event-stream")]
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": (HOME, 40_000),
            "server": ("panel.test", 80),
        }
        self._task = asyncio.ensure_future(app.asgi(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        if self.status:
            await self._leave.wait()
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        else:
            self.text += message.get("body", b"").decode()
            if not message.get("more_body", False):
                self._leave.set()  # a server says so when the answer is complete
        self._changed.set()

    async def until(self, words: str, seconds: float = 10.0) -> None:
        """Wait until the text holds ``words``."""
        async with asyncio.timeout(seconds):
            while words not in self.text:
                self._changed.clear()
                await self._changed.wait()

    @property
    def open_still(self) -> bool:
        """Whether it goes on."""
        return self._task is not None and not self._task.done()

    async def end(self, seconds: float = 10.0) -> None:
        """Wait until the application ends it."""
        assert self._task is not None
        await asyncio.wait_for(asyncio.shield(self._task), seconds)

    async def leave(self) -> None:
        """Go away, as a browser does."""
        self._leave.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=10)
            assert self._task.done()
