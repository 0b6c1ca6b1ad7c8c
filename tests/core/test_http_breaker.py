"""The circuit breaker: a vendor that gives no sensible answer is left alone, then tried by one call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from hostwright.core.http import Breaker
from hostwright.core.providers import Ambiguous, Gone, Refused, Transient
from tests.support.http_client import Bench, HandPace, client_of
from tests.support.raw_server import Reply, raw_server

BROKEN = Reply(status=500)


@pytest.fixture
async def bench() -> AsyncGenerator[Bench]:
    hand = HandPace()
    async with raw_server() as server, client_of(server.url, hand, attempts=1) as client:
        yield Bench(server, client, hand)


async def fail(bench: Bench, times: int) -> None:
    bench.server.usual = BROKEN
    for _ in range(times):
        with pytest.raises(Transient):
            await bench.client.read()


async def test_after_five_failures_nothing_is_sent(bench: Bench):
    await fail(bench, 5)
    bench.server.usual = Reply()
    with pytest.raises(Transient, match="left alone for now") as caught:
        await bench.client.write()
    assert caught.value.retry_after == 5.0
    with pytest.raises(Transient):
        await bench.client.read()
    assert bench.asked == 5


async def test_four_failures_and_an_answer_begin_anew(bench: Bench):
    await fail(bench, 4)
    bench.server.usual = Reply()
    await bench.client.read()
    await fail(bench, 4)
    bench.server.usual = Reply()
    assert await bench.client.read() == 1


async def test_lost_writes_count_too(bench: Bench):
    bench.server.usual = BROKEN
    for _ in range(5):
        with pytest.raises(Ambiguous):
            await bench.client.write()
    with pytest.raises(Transient):
        await bench.client.write()
    assert bench.asked == 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 423, 429])
async def test_a_vendor_that_answers_is_well(bench: Bench, status: int):
    bench.server.usual = Reply(status=status)
    for _ in range(8):
        with pytest.raises((Refused, Gone, Transient)):
            await bench.client.read()
    assert bench.asked == 8


async def test_after_a_rest_one_call_tries_and_closes_the_circuit(bench: Bench):
    await fail(bench, 5)
    bench.hand.time += 5.0
    bench.server.usual = Reply(wait=0.2)
    probe = asyncio.create_task(bench.client.read())
    while bench.asked < 6:
        await asyncio.sleep(0.005)
    with pytest.raises(Transient):
        await bench.client.read()
    assert await probe == 1
    bench.server.usual = Reply()
    assert await bench.client.read() == 1
    assert bench.asked == 7


async def test_a_failing_try_makes_the_rest_longer(bench: Bench):
    await fail(bench, 5)
    rests: list[float | None] = []
    for _ in range(6):
        with pytest.raises(Transient) as caught:
            await bench.client.read()
        rests.append(caught.value.retry_after)
        bench.hand.time += caught.value.retry_after or 0.0
        await fail(bench, 1)
    assert rests == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


async def test_a_cancelled_try_leaves_room_for_the_next(bench: Bench):
    await fail(bench, 5)
    bench.hand.time += 5.0
    bench.server.usual = Reply(wait=30)
    probe = asyncio.create_task(bench.client.read())
    while bench.asked < 6:
        await asyncio.sleep(0.005)
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    bench.server.usual = Reply()
    assert await bench.client.read() == 1


async def test_attempts_of_one_call_count_each():
    hand = HandPace()
    async with raw_server() as server, client_of(server.url, hand) as client:
        server.usual = BROKEN
        with pytest.raises(Transient):
            await client.read()
        with pytest.raises(Transient, match="left alone"):
            await client.read()
        assert len(server.requests) == 5


def test_failures_of_calls_already_under_way_do_not_lengthen_the_rest():
    breaker = Breaker(lambda: 0.0)
    opened = [breaker.failed() for _ in range(9)]
    assert opened == [False] * 4 + [True] + [False] * 4
    assert breaker.enter() == 5.0
    assert breaker.succeeded()
    assert breaker.enter() is None
