"""No password, token, key or hash in any answer or log, from registering to signing out."""

from __future__ import annotations

import re
from typing import Any

from hostwright.core.db import Database
from hostwright.identity.records import Role
from tests.support.app import PASSWORD, Client, MakeApp, MakeClient, Makers, Person
from tests.support.logs import Lines

MAIL = "ada@example.com"


async def hashes(database: Database) -> list[str]:
    async with database.acquire() as db:
        rows = await db.fetch("select password_hash from users")
        keys = await db.fetch("select encode(key_hash, 'hex') as hex from api_keys")
        sessions = await db.fetch("select encode(token_hash, 'hex') as hex from sessions")
    return [row[0] for row in (*rows, *keys, *sessions)]


async def test_defect_23_and_26_a_whole_life_leaves_no_secret_behind(
    make_app: MakeApp, make_client: MakeClient, makers: Makers, database: Database, log_lines: Lines
) -> None:
    """With the logs at their most talkative."""
    app = await make_app(log_level="debug")
    client = await make_client(app=app)
    bodies: list[str] = []

    async def call(caller: Client, method: str, path: str, **options: Any) -> None:
        answer = await caller.request(method, path, **options)
        bodies.append(answer.text)

    account = {"username": "ada", "email": MAIL, "fullName": "Ada Lovelace", "password": PASSWORD}
    await call(client, "POST", "/api/auth/register", json=account)
    first = dict(client.cookies)
    await call(client, "POST", "/api/auth/logout", headers={"X-CSRF-Token": first["hw_csrf"]})
    await call(client, "POST", "/api/auth/login", json={"username": "ada", "password": PASSWORD + "x"})
    await call(client, "POST", "/api/auth/login", json={"username": MAIL, "password": PASSWORD})
    second = dict(client.cookies)
    for path in ("/api/user", "/servers", "/account/sessions", "/api/openapi.json", "/metrics", "/health/ready"):
        await call(client, "GET", path)
    await call(client, "POST", "/sign-in", data={"username": "ada", "password": PASSWORD, "csrf": second["hw_csrf"]})
    third = dict(client.cookies)

    async with database.acquire() as db:
        (user,) = await db.fetch("select id from users")
        (member,) = await db.fetch("select customer_id from members")
    ada = Person(user["id"], "ada", MAIL, "Ada Lovelace", Role.CLIENT, member["customer_id"], "")
    key = (await makers.key(ada, ["read:user"])).key
    program = await make_client(app=app, headers={"Authorization": f"Bearer {key}"})
    await call(program, "GET", "/api/user")
    await call(program, "GET", "/api/user/servers")
    await call(await make_client(app=app, headers={"Authorization": f"Bearer {key}x"}), "GET", "/api/user")
    await call(client, "POST", "/sign-out", headers={"X-CSRF-Token": third["hw_csrf"]})

    tokens = [cookies["hw_session"] for cookies in (first, second, third)]
    csrf = [cookies["hw_csrf"] for cookies in (first, second, third)]
    assert len(set(tokens)) == 3
    everything = "\n".join(bodies)
    for secret in (PASSWORD, *tokens, key, *await hashes(database), "$argon2id$"):
        assert secret not in everything
        assert secret not in log_lines.text
    for secret in (*csrf, MAIL):
        assert secret not in log_lines.text
    assert len(log_lines.named("request")) >= 10, "the log did say something"


async def test_a_crash_in_the_middle_of_a_sign_in_logs_no_password(
    client: Client, owner: Person, database: Database, log_lines: Lines
) -> None:
    async with database.transaction() as tx:
        await tx.execute("alter table sessions rename to elsewhere")
    try:
        answer = await client.post("/api/auth/login", json={"username": owner.username, "password": PASSWORD})
    finally:
        async with database.transaction() as tx:
            await tx.execute("alter table elsewhere rename to sessions")
    assert answer.status_code == 500
    (line,) = log_lines.named("request.failed")
    assert "UndefinedTableError" in line["exception"]
    for secret in (PASSWORD, owner.email):
        assert secret not in log_lines.text
        assert secret not in answer.text


async def test_answers_hold_exactly_the_fields_of_their_model(client: Client, owner: Person) -> None:
    answer = await client.post("/api/auth/login", json={"username": owner.username, "password": PASSWORD})
    assert set(answer.json()) == {
        "id",
        "username",
        "email",
        "fullName",
        "role",
        "language",
        "emailVerified",
        "createdAt",
        "customer",
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", answer.json()["createdAt"])
