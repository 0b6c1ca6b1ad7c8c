"""A new password reaches its reader though the database fails right after the vendor's answer."""

from __future__ import annotations

import pytest

from hostwright.app import App
from hostwright.core.db import Db
from hostwright.core.db.pool import PoolExhausted
from tests.support.app import KeyClient, Makers, Person, SignIn
from tests.support.simulator import running_simulator


@pytest.mark.parametrize("page", [False, True])
async def test_the_password_is_shown(
    app: App,
    sign_in: SignIn,
    api_key: KeyClient,
    makers: Makers,
    owner: Person,
    monkeypatch: pytest.MonkeyPatch,
    page: bool,
) -> None:
    async with running_simulator() as vendor:
        await makers.connection(vendor.url, vendor.token)
        server_id = await makers.server(owner.customer_id, external_id=vendor.world.listed[0].id)
        caller = await sign_in(owner) if page else await api_key(owner, "write:servers")
        take = app.services.database.take
        refused = 0

        async def until_reset() -> Db:
            nonlocal refused
            if vendor.requests("resetPassword"):
                refused += 1
                raise PoolExhausted
            return await take()

        monkeypatch.setattr(app.services.database, "take", until_reset)
        answer = await caller.post(f"{'' if page else '/api/user'}/servers/{server_id}/reset-password")
        assert answer.status_code == 200, answer.text
        shown = "new-password" in answer.text if page else answer.json()["password"] != ""
        assert shown
        assert refused >= 1
        assert len(vendor.requests("resetPassword")) == 1
