"""Two web copies behind a balancer, each stopped and started anew under load: no request fails, streams come back."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest

from tests.stack.balancer import Balancer, balancing
from tests.stack.panel import Panel
from tests.support.stack import Web, until

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

DELAY: Final = 3
CALLERS: Final = 6
PATHS: Final = ("/servers", "/api/user/servers", "/api/user", "/account/sessions")


class Load:
    """People who go on asking over kept connections. ``answers`` counts what they got, failures included."""

    def __init__(self, people: list[httpx.AsyncClient]) -> None:
        self.people = people
        self.answers: Counter[str] = Counter()
        self.told_to_leave = 0
        self.going = True

    async def ask(self, person: httpx.AsyncClient, first: int) -> None:
        turn = first
        while self.going:
            turn += 1
            try:
                answer = await person.get(PATHS[turn % len(PATHS)])
            except httpx.TransportError as error:
                self.answers[type(error).__name__] += 1
                continue
            self.answers[str(answer.status_code)] += 1
            self.told_to_leave += answer.headers.get("connection") == "close"
            await asyncio.sleep(0.02)

    async def write(self, person: httpx.AsyncClient) -> None:
        """Writes, which nobody may repeat: a session is ended that does not exist."""
        while self.going:
            try:
                answer = await person.post("/account/sessions/999999999/revoke")
            except httpx.TransportError as error:
                self.answers[f"write {type(error).__name__}"] += 1
                continue
            self.answers[f"write {answer.status_code}"] += 1
            await asyncio.sleep(0.05)

    @property
    def total(self) -> int:
        return sum(self.answers.values())

    async def more(self, number: int) -> None:
        """Wait until so many more were answered."""
        wanted = self.total + number

        async def reached() -> bool:
            return self.total >= wanted

        await until(reached)


class Stream:
    """A page's event stream, opened again whenever it ends, as browsers do."""

    def __init__(self, person: httpx.AsyncClient) -> None:
        self.person = person
        self.opened = 0
        self.broken = 0
        self.text = ""

    async def read(self) -> None:
        while True:
            try:
                async with self.person.stream("GET", "/events", timeout=httpx.Timeout(10, read=40)) as answer:
                    assert answer.status_code == 200
                    self.opened += 1
                    async for part in answer.aiter_text():
                        self.text += part
            except httpx.TransportError:
                self.broken += 1
            await asyncio.sleep(0.1)


async def anew(panel: Panel, web: Web) -> Web:
    """The same copy again, on the same port."""
    port = str(urlsplit(web.url).port)
    started = await panel.stack.web(port, SHUTDOWN_DELAY_SECONDS=str(DELAY))
    assert started.url == web.url
    return started


async def roll(panel: Panel, balancer: Balancer, load: Load, web: Web) -> Web:
    """Stop one copy and start it anew, as an operator does in an upgrade."""
    began = time.monotonic()
    web.process.terminate()

    async def left_out() -> bool:
        return web.url not in balancer.ready

    await until(left_out, 10)
    assert web.alive, "it still answers what was on its way"
    assert await web.ended(DELAY + 6) == 0
    assert time.monotonic() - began >= DELAY
    assert "Traceback" not in web.said
    await load.more(40)
    started = await anew(panel, web)

    async def taken_up() -> bool:
        return web.url in balancer.ready

    await until(taken_up)
    await load.more(40)
    return started


async def test_a_rolling_restart_of_two_copies_loses_no_request(lonely: Panel) -> None:
    await lonely.start(workers=1)
    webs = [await lonely.stack.web(SHUTDOWN_DELAY_SECONDS=str(DELAY)) for _ in range(2)]
    lonely.webs += webs
    async with balancing([web.url for web in webs]) as balancer:
        people = [await lonely.browser(lonely.owner) for _ in range(CALLERS + 2)]
        for person in people:
            person.base_url = httpx.URL(balancer.url)
        load, stream = Load(people), Stream(people[-1])
        tasks = [asyncio.create_task(load.ask(person, number)) for number, person in enumerate(people[:CALLERS])]
        tasks += [asyncio.create_task(load.write(people[CALLERS])), asyncio.create_task(stream.read())]
        try:
            await load.more(100)
            assert stream.opened == 1
            for web in webs:
                await roll(lonely, balancer, load, web)
            await load.more(100)
        finally:
            load.going = False
            await asyncio.gather(*tasks[:-1])
            tasks[-1].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        # Not one failed, and every kept connection was told to go elsewhere before its copy went.
        assert set(load.answers) == {"200", "write 404"}, load.answers
        assert load.told_to_leave > 0
        assert min(balancer.used.values()) > CALLERS
        # The stream's copy was stopped at least once: it was ended properly, and came back.
        assert stream.opened >= 2
        assert stream.broken == 0
        assert ": hello" in stream.text


async def test_a_copy_that_is_to_stop_says_so_first(lonely: Panel) -> None:
    await lonely.start(workers=1)
    web = await lonely.stack.web(SHUTDOWN_DELAY_SECONDS=str(DELAY))
    async with httpx.AsyncClient(base_url=web.url, trust_env=False) as client:

        async def ready() -> bool:
            return (await client.get("/health/ready")).status_code == 200

        await until(ready)
        web.process.terminate()

        async def told() -> bool:
            return (await client.get("/health/ready")).status_code == 503

        await until(told, DELAY)
        answer = await client.get("/health/ready")
        assert answer.json()["checks"] == [
            {"name": "process", "ok": False, "message": "was told to stop, and still answers for a moment"}
        ]
        page = await client.get("/sign-in")
        assert (page.status_code, page.headers["connection"]) == (200, "close")
        web.process.terminate()  # told twice: no sooner for that
        assert (await client.get("/health/live")).status_code == 200
    assert await web.ended(DELAY + 6) == 0


async def test_without_a_delay_a_copy_goes_at_once(lonely: Panel) -> None:
    await lonely.start(webs=1)
    began = time.monotonic()
    assert await lonely.webs[0].stop() == 0
    assert time.monotonic() - began < 5
