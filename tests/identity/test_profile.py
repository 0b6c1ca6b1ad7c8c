"""One's own profile: name and language may change, nothing else does."""

from __future__ import annotations

import asyncio
from typing import Any, Final, get_args, get_type_hints

import httpx
import msgspec
import pytest

from hostwright.core.db import Command, Database
from hostwright.identity.schemas import ProfileChange
from hostwright.web.i18n import LANGUAGES
from tests.support.app import PASSWORD, Client, KeyClient, Makers, Person, SignIn, problems, refused

verify = Command("update users set email_verified_at = '2026-01-31 12:00+00' where id = $1")


LANGUAGE: Final = {"before": {"language": "en"}, "after": {"language": "de"}}
NAME: Final = {"before": {"name": "Ada Lovelace"}, "after": {"name": "Ada King"}}


async def patch(client: Client, **fields: Any) -> httpx.Response:
    return await client.patch("/api/user/profile", json=fields)


async def users(database: Database) -> list[dict[str, Any]]:
    async with database.acquire() as db:
        return [dict(row) for row in await db.fetch("select * from users order by id")]


async def changes(database: Database) -> list[dict[str, Any]]:
    async with database.acquire() as db:
        rows = await db.fetch("select detail from audit_log where action = 'user.profile_changed' order by id")
        return [msgspec.json.decode(row[0]) for row in rows]


def test_the_languages_are_those_that_we_speak() -> None:
    wanted = get_type_hints(ProfileChange)["language"]
    assert set(get_args(get_args(wanted)[0])) == set(LANGUAGES)


async def test_name_and_language_change(sign_in: SignIn, owner: Person, database: Database) -> None:
    ada = await sign_in(owner)
    answer = await patch(ada, fullName="  Ada King ", language="de")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["fullName"], body["language"], body["email"]) == ("Ada King", "de", owner.email)
    assert body["customer"]["name"] == owner.customer_name, "who pays keeps its name"
    assert (await ada.get("/api/user")).json() == body
    assert await changes(database) == [
        {"before": {"name": "Ada Lovelace", "language": "en"}, "after": {"name": "Ada King", "language": "de"}}
    ]


async def test_what_is_left_out_stays_and_what_stays_is_not_audited(
    sign_in: SignIn, owner: Person, database: Database
) -> None:
    ada = await sign_in(owner)
    assert (await patch(ada, language="de")).json()["fullName"] == "Ada Lovelace"
    assert (await patch(ada, fullName="Ada King")).json()["language"] == "de"
    assert (await patch(ada)).status_code == 200
    assert (await patch(ada, language="de", fullName="Ada King")).status_code == 200
    assert await changes(database) == [LANGUAGE, NAME]


@pytest.mark.parametrize(
    "field",
    [
        "id",
        "username",
        "email",
        "emailVerified",
        "email_verified_at",
        "role",
        "roles",
        "isActive",
        "disabled_at",
        "password",
        "password_hash",
        "customerId",
        "virtFusionId",
    ],
)
async def test_defect_04_no_other_field_can_be_set(
    sign_in: SignIn, owner: Person, database: Database, field: str
) -> None:
    ada = await sign_in(owner)
    before = await users(database)
    assert problems(await patch(ada, fullName="Ada King", **{field: "admin"})) == {field: "is not known"}
    assert await users(database) == before


async def test_defect_04_the_form_takes_no_other_field_either(
    sign_in: SignIn, owner: Person, database: Database
) -> None:
    ada = await sign_in(owner)
    form = {"fullName": "Ada King", "language": "en", "role": "admin", "email": "other@example.com"}
    assert (await ada.post("/account/profile", data=form)).status_code == 303
    (user,) = await users(database)
    assert (user["full_name"], user["role"], user["email"]) == ("Ada King", "client", owner.email)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"fullName": ""}, {"fullName": "expected `str` of length >= 1"}),
        ({"fullName": "x" * 121}, {"fullName": "expected `str` of length <= 120"}),
        ({"fullName": "   "}, {"fullName": "may not be empty or hold invisible characters"}),
        ({"fullName": "Ada\u0000"}, {"fullName": "may not be empty or hold invisible characters"}),
        ({"fullName": "Ada\u202egnik"}, {"fullName": "may not be empty or hold invisible characters"}),
        ({"fullName": "Ada\nKing"}, {"fullName": "may not be empty or hold invisible characters"}),
        ({"language": "tlh"}, {"language": "invalid enum value 'tlh'"}),
    ],
)
async def test_what_cannot_be_a_name_or_a_language(
    sign_in: SignIn, owner: Person, database: Database, fields: dict[str, str], expected: dict[str, str]
) -> None:
    ada = await sign_in(owner)
    before = await users(database)
    assert problems(await patch(ada, **fields)) == expected
    assert await users(database) == before


async def test_null_is_no_value(sign_in: SignIn, owner: Person, database: Database) -> None:
    ada = await sign_in(owner)
    before = await users(database)
    assert set(problems(await patch(ada, fullName=None, language=None))) == {"fullName", "language"}
    assert await users(database) == before


