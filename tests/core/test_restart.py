"""The database is restarted under a worker, a hub and a web process: all come back by themselves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

import msgspec
import pytest

from hostwright import __version__
from hostwright.cli.postgres import Server
from hostwright.core.db import Database, create_database
from hostwright.core.errors import Unavailable
from hostwright.core.events import Event, emit, on
from hostwright.core.jobs import Job, Work, WorkPart, enqueue, every, runs
from hostwright.core.live import RESYNC, Hub, publish
from hostwright.core.presence import heartbeat
from hostwright.core.work import Worker
from tests.support import databases
from tests.support.app import Makers, client_of, config_of, quick_app, refused, running, signed_in
from tests.support.postgres import make_template, throwaway_server
from tests.support.rows import until

pytestmark = pytest.mark.long


class Number(msgspec.Struct, frozen=True):
    number: int


class Told(Event, frozen=True):
    number: int


JOB = Job("tests.job", Number)
SLOW = Job("tests.slow", Number)
TICK = Job("tests.tick", Number)


@pytest.fixture
def own_server() -> Iterator[Server]:
    with throwaway_server() as found:
        found.sql(databases.ROLES)
        yield found


@pytest.fixture
async def dsn(own_server: Server) -> str:
    cluster = own_server.dsn(databases.OWNER, "name").replace("/name?", "/{name}?")
    template = await asyncio.to_thread(make_template, cluster, databases.APP_ROLE, databases.OWNER)
    return cluster.format(name=await databases.copy_of(cluster, template))


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    found = await create_database(databases.as_app(dsn), max_size=12)
    yield found
    await found.close()


async def put(database: Database, job: Job[Number], number: int) -> None:
    async with database.transaction() as tx:
        await enqueue(tx, job, Number(number))


async def patiently(database: Database, job: Job[Number], number: int) -> None:
    """Put it as soon as the database takes it."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await put(database, job, number)
            except (Unavailable, OSError):
                await asyncio.sleep(0.05)


class Recorder:
    """What a worker did. A slow job is in the middle of its work for a second."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.slow: list[str] = []
        self.ticks = 0
        self.told: list[int] = []

    async def do(self, work: Work, payload: Number) -> None:
        self.seen.append(payload.number)

    async def do_slowly(self, work: Work, payload: Number) -> None:
        self.slow.append(f"begin {payload.number}")
        await asyncio.sleep(1)
        async with work.database.transaction() as tx:
            await tx.fetch("select 1")
        self.slow.append(f"end {payload.number}")

    async def tick(self, work: Work, payload: Number) -> None:
        self.ticks += 1

    async def tell(self, work: Work, event: Told) -> None:
        self.told.append(event.number)

    def part(self) -> WorkPart:
        return WorkPart(
            bindings=[runs(JOB, self.do), runs(SLOW, self.do_slowly), runs(TICK, self.tick)],
            schedules=[every("* * * * * *", TICK, Number(0))],
            subscriptions=[on(Told, self.tell)],
        )


async def soon(check: Callable[[], bool]) -> None:
    await until(check, 20)


async def test_a_worker_comes_back_with_its_jobs_schedules_and_events(own_server: Server, database: Database) -> None:
    """As the application's role, which is all that a worker has."""
    recorder = Recorder()
    stop = asyncio.Event()
    worker = Worker(database, [recorder.part()])
    task = asyncio.create_task(worker.run(stop))
    await put(database, JOB, 1)
    await put(database, SLOW, 1)
    await soon(lambda: recorder.seen == [1] and recorder.ticks > 0 and recorder.slow == ["begin 1"])

    await asyncio.to_thread(own_server.stop)
    await soon(lambda: not worker.ready.is_set())
    with pytest.raises(Unavailable):
        await put(database, JOB, 99)
    await asyncio.sleep(0.5)
    ticks = recorder.ticks
    await asyncio.to_thread(own_server.start)

    await asyncio.wait_for(worker.ready.wait(), 20)
    await patiently(database, JOB, 2)
    async with database.transaction() as tx:
        await emit(tx, Told(7))
    await soon(lambda: recorder.seen == [1, 2] and recorder.ticks > ticks and recorder.told == [7])
    await soon(lambda: recorder.slow[-1] == "end 1")
    assert 99 not in recorder.seen
    quickest = 20.0
    for number in (3, 4, 5):
        began = time.monotonic()
        await put(database, JOB, number)
        await soon(lambda number=number: number in recorder.seen)
        quickest = min(quickest, time.monotonic() - began)
    assert quickest < 0.3, "it listens again, it does not only poll"
    stop.set()
    await asyncio.wait_for(task, 10)
    async with database.acquire() as db:
        left = await db.fetch("select 1 from pgqueuer where entrypoint in ('tests.job', 'tests.slow')")
        assert left == []
        assert await db.fetch("select 1 from dead_jobs") == []


async def test_open_streams_come_back_and_load_anew(own_server: Server, database: Database) -> None:
    hub = Hub(database.connect)
    hub.start()
    await asyncio.wait_for(hub.listening.wait(), 10)
    stream = hub.subscribe("staff")
    first = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    await asyncio.to_thread(own_server.stop)
    await soon(lambda: not hub.listening.is_set())
    await asyncio.to_thread(own_server.start)
    assert await asyncio.wait_for(first, 20) == RESYNC
    async with database.transaction() as tx:
        await publish(tx, "staff", "server:1")
    assert await asyncio.wait_for(anext(stream), 10) == "server:1"
    await stream.aclose()
    await hub.stop()


async def test_a_web_process_says_that_it_is_not_ready_and_comes_back(own_server: Server, dsn: str) -> None:
    owner_pool = await create_database(dsn)
    makers = Makers(owner_pool)
    person = await makers.user("ada")
    app = quick_app(config_of(dsn))
    async with running(app), heartbeat(owner_pool, "worker", __version__), client_of(app) as nobody:
        ada = await signed_in(app, owner_pool, person)
        assert (await ada.get("/api/user")).status_code == 200
        assert (await nobody.get("/health/ready")).status_code == 200

        await asyncio.to_thread(own_server.stop)
        assert (await nobody.get("/health/live")).status_code == 200
        assert (await nobody.get("/health/ready")).status_code == 503
        answer = await ada.get("/api/user")
        refused(answer, 503, "database_busy")
        assert answer.headers["retry-after"] == "5"
        page = await ada.get("/servers")
        assert (page.status_code, "We are busy" in page.text) == (503, True)

        await asyncio.to_thread(own_server.start)
        assert (await ada.get("/api/user")).status_code == 200
        assert (await ada.get("/servers")).status_code == 200

        async def ready() -> bool:
            return (await nobody.get("/health/ready")).status_code == 200

        await until(ready, 20)
        await ada.aclose()
    makers.close()
    await owner_pool.close()
