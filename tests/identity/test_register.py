"""A visitor makes an account: an allow-list of fields, names and addresses that are unique ignoring case."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from hostwright.core.db import Database
from tests.support.app import PASSWORD, Client, MakeClient, Person, problems, refused

GOOD = {"username": "ada", "email": "ada@example.com", "fullName": "Ada Lovelace", "password": PASSWORD}


async def register(client: Client, **changes: Any) -> httpx.Response:
    return await client.post("/api/auth/register", json={**GOOD, **changes})


async def count(database: Database, table: str) -> int:
    async with database.acquire() as db:
        return len(await db.fetch(f"select 1 from {table}"))


async def test_an_account_a_customer_and_a_session_are_made(client: Client, database: Database) -> None:
    answer = await register(client)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    user = answer.json()
    customer = user["customer"]
    assert user == {
        "id": user["id"],
        "username": "ada",
        "email": "ada@example.com",
        "fullName": "Ada Lovelace",
        "role": "client",
        "language": "en",
        "emailVerified": False,
        "createdAt": user["createdAt"],
        "customer": {"id": customer["id"], "name": "Ada Lovelace", "role": "owner"},
    }
    assert (await client.get("/api/user")).json() == user
    assert [await count(database, table) for table in ("users", "customers", "members", "sessions")] == [1, 1, 1, 1]


async def test_it_is_audited_and_announced(client: Client, database: Database) -> None:
    answer = await register(client)
    user = answer.json()
    async with database.acquire() as db:
        (line,) = await db.fetch("select * from audit_log")
        (event,) = await db.fetch("select name, payload::text as payload from events")
    assert (line["action"], line["outcome"], line["actor_id"]) == ("user.registered", "done", user["id"])
    assert (line["customer_id"], line["object_label"]) == (user["customer"]["id"], "ada")
    assert (line["address"], line["request_id"]) == ("127.0.0.1", answer.headers["x-request-id"])
    assert event["name"] == "identity.UserRegistered"
    assert "ada" not in event["payload"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("role", "admin"),
        ("id", 1),
        ("customerId", 1),
        ("customer_id", 1),
        ("virtFusionId", 7),
        ("isActive", True),
        ("isVerified", True),
        ("emailVerified", True),
        ("credit", 1000),
        ("disabledAt", None),
        ("passwordHash", "x"),
        ("full_name", "Ada"),
    ],
)
async def test_defect_04_only_the_listed_fields_are_taken(
    client: Client, database: Database, field: str, value: Any
) -> None:
    assert problems(await register(client, **{field: value})) == {field: "is not known"}
    assert await count(database, "users") == 0


async def test_defect_04_the_form_takes_only_the_listed_fields_too(client: Client, database: Database) -> None:
    form = {**GOOD, "role": "admin", "disabledAt": "", "emailVerified": "true"}
    answer = await client.post("/register", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/servers")
    user = (await client.get("/api/user")).json()
    assert (user["role"], user["emailVerified"]) == ("client", False)
    assert (await client.get("/admin/jobs")).status_code == 403


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"username": "ADA"}, {"username": "is taken"}),
        ({"username": "other", "email": "Ada@Example.COM"}, {"email": "has an account already; sign in instead"}),
        ({"username": "Ada"}, {"username": "is taken"}),
        (
            {"username": "aDa", "email": "ADA@example.com"},
            {"username": "is taken", "email": "has an account already; sign in instead"},
        ),
    ],
)
async def test_names_and_addresses_are_unique_ignoring_case(
    client: Client, make_client: MakeClient, database: Database, changes: dict[str, str], expected: dict[str, str]
) -> None:
    assert (await register(client)).status_code == 201
    other = {"email": "other@example.com", **changes}
    assert problems(await register(await make_client(), **other)) == expected
    assert [await count(database, table) for table in ("users", "customers", "sessions")] == [1, 1, 1]


async def test_of_many_at_once_one_gets_the_name(client: Client, database: Database) -> None:
    answers = await asyncio.gather(*(register(client) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 7
    for answer in answers:
        if answer.status_code == 400:
            assert set(problems(answer)) == {"username", "email"}
    assert [await count(database, table) for table in ("users", "customers", "members")] == [1, 1, 1]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"username": "ab"}, {"username": "expected `str` of length >= 3"}),
        ({"username": "a" * 41}, {"username": "expected `str` of length <= 40"}),
        ({"username": "ada@example.com"}, {"username"}),
        ({"username": "ada lovelace"}, {"username"}),
        ({"username": "-ada"}, {"username"}),
        ({"username": "ada\n"}, {"username"}),
        ({"email": "ada@example.com\n"}, {"email"}),
        ({"email": "ada"}, {"email"}),
        ({"email": "a@b@c.example"}, {"email"}),
        ({"email": "ada @example.com"}, {"email"}),
        ({"email": "a@" + "b" * 250 + ".example"}, {"email": "expected `str` of length <= 254"}),
        ({"fullName": ""}, {"fullName": "expected `str` of length >= 1"}),
        ({"fullName": "a" * 121}, {"fullName": "expected `str` of length <= 120"}),
        ({"password": "short-7"}, {"password": "expected `str` of length >= 8"}),
        ({"password": "x" * 257}, {"password": "expected `str` of length <= 256"}),
        ({"password": "Password123"}, {"password": "is too easy to guess"}),
        ({"password": "aaaaaaab"}, {"password": "is too easy to guess"}),
        ({"password": "ADA@example.com"}, {"password": "must differ from your name and address"}),
        (
            {"username": "adalovelace", "password": "AdaLovelace"},
            {"password": "must differ from your name and address"},
        ),
    ],
)
async def test_bad_fields_are_named_and_nothing_is_made(
    client: Client, database: Database, changes: dict[str, str], expected: dict[str, str] | set[str]
) -> None:
    found = problems(await register(client, **changes))
    assert (found if isinstance(expected, dict) else set(found)) == expected
    assert await count(database, "users") == 0


@pytest.mark.parametrize(
    "password", ["kV7-tulip-9zQ", "пароль-из-слов", "correct horse battery staple", "🌷🌻🌼🌸🌺🍀🌿🍁"]
)
async def test_any_password_of_enough_length_works_afterwards(
    client: Client, make_client: MakeClient, password: str
) -> None:
    assert (await register(client, password=password)).status_code == 201
    again = await make_client()
    answer = await again.post("/api/auth/login", json={"username": "ada", "password": password})
    assert answer.status_code == 200


async def test_the_form_comes_back_filled_in_with_its_errors(client: Client, database: Database) -> None:
    answer = await client.post("/register", data={**GOOD, "email": "nonsense", "password": "short"})
    assert answer.status_code == 422
    assert 'value="ada"' in answer.text
    assert 'value="nonsense"' in answer.text
    assert 'value="short"' not in answer.text
    assert answer.text.count('aria-invalid="true"') == 2
    assert "set-cookie" not in answer.headers
    assert await count(database, "users") == 0


async def test_somebody_who_is_signed_in_is_sent_home(client: Client) -> None:
    await register(client)
    answer = await client.get("/register")
    assert (answer.status_code, answer.headers["location"]) == (303, "/servers")


async def test_registering_over_a_session_needs_its_token(client: Client, owner: Person, database: Database) -> None:
    await register(client)
    refused(await register(client, username="second", email="second@example.com"), 403, "csrf_failed")
    assert await count(database, "users") == 2  # the owner fixture's and Ada's


async def test_ten_accounts_from_one_address_then_some_minutes(make_client: MakeClient, database: Database) -> None:
    here, elsewhere = await make_client("203.0.113.5"), await make_client("198.51.100.7")
    for number in range(10):
        assert (await register(here, username=f"ada{number}", email=f"ada{number}@example.com")).status_code == 201
        here.cookies.clear()
    refused(await register(here, username="ada10", email="ada10@example.com"), 429, "rate_limited")
    # Nor does it tell any more which addresses have an account.
    refused(await register(here, username="ada11", email="ada1@example.com"), 429, "rate_limited")
    assert await count(database, "users") == 10
    assert (await register(elsewhere, username="ada10", email="ada10@example.com")).status_code == 201
