"""Live messages through a real LISTEN connection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, cast

import asyncpg
import pytest

from hostwright.core.db import Database, Scalar
from hostwright.core.live import QUEUE_SIZE, RESYNC, Hub, publish

SOON = 3.0
kill_listeners = Scalar(
    bool,
    """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and query ilike 'listen%' and pid <> pg_backend_pid()
    """,
)


@pytest.fixture
async def hub(database: Database) -> AsyncIterator[Hub]:
    found = Hub(database.connect)
    found.start()
    await asyncio.wait_for(found.listening.wait(), SOON)
    yield found
    await found.stop()


async def say(database: Database, topic: str, data: str) -> None:
    async with database.transaction() as tx:
        await publish(tx, topic, data)


async def subscribed(hub: Hub, *topics: str) -> tuple[Any, asyncio.Future[str]]:
    stream = hub.subscribe(*topics)
    first = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    return stream, first


async def test_messages_reach_their_topic_only(hub: Hub, database: Database) -> None:
    stream, first = await subscribed(hub, "customer:1", "session:5")
    await say(database, "customer:2", "server:9")
    await say(database, "customer:1", "server:1")
    await say(database, "session:5", "closed")
    assert await asyncio.wait_for(first, SOON) == "server:1"
    assert await asyncio.wait_for(anext(stream), SOON) == "closed"
    await stream.aclose()


async def test_a_rollback_tells_nobody(hub: Hub, database: Database) -> None:
    stream, first = await subscribed(hub, "staff")
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as tx:
            await publish(tx, "staff", "server:1")
            raise ZeroDivisionError
    await say(database, "staff", "server:2")
    assert await asyncio.wait_for(first, SOON) == "server:2"
    await stream.aclose()


async def test_too_large_is_an_error_at_the_caller(database: Database) -> None:
    async with database.transaction() as tx:
        with pytest.raises(ValueError, match="send ids"):
            await publish(tx, "staff", "x" * 7900)
        await publish(tx, "staff", "x" * 7890)


async def test_a_slow_reader_gets_resync(hub: Hub, database: Database) -> None:
    stream, first = await subscribed(hub, "staff")
    async with database.transaction() as tx:
        for number in range(QUEUE_SIZE * 2 + 10):
            await publish(tx, "staff", f"server:{number}")
    await asyncio.sleep(0.3)
    seen = [await first]
    while len(seen) < QUEUE_SIZE and RESYNC not in seen:
        seen.append(await asyncio.wait_for(anext(stream), SOON))
    assert RESYNC in seen
    await stream.aclose()


async def test_a_lost_connection_comes_back_with_resync(hub: Hub, database: Database) -> None:
    stream, first = await subscribed(hub, "staff")
    async with database.acquire() as db:
        assert any(await kill_listeners.all(db))
    assert await asyncio.wait_for(first, SOON) == RESYNC
    await say(database, "staff", "server:1")
    assert await asyncio.wait_for(anext(stream), SOON) == "server:1"
    await stream.aclose()


async def test_closing_ends_streams(database: Database) -> None:
    hub = Hub(cast("Any", database.connect))
    hub.start()
    stream, first = await subscribed(hub, "staff")
    await hub.stop()
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(first, SOON)
    assert [data async for data in hub.subscribe("staff")] == []
    await stream.aclose()


async def test_an_unreachable_database_is_tried_again() -> None:
    tries = 0

    async def connect() -> asyncpg.Connection[Any]:
        nonlocal tries
        tries += 1
        raise ConnectionRefusedError

    hub = Hub(connect)
    hub.start()
    await asyncio.sleep(0.5)
    await hub.stop()
    assert tries >= 2


async def test_whoever_read_before_a_message_and_subscribed_after_it_is_known(hub: Hub, database: Database) -> None:
    before = time.time()
    assert not hub.missed(["staff", "customer:1"], before)
    stream, first = await subscribed(hub, "customer:1")
    await say(database, "customer:1", "server:1")
    await asyncio.wait_for(first, SOON)
    assert hub.missed(["staff", "customer:1"], before)
    assert not hub.missed(["staff"], before)
    assert not hub.missed(["customer:1"], time.time())
    assert hub.missed(["staff"], before - 60), "nobody listened then"
    await stream.aclose()
