"""Stands in front of a vendor's simulator: records what comes in and makes the faults happen."""

from __future__ import annotations

import asyncio
from collections import deque
from math import ceil
from typing import Final

from hostwright.upstream.simulation.asgi import (
    Answer,
    Asgi,
    Receive,
    Scope,
    Send,
    json_answer,
    replay,
    whole_body,
)
from hostwright.upstream.simulation.faults import Fault, Faults, Mode, Received, received

CONTROL: Final = "/_sim/"
REMEMBERED: Final = 20_000
NOT_JSON: Final = b'{"data": {"id": 1, "state": <b>Fatal error</b>: Allowed memory size exhausted'
WORDS: Final = {
    403: "This action is unauthorized.",
    404: "The resource was not found.",
    409: "This conflicts with the current state.",
    422: "The given data was invalid.",
    423: "The server has a pending task.",
    429: "Too Many Attempts.",
    500: "Server Error",
    503: "Service Unavailable",
}


class Stage:
    """An ASGI application around a vendor's. Returning without an answer is how it hangs up; see `serving`."""

    def __init__(self, vendor: Asgi) -> None:
        self._vendor = vendor
        self.faults = Faults()
        self.requests: deque[Received] = deque(maxlen=REMEMBERED)
        self._late: set[asyncio.Task[None]] = set()

    @property
    def late(self) -> bool:
        """Whether work whose answer was lost is still to come."""
        return bool(self._late)

    def reset(self) -> None:
        """Forget faults, requests and work that was still to come."""
        self.faults.replace([])
        self.requests.clear()
        self._give_up()

    async def close(self) -> None:
        """End what is still to come."""
        self._give_up()
        await asyncio.gather(*self._late, return_exceptions=True)

    def _give_up(self) -> None:
        for task in self._late:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._vendor(scope, receive, send)
            return
        body = await whole_body(receive)
        record = received(scope["method"], scope["path"], scope["query_string"].decode(), body)
        self.requests.append(record)
        fault = self.faults.take(record.method, record.path)
        answer = await self._play(fault, scope, body)
        record.outcome = fault.mode.value if fault is not None and answer is None else str(answer and answer.status)
        if answer is not None:
            await answer.send(send)

    async def _play(self, fault: Fault | None, scope: Scope, body: bytes) -> Answer | None:
        """What becomes of a request; None is to hang up."""
        match fault:
            case Fault(mode=Mode.STATUS, status=status):
                return _refusal(status)
            case Fault(mode=Mode.RATE_LIMIT, delay_ms=wait):
                return json_answer(429, {"message": WORDS[429]}, retry_after=str(max(1, ceil(wait / 1000))))
            case Fault(mode=Mode.DROP_BEFORE):
                return None
            case Fault(mode=Mode.LATE, delay_ms=wait):
                self._later(scope, body, wait / 1000)
                return None
            case Fault(mode=Mode.DELAY, delay_ms=wait):
                await asyncio.sleep(wait / 1000)
                return await self._answer(scope, body)
            case Fault(mode=Mode.DROP_AFTER):
                await self._answer(scope, body)
                return None
            case Fault(mode=Mode.MALFORMED):
                answer = await self._answer(scope, body)
                return Answer(answer.status, [(b"content-type", b"application/json")], NOT_JSON)
            case _:
                return await self._answer(scope, body)

    async def _answer(self, scope: Scope, body: bytes) -> Answer:
        answer = Answer()
        await self._vendor(scope, replay(body), answer.collect)
        return answer

    def _later(self, scope: Scope, body: bytes, seconds: float) -> None:
        async def work() -> None:
            await asyncio.sleep(seconds)
            await self._answer(scope, body)

        task = asyncio.get_running_loop().create_task(work())
        self._late.add(task)
        task.add_done_callback(self._late.discard)


def _refusal(status: int) -> Answer:
    """A status in the shape that the vendor would use: none for 401, a proxy's page for 502 and 504."""
    if status == 401:  # noqa: PLR2004  without JSON, as the vendor's
        return Answer(status, [(b"content-type", b"text/plain")], b"401 Unauthorized")
    if status in {502, 504}:
        return Answer(status, [(b"content-type", b"text/html")], b"<html><h1>Bad Gateway</h1></html>")
    if 300 <= status < 400:  # noqa: PLR2004  redirects
        return Answer(status, [(b"location", b"http://192.0.2.1/elsewhere")])
    return json_answer(status, {"errors": [WORDS.get(status, "Error")]})
