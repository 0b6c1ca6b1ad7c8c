"""Staff search the audit log: every filter, the cursor, and what nobody else may see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hostwright.audit.service import record
from hostwright.core.db import Command, Database
from tests.support.app import Client, KeyClient, Person, SignIn, problems, refused

URL = "/api/admin/audit"

set_time = Command("update audit_log set at = $2 where object_label = $1")


@pytest.fixture
async def boss(sign_in: SignIn, staff: Person) -> Client:
    return await sign_in(staff)


async def write(database: Database, label: str, *, at: datetime | None = None, **changes: Any) -> None:
    line: dict[str, Any] = {
        "actor_id": 1_000_001,
        "actor_label": "Ada Lovelace",
        "action": "server.boot",
        "outcome": "done",
        "customer_id": 5,
        "object_type": "server",
        "object_id": "9",
        "object_label": label,
        "address": "192.0.2.7",
        "request_id": "b635c297",
    }
    async with database.transaction() as tx:
        await record(tx, **line | changes)
        if at is not None:
            await set_time.run(tx, label, at)


async def labels(caller: Client, **wanted: Any) -> list[str]:
    answer = await caller.get(URL, params=wanted)
    assert answer.status_code == 200, answer.text
    return [item["object"] for item in answer.json()["items"]]


async def test_a_line_says_who_what_on_what_from_where_and_how(boss: Client, database: Database) -> None:
    await write(database, "web-01", detail={"before": {"name": "a"}, "after": {"name": "b"}, "token": "kV7-tulip"})
    answer = await boss.get(URL, params={"objectType": "server", "objectId": "9"})
    (line,) = answer.json()["items"]
    assert "tulip" not in answer.text
    assert line.pop("id") > 0
    assert line.pop("at").endswith("Z")
    assert line == {
        "actorId": 1_000_001,
        "actor": "Ada Lovelace",
        "action": "server.boot",
        "outcome": "done",
        "customerId": 5,
        "objectType": "server",
        "objectId": "9",
        "object": "web-01",
        "detail": {"before": {"name": "a"}, "after": {"name": "b"}, "token": "[hidden]"},
        "address": "192.0.2.7",
        "requestId": "b635c297",
    }
    assert answer.json()["pagination"] == {"next": None}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["d", "c", "b", "a"]),
        ({"actorId": 2}, ["b"]),
        ({"action": "server."}, ["c", "a"]),
        ({"action": "server.boot"}, ["a"]),
        ({"action": "erver"}, []),
        ({"objectType": "user"}, ["d", "b"]),
        ({"objectType": "user", "objectId": "77"}, ["b"]),
        ({"customerId": 6}, ["c"]),
        ({"outcome": "refused"}, ["d"]),
        ({"search": "LOVELACE"}, ["c", "a"]),
        ({"search": "203.0.113.9"}, ["d"]),
        ({"search": "%"}, []),
        ({"search": "_"}, ["d", "b"]),
        ({"search": "server", "outcome": "done", "customerId": 5}, ["a"]),
        ({"actorId": 2, "search": "nothing"}, []),
        ({"actorId": 1_000_001, "action": "server.re"}, ["c"]),
    ],
)
async def test_every_filter(boss: Client, database: Database, wanted: dict[str, Any], found: list[str]) -> None:
    await write(database, "a")
    await write(
        database, "b", actor_id=2, actor_label="Bob", action="user.signed_out", object_type="user", object_id="77"
    )
    await write(database, "c", action="server.reboot", customer_id=6)
    await write(
        database,
        "d",
        actor_id=None,
        actor_label="unknown",
        action="user.sign_in",
        outcome="refused",
        object_type="user",
        object_id="78",
        address="203.0.113.9",
    )
    assert await labels(boss, **wanted) == found


async def test_days_are_of_utc_and_the_last_is_included(boss: Client, database: Database) -> None:
    for day in (1, 2, 3):
        await write(database, f"day {day}", at=datetime(2026, 3, day, 23, 30, tzinfo=UTC))
    assert await labels(boss, **{"from": "2026-03-02", "to": "2026-03-02"}) == ["day 2"]
    assert await labels(boss, to="2026-03-02T23:30:00Z") == ["day 1"]
    assert await labels(boss, **{"from": "2026-03-03T00:30:00+02:00"}) == ["day 3", "day 2"]


async def test_the_cursor_goes_on_below_what_was_shown(boss: Client, database: Database) -> None:
    for number in range(5):
        await write(database, str(number))
    first = (await boss.get(URL, params={"pageSize": 3})).json()
    await write(database, "later")
    rest = (await boss.get(URL, params={"pageSize": 3, "cursor": first["pagination"]["next"]})).json()
    assert [item["object"] for item in first["items"]] == ["4", "3", "2"]
    assert [item["object"] for item in rest["items"]] == ["1", "0"]
    assert rest["pagination"] == {"next": None}


async def test_what_makes_no_sense_is_refused_field_by_field(boss: Client) -> None:
    wrong = {"cursor": "x", "from": "yesterday", "to": "2026-01-01T10:00:00", "objectId": "9"}
    assert set(problems(await boss.get(URL, params=wrong))) == {"cursor", "from", "to", "objectId"}
    assert set(problems(await boss.get(URL, params={"outcome": "perhaps", "pageSize": 101}))) == {
        "outcome",
        "pageSize",
    }
    for hostile in ("\0", "'; drop table audit_log", "\\", "a" * 100):
        assert await labels(boss, search=hostile, action=hostile[:60]) == []


async def test_only_staff_and_keys_with_the_scope_read_it(
    sign_in: SignIn, owner: Person, staff: Person, api_key: KeyClient, database: Database
) -> None:
    await write(database, "web-01")
    refused(await (await sign_in(owner)).get(URL), 403, "forbidden")
    program = await api_key(staff, "admin:users")
    assert refused(await program.get(URL), 403, "invalid_scope")["required_scope"] == "admin:system"
    assert await labels(await api_key(staff, "admin:system")) == ["web-01"]


# --- the page ---


async def test_the_page_filters_and_goes_on(boss: Client, database: Database) -> None:
    for number in range(51):
        await write(database, f"vm-{number:02}", detail={"before": {"name": "old"}, "after": {"name": "<b>new</b>"}})
    page = (await boss.get("/admin/audit", params={"type": "server", "id": "9"})).text
    assert page.count('class="audit-line"') == 50
    assert "&lt;b&gt;new&lt;/b&gt;" in page
    assert "vm-00" not in page
    older = page.split("Show older")[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    rest = (await boss.get(older)).text
    assert rest.count('class="audit-line"') == 1
    assert "vm-00" in rest
    assert "Show newest" in rest


@pytest.mark.parametrize(
    "query",
    ["q=%00", "actor=x&customer-id=-1&before=9999999999999999999999", "from=0001-01-01&to=9999-12-31", "outcome=maybe"],
)
async def test_an_old_or_hostile_link_still_shows_a_list(boss: Client, query: str) -> None:
    assert (await boss.get(f"/admin/audit?{query}")).status_code == 200


async def test_the_audit_page_is_staff_s(sign_in: SignIn, owner: Person) -> None:
    assert (await (await sign_in(owner)).get("/admin/audit")).status_code == 403


# --- what was not audited before ---


async def test_sign_out_and_ended_sessions_are_audited(sign_in: SignIn, owner: Person, boss: Client) -> None:
    ada, second, third, fourth = [await sign_in(owner) for _ in range(4)]
    assert second.session is not None
    await ada.post(f"/account/sessions/{second.session.id}/revoke")
    await ada.post(f"/account/sessions/{second.session.id}/revoke")  # not there any more
    await ada.post("/account/sessions/revoke-others")
    await ada.post("/account/sessions/revoke-others")  # none left
    await ada.post("/sign-out")
    assert (await third.get("/api/user")).status_code == 401
    assert (await fourth.get("/api/user")).status_code == 401
    found = (await boss.get(URL, params={"actorId": owner.user_id})).json()["items"]
    assert [(line["action"], line["outcome"], line["objectId"], line["detail"]) for line in found] == [
        ("user.signed_out", "done", str(owner.user_id), {}),
        ("user.sessions_ended", "done", str(owner.user_id), {"sessions": 2}),
        ("user.session_ended", "done", str(owner.user_id), {"session": second.session.id}),
    ]
    again = await sign_in(owner)
    assert (await again.post("/api/auth/logout")).status_code == 204
    newest = (await boss.get(URL, params={"actorId": owner.user_id, "pageSize": 1})).json()["items"][0]
    assert newest["action"] == "user.signed_out"
    assert datetime.now(UTC) - datetime.fromisoformat(newest["at"]) < timedelta(minutes=5)
