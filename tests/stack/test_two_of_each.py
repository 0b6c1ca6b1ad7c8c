"""Two web processes and two workers on one database: everything once, and everybody sees it."""

from __future__ import annotations

import asyncio

import pytest

from hostwright.core.db import Scalar
from tests.stack.panel import FIRST_USER, MANY, Panel, log_lines, unfinished
from tests.support.stack import until

action_states = Scalar(str, "select kind || ':' || state from server_actions where id = any($1::bigint[])")
still_busy = Scalar(int, "select count(*) from servers where id = any($1::bigint[]) and busy")
line_count = Scalar(int, "select count(*) from server_log where server_id = any($1::bigint[]) and action = $2")


async def test_forty_servers_switched_off_at_once_are_each_switched_off_once(panel: Panel) -> None:
    programs = [await panel.program(panel.owner, web=number % 2) for number in range(4)]
    many = [one for one in panel.vendor.world.listed if one.name.startswith(MANY)]
    assert len(many) == 40
    server_ids = [await panel.server_id(one.id) for one in many]

    paths = [f"/api/user/servers/{server_id}/power/poweroff" for server_id in server_ids]
    asked = await asyncio.gather(*(programs[n % 4].post(path) for n, path in enumerate(paths)))
    assert [one.status_code for one in asked] == [202] * 40
    action_ids = [one.json()["id"] for one in asked]
    assert len(set(action_ids)) == 40

    async def over() -> bool:
        return await panel.value(unfinished) == 0

    await until(over)
    assert await panel.values(action_states, action_ids) == ["poweroff:succeeded"] * 40
    assert [panel.sent(one.id, "poweroff") for one in many] == [1] * 40
    assert len(panel.vendor.requests("/power/")) == 40
    assert await panel.value(line_count, server_ids, "poweroff") == 40
    assert await panel.value(line_count, server_ids, "stopped") == 0  # the panel did it, nobody outside
    assert await panel.value(still_busy, server_ids) == 0
    for program in programs[:2]:
        stopped = (await program.get("/api/user/servers", params={"power": "stopped", "search": MANY})).json()
        assert stopped["pagination"]["total"] == 40


async def test_a_change_made_in_one_web_process_arrives_in_a_page_of_the_other(panel: Panel) -> None:
    external_id = panel.fresh()
    server_id = await panel.server_id(external_id)
    mine = await panel.live(await panel.browser(panel.owner, web=1))
    staffs = await panel.live(await panel.browser(panel.staff, web=1))
    others = await panel.live(await panel.browser(panel.stranger, web=1))
    program = await panel.program(panel.owner, web=0)
    asked = await program.post(f"/api/user/servers/{server_id}/power/restart")
    assert asked.status_code == 202

    state = f'<hx-partial hx-target="#state-{server_id}"'
    for stream in (mine, staffs):
        await stream.heard(state, 'data-s="busy"', "Restarting")
        await stream.heard(state, 'data-s="running"', "Restart: done")
    assert (await panel.ended(asked.json()["id"])).state == "succeeded"
    assert str(server_id) not in others.text
    assert others.goes_on


@pytest.mark.long
async def test_changes_behind_the_panels_back_arrive_in_open_pages(panel: Panel) -> None:
    external_id = panel.fresh()
    server_id = await panel.server_id(external_id)
    browser = await panel.browser(panel.owner, web=1)
    stream = await panel.live(browser)
    assert (await browser.get(f"/servers/{server_id}")).status_code == 200  # somebody looks at it
    new = panel.vendor.world.add(FIRST_USER, "out-of-nowhere")
    panel.vendor.world.servers[external_id].running = False

    await stream.heard(f"#state-{server_id}", 'data-s="stopped"', seconds=90)
    assert (await panel.values(log_lines, server_id))[-1] == "stopped:success"
    row = await browser.get("/api/user/servers", params={"search": "out-of-nowhere"})

    async def found() -> bool:
        nonlocal row
        row = await browser.get("/api/user/servers", params={"search": "out-of-nowhere"})
        return row.json()["pagination"]["total"] == 1

    await until(found, 90, pause=0.5)
    assert row.json()["items"][0]["name"] == new.name
    assert str(row.json()["items"][0]["id"]) in stream.text
