"""People make, list and revoke their own API keys; no key does; and a key can ask whose it is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hostwright.app import App
from hostwright.audit.service import entries
from hostwright.core.db import Command, Database, Scalar
from hostwright.core.scope import OwnedBy
from hostwright.identity import service
from hostwright.identity.policy import STAFF_SCOPES, USER_SCOPES
from hostwright.identity.records import MemberRole
from hostwright.web.openapi import scopes_asked_for
from tests.support.app import Client, KeyClient, MakeClient, Makers, Person, SignIn, problems, refused

KEYS = "/api/user/api-keys"
ME = ("/api/me", "/api/user/me", "/api/v1/me")

expire_keys = Command("update api_keys set expires_at = now()")
leave = Command("delete from members where user_id = $1 and customer_id = $2")
stored_keys = Scalar(int, "select count(*) from api_keys")
revoked_keys = Scalar(int, "select count(*) from api_keys where revoked_at is not null")
waiting = Scalar(int, "select count(*) from pg_locks where not granted")
fill = Command(
    """
    insert into api_keys (key_hash, prefix, name, user_id, customer_id, scopes, expires_at)
    select sha256(n::text::bytea), 'hw_fill', 'full', $1, $2, '{read:user}', $4::timestamptz
    from generate_series(1, $3::int) n
    """
)


def wanted(**changes: Any) -> dict[str, Any]:
    return {"name": "backup", "scopes": ["read:servers", "read:user"]} | changes


async def count(database: Database, query: Scalar[int]) -> int:
    async with database.acquire() as db:
        return await query.value(db)


async def run(database: Database, command: Command, *args: object) -> None:
    async with database.transaction() as tx:
        assert await command.run(tx, *args)


async def actions(database: Database, person: Person) -> list[tuple[str, str | None]]:
    async with database.acquire() as db:
        page = await entries(db, OwnedBy(person.customer_id))
    return [(row.action, row.object_label) for row in page.rows]


# --- over the API ---


async def test_a_key_is_made_shown_once_used_listed_and_revoked(
    sign_in: SignIn, make_client: MakeClient, owner: Person, database: Database
) -> None:
    ada = await sign_in(owner)
    assert (await ada.get(KEYS)).json() == {"items": []}
    answer = await ada.post(KEYS, json=wanted(expiresInDays=30))
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    made = answer.json()
    key = made.pop("key")
    assert key.startswith(made["prefix"])
    assert made["prefix"].startswith("hw_")
    ends = datetime.fromisoformat(made.pop("expiresAt")) - datetime.now(UTC)
    assert timedelta(days=29, hours=23) < ends <= timedelta(days=30, minutes=1)
    assert {name: made[name] for name in ("name", "scopes", "customer", "active", "lastUsedAt")} == {
        "name": "backup",
        "scopes": ["read:servers", "read:user"],
        "customer": {"id": owner.customer_id, "name": owner.customer_name},
        "active": True,
        "lastUsedAt": None,
    }
    program = await make_client(headers={"Authorization": f"Bearer {key}"})
    assert (await program.get("/api/me")).status_code == 200
    listed = await ada.get(KEYS)
    assert key not in listed.text
    (item,) = listed.json()["items"]
    assert item.pop("lastUsedAt") is not None
    item.pop("expiresAt")
    made.pop("lastUsedAt")
    assert item == made
    gone = await ada.delete(f"{KEYS}/{made['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    refused(await program.get("/api/me"), 401, "invalid_api_key")
    assert (await ada.get(KEYS)).json() == {"items": []}
    refused(await ada.delete(f"{KEYS}/{made['id']}"), 404, "not_found")
    assert await actions(database, owner) == [("api_key.revoked", "backup"), ("api_key.created", "backup")]


async def test_a_key_without_an_end_does_not_end(sign_in: SignIn, owner: Person) -> None:
    answer = await (await sign_in(owner)).post(KEYS, json=wanted())
    assert answer.json()["expiresAt"] is None


async def test_neither_the_key_nor_its_hash_is_kept_in_audit_or_answers(
    sign_in: SignIn, owner: Person, database: Database, migrated_tables: frozenset[str]
) -> None:
    key = (await (await sign_in(owner)).post(KEYS, json=wanted())).json()["key"]
    async with database.acquire() as db:
        for table in sorted(migrated_tables):
            text = " ".join(each["text"] for each in await db.fetch(f"select t::text as text from {table} t"))
            assert key not in text, table


async def test_defect_28_no_scope_beyond_the_role(
    sign_in: SignIn, owner: Person, staff: Person, database: Database
) -> None:
    ada = await sign_in(owner)
    for scope in ("admin:users", "admin:billing", "admin:system", "*", "admin:*", "write:everything"):
        answer = await ada.post(KEYS, json=wanted(scopes=["read:user", scope]))
        assert problems(answer) == {"scopes": f"may not hold {scope}"}
    assert await count(database, stored_keys) == 0
    every = await (await sign_in(staff)).post(KEYS, json=wanted(scopes=sorted(STAFF_SCOPES)))
    assert every.json()["scopes"] == sorted(STAFF_SCOPES)


async def test_defect_28_a_user_disabled_meanwhile_gets_no_key(
    sign_in: SignIn, owner: Person, database: Database
) -> None:
    """Staff disable while the request waits for the user's row: their sessions are ended in the same transaction."""
    ada = await sign_in(owner)
    async with database.transaction() as tx:
        await service.set_disabled(tx, owner.user_id, disabled=True)
        asked = asyncio.create_task(ada.post(KEYS, json=wanted()))
        while not await count(database, waiting):  # the statement that locks the user
            await asyncio.sleep(0.01)
    refused(await asked, 403, "account_disabled")
    assert await count(database, stored_keys) == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "nul\0"}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": 7}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": "read:user"}, "scopes"),
        ({"scopes": ["read:user"] * 41}, "scopes"),
        ({"scopes": ["x" * 10_000]}, "scopes"),
        ({"scopes": None}, "scopes"),
        ({"expiresInDays": 0}, "expiresInDays"),
        ({"expiresInDays": -1}, "expiresInDays"),
        ({"expiresInDays": 366}, "expiresInDays"),
        ({"expiresInDays": 1.5}, "expiresInDays"),
        ({"expiresInDays": 10**30}, "expiresInDays"),
        ({"userId": 1}, "userId"),
    ],
)
async def test_what_makes_no_sense_makes_no_key(
    sign_in: SignIn, owner: Person, database: Database, changes: dict[str, Any], field: str
) -> None:
    answer = await (await sign_in(owner)).post(KEYS, json=wanted(**changes))
    assert list(problems(answer)) == [field]
    assert await count(database, stored_keys) == 0
    assert await actions(database, owner) == []


