"""What passes through once stays nowhere: passwords, keys, tokens in no table and in no log of any process."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import asyncpg
import httpx

from hostwright.servers.records import ActionKind, ActionState
from tests.stack.installation import latest_action
from tests.stack.panel import Panel
from tests.support.app import PASSWORD
from tests.support.databases import TABLES

LIKE_ONE: Final = re.compile(r"\b[a-zA-Z0-9]{20}\b")  # the simulator's passwords


async def whole_database(dsn: str) -> str:
    """Every row of every table as text; binary columns appear in hexadecimal."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(dsn)
    try:
        tables = [row[0] for row in await connection.fetch(TABLES)]
        assert {"server_actions", "server_log", "audit_log", "pgqueuer", "dead_jobs", "events"} <= set(tables)
        rows = [row[0] for table in tables for row in await connection.fetch(f'select t::text from "{table}" t')]
        return "\n".join(rows)
    finally:
        await connection.close()


def holds(text: str, secret: str) -> bool:
    """Whether a text holds a secret, plain or as the bytes of a binary column."""
    return secret in text or secret.encode().hex() in text


async def vendors_record(panel: Panel) -> str:
    """What the simulator says that it received, as its control path shows it."""
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(f"{panel.vendor.url}/_sim/requests")).text


async def test_a_new_password_is_shown_once_and_kept_nowhere(panel: Panel) -> None:
    external_id = panel.fresh()
    server_id = await panel.server_id(external_id)
    program = await panel.program(panel.owner, web=1)
    answer = await program.post(f"/api/user/servers/{server_id}/reset-password")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    new = answer.json()
    password = new["password"]
    assert (len(password), set(new)) == (20, {"username", "password", "actionId"})
    panel.secrets.add(password)
    ended = await panel.ended(new["actionId"])
    assert (ended.kind, ended.state) == (ActionKind.RESET_PASSWORD, ActionState.SUCCEEDED)

    action = await program.get(f"/api/user/servers/{server_id}/actions/{new['actionId']}")
    logs = await program.get(f"/api/user/servers/{server_id}/logs")
    pages = await panel.browser(panel.owner)
    shown = [await pages.get(f"/servers/{server_id}{part}") for part in ("", "/activity")]
    assert [one.status_code for one in (action, logs, *shown)] == [200] * 4
    assert not any(password in one.text for one in (action, logs, *shown))
    assert not holds(await whole_database(panel.database.dsn), password)
    assert password not in panel.stack.logs
    assert password not in await vendors_record(panel)
    asked = panel.vendor.requests(f"/servers/{external_id}/resetPassword")
    assert [one.body for one in asked] == [{"user": new["username"], "sendMail": False}]


async def test_a_page_shows_the_new_password_once_too(panel: Panel) -> None:
    server_id = await panel.server_id(panel.fresh())
    browser = await panel.browser(panel.owner, web=1)
    before = await browser.get(f"/servers/{server_id}")
    answer = await browser.post(f"/servers/{server_id}/reset-password")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    (password,) = set(LIKE_ONE.findall(answer.text)) - set(LIKE_ONE.findall(before.text))
    panel.secrets.add(password)
    assert (await panel.ended(await panel.value(latest_action, server_id))).state is ActionState.SUCCEEDED
    assert password not in (await browser.get(f"/servers/{server_id}")).text
    assert not holds(await whole_database(panel.database.dsn), password)
    assert password not in panel.stack.logs


async def test_no_log_of_a_run_holds_a_secret(panel: Panel) -> None:
    """A sign-in, a page, an API call, a power action and refusals, with everything logged; then every log is read."""
    owner = panel.owner
    visitor = await panel.client(web=0)
    for password, status in (("wrong-" + PASSWORD, 401), (PASSWORD, 200)):
        answer = await visitor.post("/api/auth/login", json={"username": owner.email, "password": password})
        assert answer.status_code == status
    panel.secrets.update({PASSWORD, visitor.cookies["hw_session"]})
    assert (await visitor.get("/servers")).status_code == 200
    program = await panel.program(owner, web=1)
    server_id = await panel.server_id(panel.fresh())
    panel.vendor.faults([{"mode": "status", "status": 401, "times": 1}])
    refused = await program.post(f"/api/user/servers/{server_id}/reset-password")
    assert refused.json()["error"]["code"] == "upstream_refused"
    asked = await program.post(f"/api/user/servers/{server_id}/power/restart")
    await panel.ended(asked.json()["id"])
    assert (await program.get("/api/nothing", params={"token": "hw_not-a-key-at-all"})).status_code == 404

    logs = panel.stack.logs
    lines = [json.loads(line) for line in logs.splitlines()]
    events = {line["event"] for line in lines}
    assert {"worker.started", "request", "server.action_ended", "upstream.call_failed"} <= events
    assert len(panel.secrets) >= 5  # the vendor's token, our key, a password, a session, an API key
    assert panel.leaks == []
    assert owner.email not in logs
