"""Processes asked to end: what runs is finished, open streams end at once, and nothing keeps them longer."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from hostwright.servers.records import ActionState
from tests.stack.panel import Panel
from tests.support.stack import until

STREAMS = 20


@pytest.mark.long
async def test_a_web_process_ends_within_five_seconds_with_open_streams_and_finishes_its_requests(
    lonely: Panel,
) -> None:
    await lonely.start(webs=1)
    web = lonely.webs[0]
    browsers = [await lonely.browser(lonely.owner) for _ in range(STREAMS)]
    streams = [await lonely.live(browser) for browser in browsers]
    assert [(stream.status, stream.goes_on) for stream in streams] == [(200, True)] * STREAMS
    program = await lonely.program(lonely.owner)
    server_id = await lonely.server_id(lonely.fresh())
    lonely.vendor.faults([{"mode": "delay", "path": "/traffic$", "delayMs": 1500}])
    slow = asyncio.create_task(program.get(f"/api/user/servers/{server_id}/traffic"))

    async def under_way() -> bool:
        return bool(lonely.vendor.requests("/traffic"))

    await until(under_way)
    began = time.monotonic()
    assert await web.stop() == 0
    assert time.monotonic() - began < 5
    answer = await slow
    assert (answer.status_code, len(answer.json()["periods"]) > 0) == (200, True)
    for stream in streams:
        await stream.end()
    with pytest.raises(httpx.ConnectError):
        await program.get("/health/live")
    assert "Traceback" not in web.said


@pytest.mark.long
async def test_a_worker_that_ends_in_the_middle_of_actions_leaves_them_to_the_next(lonely: Panel) -> None:
    await lonely.start(webs=1, workers=1)
    program = await lonely.program(lonely.owner)
    lonely.vendor.forget()
    lonely.vendor.faults([{"mode": "delay", "method": "POST", "delayMs": 1000}])
    servers = [lonely.fresh() for _ in range(3)]
    asked = [await program.post(f"/api/user/servers/{await lonely.server_id(one)}/power/restart") for one in servers]

    async def received() -> bool:
        return len(lonely.vendor.requests("/power/")) == 3

    await until(received)
    began = time.monotonic()
    assert await lonely.workers[0].stop() == 0
    assert time.monotonic() - began < 6
    assert "Traceback" not in lonely.workers[0].said
    await lonely.start(workers=1)
    ended = [await lonely.ended(one.json()["id"]) for one in asked]
    assert [one.state for one in ended] == [ActionState.SUCCEEDED] * 3
    assert [lonely.sent(one, "restart") for one in servers] == [1] * 3
