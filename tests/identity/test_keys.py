"""API keys: scopes within the role, an end of their own, dead with their user; 100 requests a minute each."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from hostwright.core.crypto import token_hash
from hostwright.core.db import Command, Database
from hostwright.core.errors import Invalid
from hostwright.identity import queries, service
from hostwright.identity.policy import STAFF_SCOPES, USER_SCOPES
from hostwright.identity.records import Role
from tests.support.app import Client, KeyClient, MakeApp, MakeClient, Makers, Person, SignIn, problems, refused

README_SCOPES = {
    "read:user",
    "read:servers",
    "write:servers",
    "read:billing",
    "read:tickets",
    "write:tickets",
    "admin:users",
    "admin:billing",
    "admin:system",
}
LATER_SCOPES = {"read:dns", "write:dns", "write:billing", "read:gameservers", "write:gameservers"}

expire_keys = Command("update api_keys set expires_at = now() - interval '1 second'")
disable_only = Command("update users set disabled_at = now() where id = $1")
remove_user = Command("delete from users where id = $1")
leave = Command("delete from members where user_id = $1")
set_role = Command("update users set role = $2 where id = $1")


async def run(database: Database, command: Command, *args: object) -> None:
    async with database.transaction() as tx:
        assert await command.run(tx, *args) == 1


async def test_a_key_is_its_user_and_customer(api_key: KeyClient, owner: Person) -> None:
    program = await api_key(owner, "read:user")
    user = (await program.get("/api/user")).json()
    assert (user["id"], user["customer"]["id"]) == (owner.user_id, owner.customer_id)


async def test_only_a_hash_of_it_is_stored(
    makers: Makers, owner: Person, database: Database, migrated_tables: frozenset[str]
) -> None:
    key = await makers.key(owner, ["read:user"])
    assert key.key.startswith("hw_")
    assert len(key.key) >= 46
    assert key.key not in repr(key)
    async with database.acquire() as db:
        (row,) = await db.fetch("select key_hash, prefix from api_keys")
        assert bytes(row["key_hash"]) == token_hash(key.key)
        assert row["prefix"] == key.key[:8]
        for table in sorted(migrated_tables):
            text = " ".join(each["text"] for each in await db.fetch(f"select t::text as text from {table} t"))
            assert key.key not in text, table


# --- scopes ---


def test_the_scopes_are_those_of_the_readme_and_five_for_later_parts() -> None:
    every = README_SCOPES | LATER_SCOPES
    assert set(STAFF_SCOPES) == every
    assert set(USER_SCOPES) == {scope for scope in every if not scope.startswith("admin:")}


async def test_a_missing_scope_is_told_as_the_readme_shows(api_key: KeyClient, owner: Person) -> None:
    answer = await (await api_key(owner, "read:user")).get("/api/user/servers")
    assert answer.status_code == 403
    assert answer.json() == {
        "error": {
            "code": "invalid_scope",
            "message": "The API key does not have the required scope.",
            "status": 403,
            "requestId": answer.headers["x-request-id"],
            "required_scope": "read:servers",
        }
    }


@pytest.mark.parametrize("scope", ["*", "admin:users", "admin:system", "admin:*", "read:*", "write:everything", ""])
async def test_defect_28_a_client_cannot_have_a_scope_beyond_the_role(
    makers: Makers, owner: Person, database: Database, scope: str
) -> None:
    with pytest.raises(Invalid):
        await makers.key(owner, ["read:user", scope])
    async with database.acquire() as db:
        assert await db.fetch("select 1 from api_keys") == []


async def test_a_key_needs_a_scope(makers: Makers, owner: Person) -> None:
    with pytest.raises(Invalid):
        await makers.key(owner, [])


async def test_defect_27_a_key_does_only_what_its_scopes_say(
    api_key: KeyClient, owner: Person, makers: Makers, database: Database
) -> None:
    server_id = await makers.server(owner.customer_id)
    program = await api_key(owner, "read:servers")
    assert (await program.get(f"/api/user/servers/{server_id}")).status_code == 200
    error = refused(await program.post(f"/api/user/servers/{server_id}/power/shutdown"), 403, "invalid_scope")
    assert error["required_scope"] == "write:servers"
    assert refused(await program.get("/api/user"), 403, "invalid_scope")["required_scope"] == "read:user"
    async with database.acquire() as db:
        assert await db.fetch("select 1 from server_actions") == []


async def test_a_write_scope_does_not_read(api_key: KeyClient, owner: Person) -> None:
    program = await api_key(owner, "write:servers")
    assert refused(await program.get("/api/user/servers"), 403, "invalid_scope")["required_scope"] == "read:servers"


async def test_an_operation_without_a_scope_takes_no_keys(api_key: KeyClient, staff: Person) -> None:
    program = await api_key(staff, *sorted(STAFF_SCOPES))
    refused(await program.post("/api/auth/logout"), 403, "key_not_allowed")
    assert (await program.get("/servers")).status_code == 403


async def test_a_clients_key_opens_nothing_of_the_staffs(api_key: KeyClient, owner: Person) -> None:
    program = await api_key(owner, *sorted(USER_SCOPES))
    refused(await program.get("/api/admin/servers"), 403, "forbidden")
    refused(await program.get("/api/admin/jobs"), 403, "invalid_scope")


async def test_a_key_of_former_staff_opens_nothing_of_the_staffs(
    api_key: KeyClient, staff: Person, database: Database
) -> None:
    program = await api_key(staff, "admin:system", "read:servers")
    assert (await program.get("/api/admin/jobs")).status_code == 200
    await run(database, set_role, staff.user_id, Role.CLIENT)
    refused(await program.get("/api/admin/jobs"), 403, "forbidden")
    refused(await program.get("/api/admin/servers"), 403, "forbidden")


# --- the end of a key ---


async def test_it_ends_when_it_was_to_end(api_key: KeyClient, owner: Person, database: Database) -> None:
    program = await api_key(owner, "read:user", expires_at=datetime.now(UTC) + timedelta(days=30))
    assert (await program.get("/api/user")).status_code == 200
    await run(database, expire_keys)
    refused(await program.get("/api/user"), 401, "invalid_api_key")


async def test_a_revoked_one_is_refused_at_once(
    makers: Makers, make_client: MakeClient, owner: Person, stranger: Person, database: Database
) -> None:
    key = await makers.key(owner, ["read:user"])
    program = await make_client(headers={"Authorization": f"Bearer {key.key}"})
    async with database.transaction() as tx:
        assert await queries.revoke_key.run(tx, key.record.id, stranger.user_id) == 0
    assert (await program.get("/api/user")).status_code == 200
    await run(database, queries.revoke_key, key.record.id, owner.user_id)
    refused(await program.get("/api/user"), 401, "invalid_api_key")


async def test_defect_28_it_is_dead_while_its_user_is_disabled(
    api_key: KeyClient, owner: Person, database: Database
) -> None:
    program = await api_key(owner, "read:user")
    async with database.transaction() as tx:
        await service.set_disabled(tx, owner.user_id, disabled=True)
    refused(await program.get("/api/user"), 403, "account_disabled")
    async with database.transaction() as tx:
        await service.set_disabled(tx, owner.user_id, disabled=False)
    assert (await program.get("/api/user")).status_code == 200


async def test_it_is_dead_without_its_user(api_key: KeyClient, owner: Person, database: Database) -> None:
    program = await api_key(owner, "read:user")
    await run(database, remove_user, owner.user_id)
    refused(await program.get("/api/user"), 401, "invalid_api_key")


async def test_it_is_dead_when_its_user_left_the_customer(
    api_key: KeyClient, owner: Person, database: Database
) -> None:
    program = await api_key(owner, "read:user")
    await run(database, leave, owner.user_id)
    refused(await program.get("/api/user"), 401, "invalid_api_key")


# --- the header ---


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer hw_", "Bearer hw_unknown", "Bearer unknown", "Basic YTpi", "hw_x", "Token hw_x"],
)
async def test_a_bad_header_is_refused_and_never_falls_back_to_the_cookie(
    sign_in: SignIn, owner: Person, header: str
) -> None:
    ada = await sign_in(owner)
    answer = await ada.get("/api/user", headers={"Authorization": header})
    refused(answer, 401, "invalid_api_key")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert (await ada.get("/api/user")).status_code == 200


async def test_a_bad_header_is_refused_on_public_operations_too(client: Client, owner: Person) -> None:
    bad = {"Authorization": "Bearer hw_unknown"}
    wanted = {"username": owner.username, "password": "whatever-it-is"}
    refused(await client.post("/api/auth/login", json=wanted, headers=bad), 401, "invalid_api_key")
    refused(await client.post("/api/auth/register", json=wanted, headers=bad), 401, "invalid_api_key")


async def test_a_good_header_makes_cookies_ignored(
    sign_in: SignIn, makers: Makers, owner: Person, stranger: Person
) -> None:
    ada = await sign_in(owner)
    key = await makers.key(stranger, ["read:user"])
    answer = await ada.get("/api/user", headers={"Authorization": f"Bearer {key.key}"})
    assert answer.json()["id"] == stranger.user_id
    lower = await ada.get("/api/user", headers={"Authorization": f"bearer {key.key}"})
    assert lower.json()["id"] == stranger.user_id


async def test_a_key_is_taken_from_nowhere_else(client: Client, makers: Makers, owner: Person) -> None:
    key = (await makers.key(owner, ["read:user"])).key
    for answer in (
        await client.get("/api/user", headers={"X-API-Key": key}),
        await client.get("/api/user", params={"api_key": key}),
        await client.get("/api/user", headers={"Cookie": f"hw_session={key}"}),
    ):
        refused(answer, 401, "unauthorized")


async def test_a_key_is_for_one_customer(api_key: KeyClient, makers: Makers, owner: Person, stranger: Person) -> None:
    await makers.member(owner, stranger.customer_id)
    program = await api_key(owner, "read:user")
    for customer_id, status in ((owner.customer_id, 200), (stranger.customer_id, 404), (0, 404)):
        answer = await program.get("/api/user", headers={"Hostwright-Customer": str(customer_id)})
        assert answer.status_code == status


async def test_last_use_is_noted(api_key: KeyClient, owner: Person, database: Database) -> None:
    program = await api_key(owner, "read:user")
    await program.get("/api/user")
    async with database.acquire() as db:
        (row,) = await db.fetch("select last_used_at > now() - interval '1 minute' as lately from api_keys")
    assert row["lately"] is True


# --- 100 a minute ---


def limits(answer: httpx.Response) -> tuple[int, int, int]:
    names = ("limit", "remaining", "reset")
    limit, remaining, reset = (int(answer.headers[f"x-ratelimit-{name}"]) for name in names)
    return limit, remaining, reset


async def test_every_answer_to_a_key_says_how_much_is_left(api_key: KeyClient, owner: Person, makers: Makers) -> None:
    suspended = await makers.server(owner.customer_id, state="suspended")
    program = await api_key(owner, "read:servers", "write:servers")
    answers = [
        await program.get("/api/user/servers"),
        await program.get("/api/user/servers?page=0"),
        await program.get("/api/user"),
        await program.get("/api/user/servers/999999"),
        await program.post(f"/api/user/servers/{suspended}/power/boot"),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 403, 404, 409]
    problems(answers[1])
    found = [limits(answer) for answer in answers]
    assert [limit for limit, _, _ in found] == [100] * 5
    remaining = [left for _, left, _ in found]
    assert remaining[0] == 99
    assert remaining == sorted(remaining, reverse=True)
    assert remaining[-1] in {95, 96}  # one comes back each 600 ms
    assert all(0 <= reset - time.time() <= 62 for _, _, reset in found)


async def test_browsers_and_strangers_see_no_limits(client: Client, sign_in: SignIn, owner: Person) -> None:
    for answer in (await client.get("/api/user"), await (await sign_in(owner)).get("/api/user")):
        assert not [name for name in answer.headers if name.startswith("x-ratelimit")]


async def test_a_hundred_a_minute_under_fifty_callers_of_two_processes(
    makers: Makers, make_app: MakeApp, make_client: MakeClient, owner: Person
) -> None:
    key = (await makers.key(owner, ["read:user"])).key
    programs = [await make_client(app=await make_app(), headers={"Authorization": f"Bearer {key}"}) for _ in range(2)]
    turns = iter(range(200))

    async def call(program: Client) -> list[httpx.Response]:
        return [await program.get("/api/user") for _ in turns]

    began = time.monotonic()
    groups = await asyncio.gather(*(call(programs[number % 2]) for number in range(50)))
    seconds = time.monotonic() - began
    answers = [answer for group in groups for answer in group]
    assert len(answers) == 200
    passed = sum(answer.status_code == 200 for answer in answers)
    assert 100 <= passed <= 100 + int(seconds / 0.6) + 1, "one comes back each 600 ms"
    for answer in answers:
        if answer.status_code != 200:
            refused(answer, 429, "rate_limited")
            assert limits(answer)[:2] == (100, 0)
            assert answer.headers["retry-after"] == "1"


async def test_one_keys_limit_is_not_anothers(
    makers: Makers, make_client: MakeClient, owner: Person, database: Database
) -> None:
    first, second = [(await makers.key(owner, ["read:user"])).key for _ in range(2)]
    spent = await make_client(headers={"Authorization": f"Bearer {first}"})
    while (await spent.get("/api/user")).status_code == 200:
        pass
    other = await make_client(headers={"Authorization": f"Bearer {second}"})
    assert limits(await other.get("/api/user"))[1] == 99


async def test_a_refused_request_counts_although_its_transaction_is_rolled_back(
    api_key: KeyClient, owner: Person, makers: Makers, database: Database
) -> None:
    suspended = await makers.server(owner.customer_id, state="suspended")
    program = await api_key(owner, "write:servers")
    lefts = [limits(await program.post(f"/api/user/servers/{suspended}/power/boot"))[1] for _ in range(10)]
    assert lefts[-1] < 95
    async with database.acquire() as db:
        assert await db.fetch("select 1 from server_actions") == []
