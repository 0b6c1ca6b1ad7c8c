"""Staff find users, read one, keep somebody out and let them in again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hostwright.audit.records import AuditRow
from hostwright.audit.service import entries_of_object
from hostwright.core.db import Command, Database, Scalar
from hostwright.core.scope import Staff
from hostwright.identity.records import MemberRole, Role
from tests.support.app import PASSWORD, Client, KeyClient, Makers, Person, SignIn, problems, refused

URL = "/api/admin/users"

link = Command("insert into compute_accounts (connection_id, customer_id, external_user_id) values ($1, $2, $2)")
connection_of = Scalar(int, "select connection_id from servers where id = $1")


@pytest.fixture
async def boss(sign_in: SignIn, staff: Person) -> Client:
    return await sign_in(staff)


async def suspend(caller: Client, person: Person, reason: str = "Fraud") -> Any:
    return await caller.patch(f"{URL}/{person.user_id}/status", json={"enabled": False, "reason": reason})


async def enable(caller: Client, person: Person) -> Any:
    return await caller.patch(f"{URL}/{person.user_id}/status", json={"enabled": True})


async def audited(database: Database, person: Person) -> list[AuditRow]:
    async with database.acquire() as db:
        return (await entries_of_object(db, Staff("audit.read"), "user", str(person.user_id))).rows


async def names(caller: Client, **wanted: Any) -> list[str]:
    answer = await caller.get(URL, params=wanted)
    assert answer.status_code == 200, answer.text
    return [item["fullName"] for item in answer.json()["items"]]


# --- the list ---


async def test_a_user_in_the_list(boss: Client, owner: Person, makers: Makers) -> None:
    """DEFECT-23: an answer is a model of its own, without the hash of the password."""
    await makers.server(owner.customer_id)
    await makers.server(owner.customer_id, state="gone")
    answer = await boss.get(URL, params={"search": owner.username})
    (item,) = answer.json()["items"]
    assert item.pop("createdAt").endswith("Z")
    assert item == {
        "id": owner.user_id,
        "username": owner.username,
        "email": owner.email,
        "fullName": "Ada Lovelace",
        "role": "client",
        "language": "en",
        "enabled": True,
        "suspendedAt": None,
        "suspendReason": None,
        "emailVerified": False,
        "lastSignInAt": None,
        "sessionCount": 0,
        "serverCount": 1,
        "linked": False,
    }
    assert answer.json()["pagination"] == {"page": 1, "pageSize": 20, "total": 1, "totalPages": 1}
    assert answer.json()["statistics"] == {"totalUsers": 2, "migratedUsers": 0, "adminCount": 1, "activeCount": 2}
    assert "argon2" not in answer.text


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["Zoe", "bert", "Anna", "Grace Hopper"]),
        ({"sortOrder": "asc"}, ["Grace Hopper", "Anna", "bert", "Zoe"]),
        ({"sortField": "fullName", "sortOrder": "asc"}, ["Anna", "bert", "Grace Hopper", "Zoe"]),
        ({"sortField": "fullName"}, ["Zoe", "Grace Hopper", "bert", "Anna"]),
        ({"sortField": "username", "sortOrder": "asc", "search": "x-"}, ["Zoe", "bert", "Anna"]),
        ({"sortField": "email", "sortOrder": "desc", "search": "x-"}, ["Anna", "bert", "Zoe"]),
        ({"filter": "admin"}, ["Grace Hopper"]),
        ({"filter": "inactive"}, ["bert"]),
        ({"filter": "active", "sortField": "fullName", "sortOrder": "asc"}, ["Anna", "Grace Hopper", "Zoe"]),
        ({"filter": "migrated"}, ["Zoe", "Anna"]),
        ({"filter": "migrated", "search": "zOE"}, ["Zoe"]),
        ({"search": "@example.com", "pageSize": 2, "page": 2}, ["Anna", "Grace Hopper"]),
        ({"search": "%"}, []),
        ({"search": "_"}, []),
        ({"page": 9}, []),
    ],
)
async def test_filter_search_and_sort(
    boss: Client, makers: Makers, database: Database, wanted: dict[str, Any], found: list[str]
) -> None:
    anna = await makers.user("x-3", full_name="Anna")
    bert = await makers.user("x-2", full_name="bert")
    zoe = await makers.user("x-1", full_name="Zoe")
    server_id = await makers.server(anna.customer_id)
    await makers.member(zoe, anna.customer_id, MemberRole.VIEWER)
    async with database.transaction() as tx:
        await link.run(tx, await connection_of.value(tx, server_id), anna.customer_id)
    await suspend(boss, bert)
    answer = (await boss.get(URL, params=wanted)).json()
    assert [item["fullName"] for item in answer["items"]] == found
    assert answer["statistics"] == {"totalUsers": 4, "migratedUsers": 2, "adminCount": 1, "activeCount": 3}


async def test_what_makes_no_sense_is_refused(boss: Client) -> None:
    wrong = {"page": 0, "pageSize": 101, "sortField": "password_hash", "sortOrder": "up", "filter": "x"}
    assert set(problems(await boss.get(URL, params=wrong))) == {"page", "pageSize", "sortField", "sortOrder", "filter"}
    for hostile in ("\0", "'; drop table users", "\\", "a" * 100):
        assert await names(boss, search=hostile) == []


async def test_only_staff_see_users(
    sign_in: SignIn, owner: Person, stranger: Person, staff: Person, api_key: KeyClient, database: Database
) -> None:
    ada = await sign_in(owner)
    refused(await ada.get(URL), 403, "forbidden")
    refused(await ada.get(f"{URL}/{owner.user_id}"), 403, "forbidden")
    refused(await suspend(ada, stranger), 403, "forbidden")
    program = await api_key(staff, "admin:system")
    assert refused(await suspend(program, stranger), 403, "invalid_scope")["required_scope"] == "admin:users"
    assert await audited(database, stranger) == []
    assert (await (await api_key(staff, "admin:users")).get(URL)).status_code == 200


# --- one user ---


async def test_one_user_with_customers_sessions_and_keys(
    boss: Client, owner: Person, sign_in: SignIn, makers: Makers
) -> None:
    await sign_in(owner, "192.0.2.50")
    key = await makers.key(owner, ["read:servers"])
    answer = await boss.get(f"{URL}/{owner.user_id}")
    body = answer.json()
    (customer,) = body["customers"]
    assert (customer["id"], customer["name"], customer["role"]) == (owner.customer_id, owner.customer_name, "owner")
    (session,) = body["sessions"]
    assert (session["address"], session["userAgent"]) == ("192.0.2.50", "tests")
    (listed,) = body["apiKeys"]
    assert (listed["prefix"], listed["scopes"], listed["revokedAt"]) == (key.key[:8], ["read:servers"], None)
    assert body["lastSignInAt"] is not None
    assert key.key not in answer.text
    refused(await boss.get(f"{URL}/999999999"), 404, "not_found")


# --- suspending ---


async def test_a_suspended_user_is_out_at_once_and_back_once_enabled(
    boss: Client, owner: Person, sign_in: SignIn, api_key: KeyClient, client: Client, database: Database
) -> None:
    ada, program = await sign_in(owner), await api_key(owner, "read:user")
    body = (await suspend(boss, owner, "  Chargeback 4711  ")).json()
    assert (body["enabled"], body["suspendReason"], body["sessions"]) == (False, "Chargeback 4711", [])
    refused(await ada.get("/api/user"), 401, "unauthorized")
    refused(await program.get("/api/user"), 403, "account_disabled")
    entry = {"username": owner.username, "password": PASSWORD}
    told = refused(await client.post("/api/auth/login", json=entry), 403, "account_disabled")
    assert "4711" not in str(told)
    body = (await enable(boss, owner)).json()
    assert (body["enabled"], body["suspendReason"], body["suspendedAt"]) == (True, None, None)
    refused(await ada.get("/api/user"), 401, "unauthorized")
    assert (await program.get("/api/user")).status_code == 200
    assert (await client.post("/api/auth/login", json=entry)).status_code == 200
    lines = [row for row in await audited(database, owner) if row.actor_label == "Grace Hopper"]
    assert [(row.action, row.detail) for row in lines] == [
        ("user.enabled", {}),
        ("user.suspended", {"reason": "Chargeback 4711", "sessions": 1}),
    ]


async def test_suspending_twice_keeps_the_first_reason(boss: Client, owner: Person, database: Database) -> None:
    await suspend(boss, owner, "First")
    assert (await suspend(boss, owner, "Second")).json()["suspendReason"] == "First"
    await enable(boss, owner)
    await enable(boss, owner)
    assert [row.action for row in await audited(database, owner)] == ["user.enabled", "user.suspended"]


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
async def test_suspending_needs_a_reason(boss: Client, owner: Person, database: Database, reason: str) -> None:
    assert problems(await suspend(boss, owner, reason)) == {"reason": "is required"}
    assert set(problems(await suspend(boss, owner, "a" * 501))) == {"reason"}
    assert await audited(database, owner) == []
    assert (await boss.get(f"{URL}/{owner.user_id}")).json()["enabled"] is True


async def test_nobody_suspends_themselves(boss: Client, staff: Person, database: Database) -> None:
    refused(await suspend(boss, staff), 409, "own_account")
    assert await audited(database, staff) == []
    assert (await boss.get("/api/user")).status_code == 200


async def test_two_administrators_who_suspend_each_other_at_once(
    boss: Client, staff: Person, makers: Makers, sign_in: SignIn, database: Database
) -> None:
    other = await makers.user(role=Role.ADMIN, full_name="Alan Turing")
    alan = await sign_in(other)
    answers = await asyncio.gather(suspend(boss, other), suspend(alan, staff))
    statuses = sorted(answer.status_code for answer in answers)
    # The slower one is out: either its session was gone already, or it was found out under the lock.
    assert statuses[0] == 200
    assert statuses[1] in {401, 403}
    lines = [*await audited(database, staff), *await audited(database, other)]
    assert [row.action for row in lines] == ["user.suspended"]


async def test_the_last_administrator_stays(
    staff: Person, makers: Makers, api_key: KeyClient, database: Database
) -> None:
    """A crowd of administrators suspends all others at once: exactly one is left."""
    people = [staff, *[await makers.user(role=Role.ADMIN) for _ in range(3)]]
    programs = [await api_key(person, "admin:users") for person in people]
    await asyncio.gather(
        *(
            suspend(program, person)
            for program, own in zip(programs, people, strict=True)
            for person in people
            if person is not own
        )
    )
    async with database.acquire() as db:
        (row,) = await db.fetch("select count(*) as n from users where role = 'admin' and disabled_at is null")
    assert row["n"] == 1


async def test_suspending_the_same_user_many_times_at_once_is_one_suspension(
    boss: Client, owner: Person, database: Database
) -> None:
    answers = await asyncio.gather(*(suspend(boss, owner, f"Reason {number}") for number in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["suspendReason"] for answer in answers}) == 1
    assert [row.action for row in await audited(database, owner)] == ["user.suspended"]


# --- the pages ---


async def test_the_list_page(boss: Client, owner: Person, makers: Makers) -> None:
    for number in range(21):
        await makers.user(full_name=f"Person {number:02}")
    page = (await boss.get("/admin/users", params={"sort": "fullName"})).text
    assert page.count('<tr class="row"') == 20
    assert f'href="/admin/users/{owner.user_id}"' in page
    assert "/ 23" in page
    found = (await boss.get("/admin/users", params={"q": "person 07"})).text
    assert found.count('<tr class="row"') == 1
    for odd in ("q=%00", "page=0", "page=99999999999999999999", "sort=--x", "filter=nope", "page=x"):
        assert (await boss.get(f"/admin/users?{odd}")).status_code == 200
    assert "This page is empty" in (await boss.get("/admin/users?page=7")).text
    assert "No user matches" in (await boss.get("/admin/users?q=nobody-has-this")).text


async def test_the_page_of_a_user_suspends_and_enables(
    boss: Client, owner: Person, sign_in: SignIn, makers: Makers, database: Database
) -> None:
    ada = await sign_in(owner, "192.0.2.51")
    key = await makers.key(owner, ["read:servers"])
    url = f"/admin/users/{owner.user_id}"
    page = (await boss.get(url)).text
    for text in (owner.email, owner.customer_name, "192.0.2.51", key.key[:8], "read:servers"):
        assert text in page
    assert key.key not in page
    wrong = await boss.post(f"{url}/suspend", data={"reason": " "})
    assert (wrong.status_code, "Say why" in wrong.text) == (422, True)
    assert (await ada.get("/api/user")).status_code == 200
    done = await boss.post(f"{url}/suspend", data={"reason": "<i>Fraud</i>"})
    assert (done.status_code, done.headers["location"]) == (303, url)
    assert (await ada.get("/api/user")).status_code == 401
    page = (await boss.get(url)).text
    assert "&lt;i&gt;Fraud&lt;/i&gt;" in page
    assert f'action="{url}/enable"' in page
    assert (await boss.post(f"{url}/enable")).status_code == 303
    assert [row.action for row in await audited(database, owner)] == ["user.enabled", "user.suspended"]


async def test_ending_sessions_of_another_and_of_oneself(
    boss: Client, staff: Person, owner: Person, sign_in: SignIn, database: Database
) -> None:
    ada, second = await sign_in(owner), await sign_in(staff)
    await boss.post(f"/admin/users/{owner.user_id}/end-sessions")
    await boss.post(f"/admin/users/{staff.user_id}/end-sessions")
    assert (await ada.get("/api/user")).status_code == 401
    assert (await second.get("/api/user")).status_code == 401
    assert (await boss.get("/api/user")).status_code == 200
    lines = [*await audited(database, owner), *await audited(database, staff)]
    assert [(row.action, row.detail) for row in lines] == [("user.sessions_ended", {"sessions": 1})] * 2


async def test_one_s_own_page_offers_no_suspension(boss: Client, staff: Person) -> None:
    page = (await boss.get(f"/admin/users/{staff.user_id}")).text
    assert "/suspend" not in page
    answer = await boss.post(f"/admin/users/{staff.user_id}/suspend", data={"reason": "x"})
    assert answer.status_code == 409
