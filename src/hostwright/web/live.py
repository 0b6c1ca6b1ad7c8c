"""One event stream per visible page. It holds no connection; messages carry ids, and the truth is read from rows."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final, Protocol

import asyncpg
import structlog
from litestar import Request
from litestar.response import Stream

from hostwright.core.db import Db
from hostwright.core.errors import AppError
from hostwright.core.live import RESYNC, Hub
from hostwright.core.logs import error_text
from hostwright.web.inject import Services

DATABASE_LOST: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
PING_SECONDS: Final = 15.0
CLOSED: Final = "closed"
LONGEST_TIME: Final = 15
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


class Audience[V](Protocol):
    """Who reads a stream, and whether they still may."""

    viewer: V
    topics: Sequence[str]

    def is_crowded(self, hub: Hub) -> bool:
        """Whether they read more streams than anybody needs, this one included once it has begun."""
        ...

    async def may_go_on(self, db: Db) -> bool:
        """Whether they would be let in today as they were when the stream began."""
        ...


class LiveStream[V]:
    """The stream of one page. ``since`` is when the page was read: what it missed until now it is told to fetch."""

    def __init__(
        self,
        request: Request[Any, Any, Any],
        services: Services,
        audience: Audience[V],
        parts: Mapping[str, LivePart[V]],
        since: float | None = None,
    ) -> None:
        self.request = request
        self.services = services
        self.audience = audience
        self.parts = parts
        self.since = since

    async def _may_go_on(self) -> bool:
        """Asked when the stream begins, at each ping and after a gap: word of a session's end may have been lost."""
        try:
            async with self.services.database.acquire() as db:
                return await self.audience.may_go_on(db)
        except (AppError, OSError, *DATABASE_LOST):
            return True  # the database is away: nothing can be shown either, and the next ping asks again

    async def _html(self, data: str) -> str:
        if data == RESYNC:
            return RELOAD
        name, _, number = data.partition(":")
        part = self.parts.get(name)
        if part is None or not number.isdecimal():
            return ""
        async with self.services.database.acquire() as db:
            return await part.partials(self.request, db, self.audience.viewer, int(number))

    async def lines(self, closing: asyncio.Event) -> AsyncGenerator[str]:
        """The stream's text: a greeting, messages, a ping each 15 s; ends when the session or the process does."""
        yield ": hello\n\n"
        stream = self.services.hub.subscribe(*self.audience.topics)
        ended = asyncio.ensure_future(closing.wait())
        waiting: asyncio.Future[str] | None = asyncio.ensure_future(anext(stream))
        try:
            await asyncio.sleep(0)  # messages count from here on
            if self.audience.is_crowded(self.services.hub) or not await self._may_go_on():
                return
            if self.since is not None and self.services.hub.missed(self.audience.topics, self.since):
                yield message(RELOAD)
            while not closing.is_set():
                waiting = waiting or asyncio.ensure_future(anext(stream))
                done, _ = await asyncio.wait(
                    {waiting, ended}, timeout=PING_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                if waiting not in done:
                    if not await self._may_go_on():
                        return
                    yield ": ping\n\n"
                    continue
                try:
                    data = waiting.result()
                except StopAsyncIteration:  # the process stops
                    return
                waiting = None
                if data == CLOSED or (data == RESYNC and not await self._may_go_on()):
                    return
                try:
                    html = await self._html(data)
                except (AppError, OSError, *DATABASE_LOST) as error:
                    log.warning("live.message_lost", error=error_text(error))
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


def moment(text: str) -> float | None:
    """The Unix time in an address, which has milliseconds; None for anything else."""
    return int(text) / 1000 if text.isdecimal() and len(text) <= LONGEST_TIME else None
