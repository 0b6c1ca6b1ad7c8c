"""The main path over HTTP, through real processes: a customer sees servers, switches one off, and sees it stopped."""

from __future__ import annotations

from typing import Any

import httpx

from hostwright.core.db import Scalar
from tests.stack.panel import FIRST_USER, Panel, log_lines
from tests.support.app import refused
from tests.support.stack import until

all_actions = Scalar(int, "select count(*) from server_actions")


async def listed(program: httpx.AsyncClient, server_id: int) -> dict[str, Any]:
    """A server as the list shows it."""
    answer = await program.get("/api/user/servers", params={"pageSize": 100})
    assert answer.status_code == 200, answer.text
    return next(item for item in answer.json()["items"] if item["id"] == server_id)


async def followed(program: httpx.AsyncClient, action: dict[str, Any]) -> dict[str, Any]:
    """An action, once the API says that it has ended."""

    async def over() -> dict[str, Any] | None:
        answer = await program.get(f"/api/user/servers/{action['serverId']}/actions/{action['id']}")
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.json()["finishedAt"] is not None else None

    found = await until(over, pause=0.2)
    assert found is not None
    return found


async def test_a_customer_switches_a_server_off_and_sees_it_stop(panel: Panel) -> None:
    here, there = [await panel.program(panel.owner, web=web) for web in (0, 1)]
    external_id = panel.fresh()
    server_id = await panel.server_id(external_id)
    before = await listed(here, server_id)
    assert (before["power"], before["state"], before["busy"]) == ("running", "active", False)
    panel.vendor.faults([{"mode": "delay", "method": "POST", "delayMs": 600}])

    asked = await here.post(f"/api/user/servers/{server_id}/power/poweroff")
    assert asked.status_code == 202
    action = asked.json()
    assert (action["kind"], action["state"], action["actor"]) == ("poweroff", "queued", "Ada Lovelace")
    again = [await one.post(f"/api/user/servers/{server_id}/power/poweroff") for one in (here, there)]
    assert [(one.status_code, one.json()["id"]) for one in again] == [(202, action["id"])] * 2
    refused(await there.post(f"/api/user/servers/{server_id}/power/boot"), 409, "action_pending")
    assert (await listed(there, server_id))["busy"]

    ended = await followed(there, action)
    assert (ended["state"], ended["progress"], ended["errorCode"]) == ("succeeded", 100, None)
    after = [await listed(one, server_id) for one in (here, there)]
    assert [(one["power"], one["busy"]) for one in after] == [("stopped", False)] * 2
    assert after[0]["powerObservedAt"] > action["requestedAt"]
    assert panel.sent(external_id, "") == panel.sent(external_id, "poweroff") == 1
    assert (await panel.values(log_lines, server_id))[-1] == "poweroff:success"
    assert (await panel.values(log_lines, server_id)).count("poweroff:success") == 1


async def test_what_is_refused_reaches_nobody(panel: Panel) -> None:
    program = await panel.program(panel.owner)
    stranger = await panel.program(panel.stranger, web=1)
    reader = await panel.program(panel.owner, "read:servers")
    server_id = await panel.server_id(panel.fresh())
    suspended = next(one for one in panel.vendor.world.listed if one.suspended and one.owner_id == FIRST_USER)
    before = await panel.value(all_actions)

    path = f"/api/user/servers/{server_id}"
    refused(await stranger.post(f"{path}/power/poweroff"), 404, "not_found")
    refused(await stranger.get(path), 404, "not_found")
    refused(await stranger.get(f"{path}/traffic"), 404, "not_found")
    refused(await stranger.post(f"{path}/reset-password"), 404, "not_found")
    refused(await reader.post(f"{path}/power/poweroff"), 403, "invalid_scope")
    refused(await program.post(f"{path}/power/explode"), 400, "invalid_request")
    refused(await program.post(f"/api/user/servers/{2**62}/power/poweroff"), 404, "not_found")
    on_suspended = f"/api/user/servers/{await panel.server_id(suspended.id)}/power/boot"
    refused(await program.post(on_suspended), 409, "server_suspended")
    nobody = await panel.client()
    refused(await nobody.post(f"{path}/power/poweroff"), 401, "unauthorized")

    assert await panel.value(all_actions) == before
    assert [one for one in panel.vendor.requests() if one.method != "GET"] == []
