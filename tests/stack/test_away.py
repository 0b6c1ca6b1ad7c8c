"""VirtFusion away for a while: everything that was known is shown with its age, and nothing is taken for gone."""

from __future__ import annotations

from datetime import datetime

import pytest

from hostwright.core.providers import Power, PowerAction
from hostwright.servers.records import ActionState
from hostwright.upstream.virtfusion.simulator.facts import Work
from tests.stack.installation import Installation, Stands, run_states, versions
from tests.stack.panel import Panel
from tests.support.app import refused
from tests.support.stack import until


@pytest.mark.long
async def test_an_hour_without_virtfusion(house: Installation, stands: Stands) -> None:
    given_up, kept = [one.id for one in house.own if one.running][:2]
    as_of = datetime.fromisoformat((await stands.check(given_up))["stateObservedAt"])
    before = {one.partition(":")[0]: one for one in await house.values(versions)}
    await house.vendor.go_away()
    for minute in range(1, 61):
        house.time.move(minutes=1)
        assert (await house.mirror()).state == "failed"
        assert (await house.details()).stored == 0
        if minute % 15 == 0:
            await stands.check(given_up, as_of=as_of)
            server_id = (await house.row(given_up)).id
            refused(await stands.program.get(f"/api/user/servers/{server_id}/traffic"), 503, "upstream_unavailable")
            page = await stands.browser.get(f"/servers/{server_id}/traffic")
            assert page.status_code == 200
            assert "Traffic cannot be shown right now" in page.text
    assert {one.partition(":")[0]: one for one in await house.values(versions)} == before
    assert (await house.values(run_states))[1:] == ["failed"] * 60
    await house.nothing_is_missing()

    # One is asked for too early, and ends honestly at its deadline; one waits until VirtFusion is back.
    ended = await house.do(given_up, PowerAction.POWEROFF)
    assert (ended.state, ended.error_code) == (ActionState.FAILED, "upstream_unavailable")
    assert (ended.error or "").endswith("Nothing was done.")
    assert ended.finished_at is not None
    assert 540 <= (ended.finished_at - ended.requested_at).total_seconds() < 601
    waiting = await house.ask(kept, PowerAction.POWEROFF)
    for _ in range(4):
        waiting = await house.step(waiting)
        assert waiting.state is ActionState.QUEUED
    assert (await stands.check(kept, as_of=as_of))["busy"]

    await house.vendor.come()
    ended = await house.follow(waiting)
    assert (ended.state, ended.error_code) == (ActionState.SUCCEEDED, None)
    assert house.effects(kept, Work.POWEROFF) == 1
    assert house.effects(given_up, Work.POWEROFF) == 0
    house.time.to_the_present()
    assert (await house.mirror()).state == "done"
    await house.details()
    assert [(await house.row(one)).power for one in (given_up, kept)] == [Power.RUNNING, Power.STOPPED]
    await stands.check(given_up, as_of=house.time.now(), notice=False)
    await house.nothing_is_missing()


@pytest.mark.long
async def test_an_outage_under_running_processes(lonely: Panel) -> None:
    await lonely.start(webs=1, workers=1)
    program, browser = await lonely.program(lonely.owner), await lonely.browser(lonely.owner)
    external_id = lonely.fresh()
    server_id = await lonely.server_id(external_id)
    await lonely.vendor.go_away()
    asked = await program.post(f"/api/user/servers/{server_id}/power/poweroff")
    assert asked.status_code == 202

    async def tried_twice() -> bool:
        return (await lonely.action(asked.json()["id"])).attempts >= 2

    await until(tried_twice)
    waiting = (await program.get(f"/api/user/servers/{server_id}")).json()["pendingAction"]
    assert (waiting["id"], waiting["finishedAt"]) == (asked.json()["id"], None)
    assert [(await browser.get(path)).status_code for path in ("/servers", f"/servers/{server_id}")] == [200, 200]
    refused(await program.get(f"/api/user/servers/{server_id}/traffic"), 503, "upstream_unavailable")
    other = await lonely.server_id(lonely.fresh())
    refused(await program.post(f"/api/user/servers/{other}/reset-password"), 503, "upstream_unavailable")

    await lonely.vendor.come()
    ended = await lonely.ended(asked.json()["id"])
    assert ended.state is ActionState.SUCCEEDED
    assert lonely.sent(external_id, "poweroff") == 1

    async def traffic() -> bool:
        return (await program.get(f"/api/user/servers/{server_id}/traffic")).status_code == 200

    await until(traffic, pause=0.5)  # the web process left VirtFusion alone for a few seconds more