async def test_names_are_kept_as_they_are(sign_in: SignIn, owner: Person) -> None:
    ada = await sign_in(owner)
    name = "<b>Sicherung</b> \u202e 🔑 'x'; --"
    assert (await ada.post(KEYS, json=wanted(name=name))).json()["name"] == name
    page = (await ada.get("/account/keys")).text
    assert "<b>Sicherung" not in page
    assert "&lt;b&gt;Sicherung" in page


async def test_no_key_makes_lists_or_revokes_keys(api_key: KeyClient, owner: Person, database: Database) -> None:
    program = await api_key(owner, *sorted(USER_SCOPES))
    async with database.acquire() as db:
        (row,) = await db.fetch("select id from api_keys")
    for answer in (
        await program.get(KEYS),
        await program.post(KEYS, json=wanted()),
        await program.delete(f"{KEYS}/{row['id']}"),
        await program.post("/account/keys", data={"name": "more", "scopes": "read:user"}),
    ):
        assert answer.status_code == 403
    assert (await count(database, stored_keys), await count(database, revoked_keys)) == (1, 0)


async def test_another_persons_key_is_not_there(
    sign_in: SignIn, makers: Makers, owner: Person, stranger: Person, database: Database
) -> None:
    """Nor that of a colleague at the same customer, nor for staff."""
    key_id = (await makers.key(owner, ["read:user"])).record.id
    await makers.member(stranger, owner.customer_id)
    charles = await sign_in(stranger)
    customer = {"Hostwright-Customer": str(owner.customer_id)}
    assert (await charles.get(KEYS, headers=customer)).json() == {"items": []}
    refused(await charles.delete(f"{KEYS}/{key_id}", headers=customer), 404, "not_found")
    assert (await charles.post(f"/account/keys/{key_id}/revoke", headers=customer)).status_code == 404
    assert await count(database, revoked_keys) == 0
    assert await actions(database, owner) == []


