"""Consoles of real web processes: one that stops says so at once, and the next one shows the screen again."""

from __future__ import annotations

import asyncio
import time

import pytest

from hostwright.core.db import Scalar
from tests.stack.consoles import watching
from tests.stack.panel import Panel
from tests.support.stack import until

relays = Scalar(int, "select count(*) from console_relays")
log_lines = Scalar(str, "select action from server_log where server_id = $1 and action_type = 'vnc' order by id")


async def types(panel: Panel, external_id: int, text: str) -> bool:
    return panel.vendor.screens.of(panel.vendor.world.servers[external_id]).terminal.lines[-1].endswith(text)


@pytest.mark.long
@pytest.mark.parametrize("wss", [True, False], ids=["wss", "tcp"])
async def test_a_process_that_stops_closes_with_1012_and_another_goes_on(lonely: Panel, *, wss: bool) -> None:
    lonely.vendor.screens.with_wss = wss
    await lonely.start(webs=2)
    external_id = lonely.fresh()
    server_id = await lonely.server_id(external_id)
    first, second = await lonely.browser(lonely.owner), await lonely.browser(lonely.owner, web=1)
    async with watching(first, server_id) as (socket, viewer):
        await viewer.picture()
        began = time.monotonic()
        stopping = asyncio.ensure_future(lonely.webs[0].stop())
        assert await socket.end() == 1012
        assert time.monotonic() - began < 2
        assert await stopping == 0
    assert time.monotonic() - began < 5
    assert "Traceback" not in lonely.webs[0].said
    assert await lonely.value(relays) == 0
    async with watching(second, server_id) as (_, viewer):
        assert len(await viewer.picture()) == 960 * 450 * 4
        await until(lambda: types(lonely, external_id, "login: "))
        await viewer.type("hello")
        await until(lambda: types(lonely, external_id, "login: hello"))
    assert await lonely.values(log_lines, server_id) == ["vnc_connect", "vnc_disconnect"] * 2


@pytest.mark.long
async def test_a_process_that_is_killed_leaves_a_row_that_soon_counts_no_more(lonely: Panel) -> None:
    await lonely.start(webs=2)
    server_id = await lonely.server_id(lonely.fresh())
    first, second = await lonely.browser(lonely.owner), await lonely.browser(lonely.owner, web=1)
    async with watching(first, server_id) as (socket, _):
        await lonely.webs[0].kill()
        assert await socket.end() == 1006
    assert await lonely.value(relays) == 1
    async with watching(second, server_id) as (_, viewer):
        assert len(await viewer.picture()) == 960 * 450 * 4
        assert await lonely.value(relays) == 2
