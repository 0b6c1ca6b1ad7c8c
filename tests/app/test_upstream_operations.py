"""The two operations that ask the vendor while the caller waits, through the whole application."""

from __future__ import annotations

from tests.support.app import KeyClient, Makers, Person, SignIn
from tests.support.simulator import running_simulator


async def test_traffic_and_a_new_password_of_a_simulated_server(
    sign_in: SignIn, api_key: KeyClient, makers: Makers, owner: Person
) -> None:
    async with running_simulator() as vendor:
        await makers.connection(vendor.url, vendor.token)
        ada, program = await sign_in(owner), await api_key(owner, "read:servers", "write:servers")
        for caller, fact in zip((ada, program), vendor.world.listed, strict=False):
            server_id = await makers.server(owner.customer_id, external_id=fact.id)
            traffic = await caller.get(f"/api/user/servers/{server_id}/traffic")
            assert (traffic.status_code, set(traffic.json())) == (200, {"periods"})
            new = await caller.post(f"/api/user/servers/{server_id}/reset-password")
            assert new.status_code == 200
            assert set(new.json()) == {"username", "password", "actionId"}
            assert new.headers["cache-control"] == "no-store"
        assert len(vendor.requests("resetPassword")) == 2