async def test_a_key_is_for_the_customer_that_the_request_names(
    sign_in: SignIn, makers: Makers, owner: Person, stranger: Person, database: Database
) -> None:
    await makers.member(owner, stranger.customer_id, MemberRole.VIEWER)
    ada = await sign_in(owner)
    refused(await ada.post(KEYS, json=wanted()), 400, "customer_required")
    header = {"Hostwright-Customer": str(stranger.customer_id)}
    made = (await ada.post(KEYS, json=wanted(), headers=header)).json()
    assert made["customer"] == {"id": stranger.customer_id, "name": stranger.customer_name}
    await run(database, leave, owner.user_id, stranger.customer_id)
    (item,) = (await ada.get(KEYS)).json()["items"]
    assert (item["id"], item["active"]) == (made["id"], False)
    assert "No longer works" in (await ada.get("/account/keys")).text
    assert (await ada.delete(f"{KEYS}/{made['id']}")).status_code == 204


async def test_an_expired_key_is_listed_as_such_and_can_be_cleared_away(
    sign_in: SignIn, makers: Makers, owner: Person, database: Database
) -> None:
    key_id = (await makers.key(owner, ["read:user"])).record.id
    await run(database, expire_keys)
    ada = await sign_in(owner)
    (item,) = (await ada.get(KEYS)).json()["items"]
    assert item["active"] is False
    assert ">Expired</span>" in (await ada.get("/account/keys")).text
    assert (await ada.delete(f"{KEYS}/{key_id}")).status_code == 204


