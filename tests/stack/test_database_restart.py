"""PostgreSQL stopped and started under load: clear answers meanwhile, everything back afterwards, nothing lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import httpx
import pytest

from hostwright.cli.postgres import Server
from hostwright.core.db import Scalar
from hostwright.core.migrations import migrate
from hostwright.core.queue import job_counts
from hostwright.servers.records import ActionState
from hostwright.upstream.virtfusion.simulator import World
from hostwright.upstream.virtfusion.simulator.facts import ServerFact
from tests.stack.panel import FIRST_USER, MANY, PLAN, Panel, log_lines, running_panel
from tests.support import databases
from tests.support.app import refused
from tests.support.postgres import throwaway_server
from tests.support.stack import until

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]
SERVERS = 24

all_actions = Scalar(int, "select count(*) from server_actions")


@pytest.fixture
async def own_server(tmp_path: Path) -> AsyncIterator[tuple[Server, Panel]]:
    """A PostgreSQL that may be stopped, and a company on it with two webs and two workers."""
    world = World(PLAN)
    for number in range(SERVERS):
        world.add(FIRST_USER, f"{MANY}{number:02}")
    with throwaway_server() as server:
        server.sql(databases.ROLES)
        server.sql(f"create database restarted owner {databases.OWNER}")
        dsn = server.dsn(databases.OWNER, "restarted")
        await migrate(dsn, databases.APP_ROLE)
        async with running_panel(dsn, tmp_path, world=world) as panel:
            await panel.mirror()
            await panel.start(webs=2, workers=2)
            yield server, panel


class Load:
    """Requests that go on whatever happens, each answer counted."""

    def __init__(self, clients: list[httpx.AsyncClient], path: str) -> None:
        self.answers: Counter[int] = Counter()
        self.codes: Counter[str] = Counter()
        self._clients = clients
        self._path = path
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._ask(client)) for client in self._clients]
        return self

    async def _ask(self, client: httpx.AsyncClient) -> None:
        while True:
            answer = await client.get(self._path)
            self.answers[answer.status_code] += 1
            if answer.status_code != 200:
                error = refused(answer, 503, "database_busy")
                assert int(answer.headers["retry-after"]) >= 1
                self.codes[error["code"]] += 1
            await asyncio.sleep(0.02)

    async def __aexit__(self, *error: object) -> None:
        for task in self._tasks:
            if task.done():
                task.result()  # an answer in another shape
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Switching:
    """The owner switches many servers off, through both web processes in turn."""

    def __init__(self, panel: Panel, programs: list[httpx.AsyncClient], server_ids: list[int]) -> None:
        self.panel = panel
        self.programs = programs
        self.server_ids = server_ids
        self.accepted: list[int] = []

    async def off(self, numbers: range) -> int:
        """How many of them were accepted; the others were refused as they should be."""
        paths = [f"/api/user/servers/{self.server_ids[number]}/power/poweroff" for number in numbers]
        answers = await asyncio.gather(*(self.programs[n % 2].post(path) for n, path in enumerate(paths)))
        for answer in answers:
            if answer.status_code != 202:
                refused(answer, 503, "database_busy")
        made = [answer.json()["id"] for answer in answers if answer.status_code == 202]
        self.accepted += made
        return len(made)

    async def check(self, many: list[ServerFact]) -> None:
        """Nothing was done twice, and what became of each is told as far as anybody can know.

        An action whose answer came while nothing could be written down was observed instead of sent again. One whose
        claim was the last thing that the database heard may not have been sent at all, which nobody can know.
        """
        ended = [await self.panel.ended(number, 150) for number in self.accepted]
        sent = [self.panel.sent(one.id, "poweroff") for one in many]
        assert sent[8:16] == [0] * 8
        found = dict(zip(self.accepted, sent[:8] + sent[16:], strict=True))
        assert {one.id: one.state for one in ended} == {
            number: ActionState.SUCCEEDED if times == 1 else ActionState.UNKNOWN for number, times in found.items()
        }
        assert set(sent) == {0, 1}
        assert sum(sent) >= 14
        assert await self.panel.value(all_actions) == 16


async def all_is_well(panel: Panel, programs: list[httpx.AsyncClient]) -> None:
    """Every process is alive and ready, and no job is left."""
    assert [one.alive for one in panel.stack.programs] == [True] * 4

    async def ready() -> bool:
        answers = [await program.get("/health/ready") for program in programs]
        return [answer.status_code for answer in answers] == [200, 200]

    async def quiet() -> bool:
        async with panel.database.acquire() as db:
            counts = await job_counts(db)
        return (counts.running, counts.dead) == (0, 0)

    await until(ready)
    await until(quiet)


async def test_a_restart_of_the_database_under_load(own_server: tuple[Server, Panel]) -> None:
    server, panel = own_server
    programs = [await panel.program(panel.owner, web=web) for web in (0, 1)]
    browsers = [await panel.browser(panel.owner, web=web) for web in (0, 1)]
    streams = [await panel.live(browser) for browser in browsers]
    many = [one for one in panel.vendor.world.listed if one.name.startswith(MANY)]
    switching = Switching(panel, programs, [await panel.server_id(one.id) for one in many])
    panel.vendor.forget()
    panel.vendor.faults([{"mode": "delay", "method": "POST", "delayMs": 300}])

    async with Load(browsers, "/api/user/servers") as load:
        assert await switching.off(range(8)) == 8
        server.stop()
        during = await switching.off(range(8, 16))

        async def refusing() -> bool:
            return load.answers[503] >= 4

        await until(refusing)
        assert during == 0
        server.start()
        load.answers.clear()

        async def answering() -> bool:
            return load.answers[200] >= 20

        await until(answering)
        assert await switching.off(range(16, 24)) == 8
        await switching.check(many)
    assert set(load.codes) == {"database_busy"}
    for stream in streams:
        await stream.heard('id="live-resync"')
        assert stream.goes_on
        await stream.heard(f"#state-{switching.server_ids[23]}", 'data-s="stopped"')
    await all_is_well(panel, programs)
    assert (await panel.values(log_lines, switching.server_ids[0]))[-1] == "poweroff:success"
