"""One event stream per visible page. It holds no connection; messages carry ids, and the truth is read from rows."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import structlog
from litestar import Request
from litestar.response import Stream

from hostwright.core.db import Db
from hostwright.core.errors import AppError
from hostwright.core.live import RESYNC
from hostwright.web.inject import Services

PING_SECONDS: Final = 15.0
CLOSED: Final = "closed"
RELOAD: Final = (
    '<hx-partial hx-target="#live-resync" hx-swap="outerHTML"><span id="live-resync" data-resync></span></hx-partial>'
)

log = structlog.get_logger(__name__)


class LivePart[V](Protocol):
    """A feature that turns a message ``name:id`` into `<hx-partial>` elements for one viewer."""

    name: str

    async def partials(self, request: Request[Any, Any, Any], db: Db, viewer: V, object_id: int) -> str:
        """HTML for whatever the viewer may see; empty when there is nothing to show."""
        ...


def message(html: str) -> str:
    """One SSE message without an event name, which htmx swaps by its partials."""
    return "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"


class LiveStream[V]:
    """The stream of one page."""

    def __init__(
        self,
        request: Request[Any, Any, Any],
        services: Services,
        viewer: V,
        topics: Sequence[str],
        parts: Mapping[str, LivePart[V]],
    ) -> None:
        self.request = request
        self.services = services
        self.viewer = viewer
        self.topics = topics
        self.parts = parts

    async def _html(self, data: str) -> str:
        if data == RESYNC:
            return RELOAD
        name, _, number = data.partition(":")
        part = self.parts.get(name)
        if part is None or not number.isdecimal():
            return ""
        async with self.services.database.acquire() as db:
            return await part.partials(self.request, db, self.viewer, int(number))

    async def lines(self, closing: asyncio.Event) -> AsyncGenerator[str]:
        """The stream's text: a greeting, messages, a ping each 15 s; ends when the session or the process does."""
        yield ": hello\n\n"
        stream = self.services.hub.subscribe(*self.topics)
        ended = asyncio.ensure_future(closing.wait())
        waiting: asyncio.Future[str] | None = None
        try:
            while not closing.is_set():
                waiting = waiting or asyncio.ensure_future(anext(stream))
                done, _ = await asyncio.wait(
                    {waiting, ended}, timeout=PING_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                if waiting not in done:
                    yield ": ping\n\n"
                    continue
                data = waiting.result()
                waiting = None
                if data == CLOSED:
                    return
                try:
                    html = await self._html(data)
                except AppError as error:
                    log.warning("live.message_lost", code=error.code)
                    html = RELOAD
                if html:
                    yield message(html)
        finally:
            ended.cancel()
            if waiting is not None:
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
            await stream.aclose()

    def answer(self, closing: asyncio.Event) -> Stream:
        """The answer that carries the stream."""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return Stream(self.lines(closing), media_type="text/event-stream", headers=headers)


type Topics[V] = Callable[[V], Sequence[str]]
