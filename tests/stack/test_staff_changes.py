"""What staff change over the API, through web process, worker and vendor."""

from __future__ import annotations

from tests.stack.panel import Panel
from tests.support.stack import until


async def test_staff_suspend_lift_and_reset_a_password(panel: Panel) -> None:
    program = await panel.program(panel.staff)
    external_id = panel.fresh()
    server_id = await panel.server_id(external_id)
    base = f"/api/admin/servers/{server_id}"

    async def stands(state: str) -> bool:
        read = (await program.get(base)).json()
        return read["state"] == state and read["pendingAction"] is None

    asked = await program.post(f"{base}/suspend", json={"reason": "An open invoice."})
    assert asked.status_code == 202
    await until(lambda: stands("suspended"))
    assert panel.vendor.world.servers[external_id].suspended
    assert (await program.post(f"{base}/unsuspend")).status_code == 202
    await until(lambda: stands("active"))
    assert not panel.vendor.world.servers[external_id].suspended
    answer = await program.post(f"{base}/reset-password")
    assert answer.status_code == 200
    assert len(answer.json()["password"]) == 20