async def test_a_key_and_a_stranger_change_nothing(
    client: Client, api_key: KeyClient, owner: Person, database: Database
) -> None:
    program = await api_key(owner, "read:user")
    before = await users(database)
    refused(await patch(program, fullName="Eve"), 403, "key_not_allowed")
    refused(await patch(client, fullName="Eve"), 401, "unauthorized")
    assert await users(database) == before


async def test_two_at_once_both_count(sign_in: SignIn, owner: Person, database: Database) -> None:
    here, there = await sign_in(owner), await sign_in(owner)
    answers = await asyncio.gather(patch(here, fullName="Ada King"), patch(there, language="de"))
    assert [answer.status_code for answer in answers] == [200, 200]
    (user,) = await users(database)
    assert (user["full_name"], user["language"]) == ("Ada King", "de")
    written = await changes(database)
    assert sorted(written, key=str) == [LANGUAGE, NAME]


# --- what one sees ---


async def test_defect_23_the_account_shows_all_but_what_is_secret(
    client: Client, owner: Person, database: Database, makers: Makers
) -> None:
    signed = await client.post("/api/auth/login", json={"username": owner.username, "password": PASSWORD})
    (user,) = await users(database)
    answer = await client.get("/api/v1/dashboard/account")
    assert answer.status_code == 200
    found = answer.json()
    last = found.pop("lastSignInAt")
    assert msgspec.convert(last, type(user["last_sign_in_at"])) == user["last_sign_in_at"] is not None
    assert found == {
        "id": owner.user_id,
        "username": owner.username,
        "fullName": owner.full_name,
        "email": owner.email,
        "emailVerified": False,
        "roles": ["client"],
        "language": "en",
        "createdAt": signed.json()["createdAt"],
        "customer": {"id": owner.customer_id, "name": owner.customer_name, "role": "owner"},
    }


async def test_the_last_sign_in_outlives_its_session(
    sign_in: SignIn, api_key: KeyClient, owner: Person, database: Database
) -> None:
    program = await api_key(owner, "read:user")
    assert (await program.get("/api/v1/dashboard/account")).json()["lastSignInAt"] is None
    ada = await sign_in(owner)
    seen = (await program.get("/api/v1/dashboard/account")).json()["lastSignInAt"]
    assert seen is not None
    assert (await ada.post("/api/auth/logout")).status_code == 204
    assert (await program.get("/api/v1/dashboard/account")).json()["lastSignInAt"] == seen


async def test_defect_47_verification_is_told_as_it_is(
    sign_in: SignIn, api_key: KeyClient, owner: Person, database: Database
) -> None:
    ada, program = await sign_in(owner), await api_key(owner, "read:user")
    not_yet = {"email": owner.email, "emailVerified": False, "verifiedAt": None}
    for caller in (ada, program):
        assert (await caller.get("/api/verification-status")).json() == not_yet
    page = (await ada.get("/account/profile")).text
    assert "Not verified" in page
    async with database.transaction() as tx:
        await verify.run(tx, owner.user_id)
    found = (await ada.get("/api/verification-status")).json()
    assert found == {"email": owner.email, "emailVerified": True, "verifiedAt": "2026-01-31T12:00:00Z"}
    page = (await ada.get("/account/profile")).text
    assert "Not verified" not in page
    assert "Verified" in page


async def test_nobody_sees_anybody_elses(client: Client, sign_in: SignIn, owner: Person, stranger: Person) -> None:
    for path in ("/api/v1/dashboard/account", "/api/verification-status"):
        refused(await client.get(path), 401, "unauthorized")
        assert (await (await sign_in(stranger)).get(path)).json()["email"] == stranger.email


# --- the page ---


async def test_another_language_shows_at_once_whatever_the_browser_chose_before(sign_in: SignIn, owner: Person) -> None:
    ada = await sign_in(owner)
    ada.cookies.set("hw_lang", "en")
    answer = await ada.post("/account/profile", data={"fullName": "Ada King", "language": "de"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/profile?saved=1")
    assert "hw_lang=de" in answer.headers["set-cookie"]
    page = (await ada.get("/account/profile?saved=1")).text
    assert '<html lang="de"' in page
    assert 'value="Ada King"' in page


async def test_a_refused_form_keeps_what_was_typed(sign_in: SignIn, owner: Person, database: Database) -> None:
    ada = await sign_in(owner)
    before = await users(database)
    answer = await ada.post("/account/profile", data={"fullName": "<b>\u200b</b>", "language": "de"})
    assert answer.status_code == 422
    assert "&lt;b&gt;\u200b&lt;/b&gt;" in answer.text
    assert "Use letters that can be seen." in answer.text
    assert "set-cookie" not in answer.headers
    assert await users(database) == before


async def test_both_pages_stand_in_sidebar_and_menu(sign_in: SignIn, owner: Person) -> None:
    page = (await (await sign_in(owner)).get("/account/sessions")).text
    for path in ("/account/profile", "/account/password"):
        assert page.count(f'href="{path}"') == 2
