"""Events: in order within (subscriber, stream key), also under failure."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from hostwright.core.db import Database, Scalar
from hostwright.core.events import DELIVER, Event, emit, event_name, on
from hostwright.core.jobs import Retry, Work, WorkPart
from hostwright.core.paging import Page
from hostwright.core.queue import JobState, list_jobs, replay
from hostwright.core.work import Worker

open_deliveries = Scalar(
    int,
    """
    select (select count(*) from event_deliveries where state = 'pending')
        + (select count(*) from events where dispatched_at is null)
        + (select count(*) from pgqueuer where entrypoint like 'events.%')
    """,
)


class Happened(Event, frozen=True):
    stream: str
    number: int

    @property
    def stream_key(self) -> str:
        return self.stream


class Other(Event, frozen=True):
    number: int


@asynccontextmanager
async def working(database: Database, part: WorkPart) -> AsyncGenerator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(Worker(database, [part]).run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 8)


async def all_delivered(database: Database, seconds: float = 8) -> None:
    async with asyncio.timeout(seconds):
        while True:
            async with database.acquire() as db:
                if await open_deliveries.value(db) == 0:
                    return
            await asyncio.sleep(0.03)


async def send(database: Database, *events: Event) -> None:
    async with database.transaction() as tx:
        await emit(tx, *events)


def test_names() -> None:
    from hostwright.identity.events import UserRegistered  # noqa: PLC0415

    assert event_name(UserRegistered) == "identity.UserRegistered"
    assert Other(1).stream_key == "Other"


async def test_a_rollback_announces_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as tx:
            await emit(tx, Other(1))
            raise ZeroDivisionError
    async with database.acquire() as db:
        assert await open_deliveries.value(db) == 0


async def test_each_subscriber_gets_its_events_once(database: Database) -> None:
    seen: list[tuple[str, int]] = []

    async def first(work: Work, event: Other) -> None:
        seen.append(("first", event.number))

    async def second(work: Work, event: Other) -> None:
        seen.append(("second", event.number))

    part = WorkPart(subscriptions=[on(Other, first), on(Other, second)])
    async with working(database, part):
        await send(database, Other(1), Happened("nobody listens", 1), Other(2))
        await all_delivered(database)
    assert sorted(seen) == [("first", 1), ("first", 2), ("second", 1), ("second", 2)]
    assert [number for name, number in seen if name == "first"] == [1, 2]


async def test_order_holds_under_failures_and_two_workers(database: Database) -> None:
    seen: defaultdict[str, list[int]] = defaultdict(list)
    chance = random.Random(5)
    running: set[str] = set()

    async def handler(work: Work, event: Happened) -> None:
        assert event.stream not in running, "two of one stream at once"
        running.add(event.stream)
        await asyncio.sleep(0.002)
        running.discard(event.stream)
        if chance.random() < 0.2:
            raise Retry(0.01, "once more")
        seen[event.stream].append(event.number)

    part = WorkPart(subscriptions=[on(Happened, handler)])
    async with working(database, part), working(database, part):
        for number in range(15):
            await send(database, *(Happened(stream, number) for stream in "abc"))
        await all_delivered(database, 20)
    assert dict(seen) == {stream: list(range(15)) for stream in "abc"}


async def test_a_failing_stream_holds_up_nobody_else(database: Database) -> None:
    seen: list[tuple[str, int]] = []
    broken = True

    async def handler(work: Work, event: Happened) -> None:
        if broken and event.stream == "bad" and event.number == 1:
            raise Retry(0.1, "broken")
        seen.append((event.stream, event.number))

    part = WorkPart(subscriptions=[on(Happened, handler)])
    async with working(database, part):
        await send(database, Happened("bad", 1), Happened("bad", 2), Happened("good", 1), Happened("good", 2))
        for _ in range(250):
            if len(seen) == 2:
                break
            await asyncio.sleep(0.02)
        assert seen == [("good", 1), ("good", 2)]
        broken = False
        await all_delivered(database)
    assert seen[2:] == [("bad", 1), ("bad", 2)]


async def test_after_the_last_attempt_the_stream_goes_on(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DELIVER, "max_attempts", 2)
    seen: list[int] = []
    broken = True

    async def handler(work: Work, event: Happened) -> None:
        if broken and event.number == 1:
            raise Retry(0.01, "never")
        seen.append(event.number)

    async with working(database, WorkPart(subscriptions=[on(Happened, handler)])):
        await send(database, Happened("s", 1), Happened("s", 2), Happened("s", 3))
        await all_delivered(database)
        assert seen == [2, 3]
        async with database.transaction() as tx:
            dead = await list_jobs(tx, JobState.DEAD, Page())
            assert [(job.name, job.error) for job in dead] == [("events.deliver", "never")]
            broken = False
            await replay(tx, dead[0].id)
        await all_delivered(database)
    assert seen == [2, 3, 1]