async def test_fifty_work_at_once_however_many_ask(
    sign_in: SignIn, owner: Person, stranger: Person, database: Database
) -> None:
    await run(database, fill, owner.user_id, owner.customer_id, 48, None)
    ada = await sign_in(owner)
    answers = await asyncio.gather(*(ada.post(KEYS, json=wanted(name=f"key {n}")) for n in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [409] * 6
    refused(next(answer for answer in answers if answer.status_code == 409), 409, "too_many_api_keys")
    assert await count(database, stored_keys) == 50
    assert len((await ada.get(KEYS)).json()["items"]) == 50
    assert len(await actions(database, owner)) == 2
    assert (await (await sign_in(stranger)).post(KEYS, json=wanted())).status_code == 201
    await run(database, expire_keys)
    assert (await ada.post(KEYS, json=wanted())).status_code == 201


async def test_two_who_revoke_at_once_revoke_once(
    sign_in: SignIn, makers: Makers, owner: Person, database: Database
) -> None:
    key_id = (await makers.key(owner, ["read:user"])).record.id
    ada = await sign_in(owner)
    answers = await asyncio.gather(*(ada.delete(f"{KEYS}/{key_id}") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [204, 404, 404, 404]
    assert await actions(database, owner) == [("api_key.revoked", "tests")]


async def test_without_the_csrf_token_nothing_happens(
    sign_in: SignIn, makers: Makers, owner: Person, database: Database
) -> None:
    key_id = (await makers.key(owner, ["read:user"])).record.id
    ada = await sign_in(owner)
    del ada.headers["X-CSRF-Token"]
    for answer in (await ada.post(KEYS, json=wanted()), await ada.delete(f"{KEYS}/{key_id}")):
        refused(answer, 403, "csrf_failed")
    assert (await count(database, stored_keys), await count(database, revoked_keys)) == (1, 0)


# --- whose key it is ---


async def test_a_key_asks_whose_it_is(api_key: KeyClient, owner: Person, database: Database) -> None:
    program = await api_key(owner, "read:user", "read:servers")
    user = (await program.get("/api/user")).json()
    me, same, more = [(await program.get(path)).json() for path in ME]
    assert me == same == user
    key = more.pop("key")
    assert more == user
    async with database.acquire() as db:
        (row,) = await db.fetch("select id, prefix from api_keys")
    assert (key["id"], key["prefix"], key["name"], key["active"]) == (row["id"], row["prefix"], "tests", True)
    assert key["scopes"] == ["read:servers", "read:user"]
    assert key["customer"] == {"id": owner.customer_id, "name": owner.customer_name}
    assert not {"passwordHash", "password", "keyHash"} & {*more, *key}


@pytest.mark.parametrize("path", ME)
async def test_only_keys_ask_that(
    sign_in: SignIn, client: Client, api_key: KeyClient, owner: Person, makers: Makers, path: str
) -> None:
    refused(await (await sign_in(owner)).get(path), 401, "unauthorized")
    refused(await client.get(path), 401, "unauthorized")
    blind = await api_key(owner, "read:servers")
    assert refused(await blind.get(path), 403, "invalid_scope")["required_scope"] == "read:user"
    key = (await makers.key(owner, ["read:user"])).key
    refused(await client.get(path, headers={"X-API-Key": key}), 401, "unauthorized")  # DEFECT-60: one header


# --- the page ---


async def test_the_page_without_keys_says_what_they_are_for(sign_in: SignIn, owner: Person) -> None:
    answer = await (await sign_in(owner)).get("/account/keys")
    assert answer.headers["cache-control"] == "no-store"
    assert "No keys yet" in answer.text
    assert "curl -H &#34;Authorization: Bearer hw_…&#34; http://panel.test/api/me" in answer.text
    assert 'href="/api/openapi.json"' in answer.text
    assert 'href="/account/keys?add=1"' in answer.text


async def test_the_form_offers_what_the_role_allows_and_an_operation_asks_for(
    app: App, sign_in: SignIn, owner: Person, staff: Person
) -> None:
    asked_for = scopes_asked_for(app.litestar)
    assert {"read:user", "read:servers", "write:servers", "admin:system"} <= asked_for <= STAFF_SCOPES
    for person, scopes in ((owner, USER_SCOPES), (staff, STAFF_SCOPES)):
        page = (await (await sign_in(person)).get("/account/keys?add=1")).text
        assert {scope for scope in STAFF_SCOPES if f'value="{scope}"' in page} == scopes & asked_for


async def test_the_form_makes_a_key_and_shows_it_this_once(
    sign_in: SignIn, make_client: MakeClient, owner: Person, database: Database
) -> None:
    ada = await sign_in(owner)
    form = {"name": " backup ", "scopes": ["read:user", "read:servers"], "expiresInDays": "30"}
    answer = await ada.post("/account/keys", data=form)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "location" not in answer.headers
    key = answer.text.partition('data-copy="hw_')[2].partition('"')[0]
    program = await make_client(headers={"Authorization": f"Bearer hw_{key}"})
    found = (await program.get("/api/v1/me")).json()["key"]
    assert (found["name"], found["scopes"]) == ("backup", ["read:servers", "read:user"])
    again = await ada.get("/account/keys")
    assert key not in again.text
    assert "backup" in again.text
    gone = await ada.post(f"/account/keys/{found['id']}/revoke")
    assert (gone.status_code, gone.headers["location"]) == (303, "/account/keys")
    refused(await program.get("/api/v1/me"), 401, "invalid_api_key")
    assert [action for action, _ in await actions(database, owner)] == ["api_key.revoked", "api_key.created"]


async def test_a_refused_form_comes_back_filled_in(sign_in: SignIn, owner: Person, database: Database) -> None:
    ada = await sign_in(owner)
    empty = await ada.post("/account/keys", data={"name": "backup", "expiresInDays": "365"})
    assert empty.status_code == 422
    assert "Choose at least one." in empty.text
    assert 'value="backup"' in empty.text
    assert '<option value="365" selected>' in empty.text
    for days in ("x", "9" * 40, "٣", "0"):
        form = {"name": "", "scopes": "write:servers", "expiresInDays": days}
        bad = await ada.post("/account/keys", data=form)
        assert bad.status_code == 422, days
        assert 'value="write:servers" checked' in bad.text
    assert (await ada.post("/account/keys", data={"name": "x", "scopes": "admin:system"})).status_code == 422
    assert await count(database, stored_keys) == 0


async def test_the_form_says_when_there_are_enough(sign_in: SignIn, owner: Person, database: Database) -> None:
    await run(database, fill, owner.user_id, owner.customer_id, 50, None)
    ada = await sign_in(owner)
    answer = await ada.post("/account/keys", data={"name": "one more", "scopes": "read:user"})
    assert answer.status_code == 409
    assert "You have 50 API keys already. Revoke one before you make another." in answer.text
    assert await count(database, stored_keys) == 50
