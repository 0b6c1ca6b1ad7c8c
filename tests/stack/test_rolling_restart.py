"""Two web copies behind a balancer, each stopped and started anew under load.

No request fails; streams and consoles come back.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest

from tests.stack.balancer import Balancer, balancing
from tests.stack.consoles import watching
from tests.stack.panel import Panel
from tests.support.stack import Web, until

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

DELAY: Final = 3
CALLERS: Final = 6
RECONNECT: Final = 5.0  # seconds; here it is asked for anew at once, in the page after a moment
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


class Screen:
    """Somebody in front of a server's console, who opens it again whenever it ends, as its page does."""

    def __init__(self, person: httpx.AsyncClient, server_id: int) -> None:
        self.person = person
        self.server_id = server_id
        self.codes: list[int | None] = []
        self.gaps: list[float] = []

    async def watch(self) -> None:
        ended: float | None = None
        while True:
            async with watching(self.person, self.server_id) as (socket, viewer):
                assert len(await viewer.picture()) == 960 * 450 * 4
                if ended is not None:
                    self.gaps.append(time.monotonic() - ended)
                self.codes.append(await socket.end())
            ended = time.monotonic()


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
        people = [await lonely.browser(lonely.owner) for _ in range(CALLERS + 3)]
        for person in people:
            person.base_url = httpx.URL(balancer.url)
        load, stream = Load(people), Stream(people[-1])
        screen = Screen(people[-2], await lonely.server_id(lonely.fresh()))
        tasks = [asyncio.create_task(load.ask(person, number)) for number, person in enumerate(people[:CALLERS])]
        tasks.append(asyncio.create_task(load.write(people[CALLERS])))
        lasting = [asyncio.create_task(stream.read()), asyncio.create_task(screen.watch())]
        try:
            await load.more(100)
            assert stream.opened == 1
            for web in webs:
                await roll(lonely, balancer, load, web)
            await load.more(100)
        finally:
            load.going = False
            await asyncio.gather(*tasks)
            for task in lasting:
                task.cancel()
            ends = await asyncio.gather(*lasting, return_exceptions=True)
        assert [type(end) for end in ends] == [asyncio.CancelledError] * 2, ends
        # Not one failed, and every kept connection was told to go elsewhere before its copy went.
        assert set(load.answers) == {"200", "write 404"}, load.answers
        assert load.told_to_leave > 0
        # At least the copy that showed the screen went, which said so, and the other one showed it within seconds.
        assert screen.codes, "its copy was stopped"
        assert set(screen.codes) == {1012}
        assert len(screen.gaps) == len(screen.codes)
        assert max(screen.gaps) < RECONNECT
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
