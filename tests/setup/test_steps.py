"""The first run, step by step, as a browser without scripts does it."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest

from hostwright.audit.service import entries
from hostwright.core.clock import SystemClock
from hostwright.core.crypto import token_hash
from hostwright.core.db import Command, Database, Scalar
from hostwright.core.scope import Staff
from hostwright.identity.records import Role
from hostwright.setup import queries
from hostwright.setup.service import AdminThere, SetupDone, new_token
from tests.setup.conftest import ADMIN, COMPANY, PASSWORD, Enter, with_csrf
from tests.support.app import Client, MakeClient, Makers, Person, SignIn

PATHS = ("/setup", "/setup/token", "/setup/admin", "/setup/company", "/setup/virtfusion", "/setup/import")
admins = Scalar(str, "select username from users where role = 'admin' order by id")
users = Scalar(int, "select count(*) from users")
stored = Scalar(bytes, "select token_hash from setup")
age_token = Command("update setup set token_expires_at = $1")
age_visitor = Command("update setup set visitor_expires_at = $1")


async def values[T](database: Database, query: Scalar[T]) -> list[T]:
    async with database.acquire() as db:
        return await query.all(db)


async def where(browser: Client, path: str = "/setup") -> str:
    answer = await browser.get(path)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


# --- nothing to be set up


async def test_without_a_token_there_is_no_set_up(client: Client, sign_in: SignIn, staff: Person) -> None:
    for caller in (client, await sign_in(staff)):
        assert [(await caller.get(path)).status_code for path in PATHS] == [404] * len(PATHS)
        assert [(await caller.post(path)).status_code for path in PATHS[1:]] == [404] * (len(PATHS) - 1)
    assert await where(client, "/") == "/sign-in"


async def test_a_panel_with_an_admin_gets_no_token(database: Database, staff: Person) -> None:
    async with database.transaction() as tx:
        with pytest.raises(SetupDone):
            await new_token(tx, SystemClock())
        assert await queries.setup.maybe(tx) is None


# --- the token


async def test_the_first_page_leads_to_the_set_up(client: Client, token: str) -> None:
    assert await where(client, "/") == "/setup"
    assert await where(client) == "/setup/token"
    page = await client.get("/setup/token")
    assert page.status_code == 200
    assert token not in page.text
    for path in PATHS[2:]:
        assert await where(client, path) == "/setup/token"


async def test_only_the_hash_of_a_token_is_kept(database: Database, token: str) -> None:
    assert await values(database, stored) == [token_hash(token.replace("-", ""))]


@pytest.mark.parametrize(("between", "around"), [("-", ""), (" ", "  "), ("", "\t"), ("\u2013", "")])
async def test_a_token_may_be_typed_as_people_type(client: Client, token: str, between: str, around: str) -> None:
    typed = around + token.lower().replace("-", between) + around
    assert (await client.post("/setup/token", data={"token": typed})).status_code == 303


@pytest.mark.parametrize("typed", ["", "AAAA-AAAA-AAAA", "x" * 5000, "\x00", "ä"])
async def test_a_wrong_token_opens_nothing(client: Client, database: Database, token: str, typed: str) -> None:
    answer = await client.post("/setup/token", data={"token": typed})
    assert answer.status_code == 422
    assert "This token is not valid." in answer.text
    assert "set-cookie" not in answer.headers
    assert await where(client, "/setup/admin") == "/setup/token"
    assert (
        await client.post("/setup/token", data={"token": token})
    ).status_code == 303  # and the right one still counts


async def test_a_token_works_once(entered: Enter, make_client: MakeClient, token: str) -> None:
    first = await entered()
    second = await make_client()
    assert (await second.post("/setup/token", data={"token": token})).status_code == 422
    assert await where(second) == "/setup/token"
    assert await where(first) == "/setup/admin"


async def test_of_two_at_once_one_wins(make_client: MakeClient, token: str) -> None:
    browsers = [await make_client(f"192.0.2.{number}") for number in range(6)]
    answers = await asyncio.gather(*(one.post("/setup/token", data={"token": token}) for one in browsers))
    assert sorted(one.status_code for one in answers) == [303, 422, 422, 422, 422, 422]


async def test_a_token_gets_too_old(client: Client, database: Database, token: str) -> None:
    async with database.transaction() as tx:
        await age_token.run(tx, SystemClock().now() - timedelta(seconds=1))
    assert (await client.post("/setup/token", data={"token": token})).status_code == 422


async def test_a_newer_token_replaces_the_older(client: Client, database: Database, token: str) -> None:
    async with database.transaction() as tx:
        newer = await new_token(tx, SystemClock())
    assert (await client.post("/setup/token", data={"token": token})).status_code == 422
    assert (await client.post("/setup/token", data={"token": newer})).status_code == 303


async def test_tries_are_limited(make_client: MakeClient, token: str) -> None:
    guesser, other = await make_client("203.0.113.5"), await make_client("203.0.113.6")
    answers = [await guesser.post("/setup/token", data={"token": f"AAAA-AAAA-{number:04}"}) for number in range(12)]
    assert [one.status_code for one in answers] == [422] * 10 + [429] * 2
    assert "Too many tries" in answers[-1].text
    assert (await guesser.post("/setup/token", data={"token": token})).status_code == 429
    assert (await other.post("/setup/token", data={"token": token})).status_code == 303  # nobody is locked out


async def test_another_sites_page_cannot_enter_it(client: Client, token: str) -> None:
    answer = await client.post("/setup/token", data={"token": token}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


# --- the admin


async def test_the_admin_is_signed_in_and_can_sign_in(
    admin: Client, make_client: MakeClient, database: Database
) -> None:
    assert await values(database, admins) == ["grace"]
    assert (await admin.get("/api/user")).json()["role"] == "admin"
    assert admin.cookies.get("hw_setup") is None
    assert await where(admin) == "/setup/company"
    elsewhere = await make_client()
    assert await where(elsewhere) == "/sign-in?next=/setup"
    signed_in = await elsewhere.post("/sign-in", data={"username": "grace", "password": PASSWORD, "next": "/setup"})
    assert signed_in.headers["location"] == "/setup"
    assert await where(elsewhere) == "/setup/company"  # leaving and coming back, with another browser


async def test_a_refused_admin_changes_nothing(entered: Enter, database: Database) -> None:
    browser = await entered()
    refused = {
        "": {},
        "is too easy": {**ADMIN, "password": "password123"},
        "Use at least 8": {**ADMIN, "password": "kV7-zQ"},
        "does not look right": {**ADMIN, "email": "nobody"},
    }
    for told, form in refused.items():
        answer = await browser.post("/setup/admin", data=form)
        assert answer.status_code == 422
        assert told in answer.text
        assert "kV7-zQ" not in answer.text
    assert await values(database, users) == [0]
    assert (await browser.post("/setup/admin", data=ADMIN)).status_code == 303


async def test_without_the_token_nobody_makes_an_admin(client: Client, database: Database, token: str) -> None:
    client.cookies.set("hw_setup", "made-up")
    answer = await client.post("/setup/admin", data=ADMIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/setup/token")
    assert await values(database, users) == [0]


async def test_two_admins_at_once_are_one(entered: Enter, make_client: MakeClient, database: Database) -> None:
    browser = await entered()
    again = await make_client(cookies=dict(browser.cookies))
    forms = [ADMIN, {**ADMIN, "username": "ada", "email": "ada@northwind.example"}]
    answers = await asyncio.gather(
        *(one.post("/setup/admin", data=form) for one, form in zip((browser, again), forms, strict=True))
    )
    assert sorted(one.status_code for one in answers) in ([303, 422], [303, 303])
    assert len(await values(database, admins)) == 1
    assert sum("hw_session" in one.headers.get("set-cookie", "") for one in answers) == 1


async def test_the_cookie_of_the_token_gets_too_old(entered: Enter, database: Database) -> None:
    browser = await entered()
    async with database.transaction() as tx:
        await age_visitor.run(tx, SystemClock().now() - timedelta(seconds=1))
    assert await where(browser) == "/setup/token"
    assert (await browser.post("/setup/admin", data=ADMIN)).headers["location"] == "/setup/token"
    assert await values(database, users) == [0]


async def test_an_admin_made_elsewhere_goes_on_with_the_company(
    client: Client, token: str, makers: Makers, sign_in: SignIn, database: Database
) -> None:
    person = await makers.user(role=Role.ADMIN)
    assert await where(client) == "/sign-in?next=/setup"
    assert (await client.post("/setup/token", data={"token": token})).headers["location"] == "/sign-in?next=/setup"
    assert await where(await sign_in(person)) == "/setup/company"
    async with database.transaction() as tx:
        with pytest.raises(AdminThere):
            await new_token(tx, SystemClock())


async def test_a_customer_sees_none_of_it(admin: Client, sign_in: SignIn, owner: Person) -> None:
    caller = await sign_in(owner)
    assert [(await caller.get(path)).status_code for path in PATHS] == [403] * len(PATHS)
    assert (await caller.post("/setup/company", data=COMPANY)).status_code == 403
    assert await where(caller, "/") == "/servers"


async def test_a_key_of_the_admin_is_no_admin_here(admin: Client, api_key, database: Database, makers: Makers) -> None:
    person = await makers.user(role=Role.ADMIN)
    program = await api_key(person, "read:servers")
    assert (await program.post("/setup/company", data=COMPANY)).status_code in {403, 404}
    assert await where(admin) == "/setup/company"


# --- the company


async def test_a_write_needs_the_csrf_token(admin: Client) -> None:
    del admin.headers["X-CSRF-Token"]
    assert (await admin.post("/setup/company", data=COMPANY)).status_code == 403
    assert await where(admin) == "/setup/company"
    await with_csrf(admin)


async def test_name_and_colour_show_on_the_next_page(named: Client) -> None:
    assert await where(named) == "/setup/virtfusion"
    page = (await named.get("/setup/virtfusion")).text
    assert "<title>VirtFusion · Northwind</title>" in page
    assert "/brand/0ea5e9-" in page
    again = (await named.get("/setup/company")).text  # can be opened again
    assert 'value="Northwind"' in again
    assert 'value="#0ea5e9"' in again


async def test_a_colour_in_capitals_is_the_same_colour_from_the_first_page_on(admin: Client) -> None:
    await admin.post("/setup/company", data=COMPANY | {"brandColour": "#0EA5E9"})
    page = (await admin.get("/setup/virtfusion")).text
    sheet = re.search(r'"(/brand/[^"]+\.css)"', page)
    assert sheet is not None
    assert sheet[1].startswith("/brand/0ea5e9-")
    assert (await admin.get(sheet[1])).status_code == 200


@pytest.mark.parametrize("form", [{"name": "", "brandColour": "#000000"}, {"name": " \t"}, {"name": "x" * 81}])
async def test_a_refused_company_changes_nothing(admin: Client, form: dict[str, str]) -> None:
    answer = await admin.post("/setup/company", data={"brandColour": "#ff0000", **form})
    assert answer.status_code == 422
    assert await where(admin) == "/setup/company"
    assert "· Hostwright</title>" in answer.text


@pytest.mark.parametrize("colour", ["red", "#fff", "#12345g", "", "#0ea5e9\n", '"><script>'])
async def test_only_a_colour_is_a_colour(admin: Client, colour: str) -> None:
    answer = await admin.post("/setup/company", data={"name": "Northwind", "brandColour": colour})
    assert answer.status_code == 422
    assert "<script>" not in answer.text.replace("<script src", "").replace("<script type", "")


async def test_the_preview_follows_what_is_typed(admin: Client) -> None:
    headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#preview"}
    block = await admin.get("/setup/company", params={"name": "Blue", "brandColour": "#ffe600"}, headers=headers)
    assert block.text.lstrip().startswith('<div id="preview"')
    assert 'fill="#ffe600"' in block.text
    half = await admin.get("/setup/company", params={"name": "", "brandColour": "#ffe"}, headers=headers)
    assert half.status_code == 200
    assert 'fill="#4f46e5"' in half.text
    plain = await admin.post("/setup/company", data={"name": "Blue", "brandColour": "#ffe600", "do": "look"})
    assert plain.status_code == 200
    assert 'fill="#ffe600"' in plain.text
    assert await where(admin) == "/setup/company"  # nothing was kept


# --- the end


async def test_all_of_it_is_gone_at_the_end(named: Client, make_client: MakeClient, database: Database) -> None:
    assert (await named.post("/setup/virtfusion", data={"do": "later"})).status_code == 303
    assert await where(named) == "/setup/import"
    assert "nothing to import" in (await named.get("/setup/import")).text
    done = await named.post("/setup/import")
    assert (done.status_code, done.headers["location"]) == (303, "/admin/servers")
    for caller in (named, await make_client()):
        assert [(await caller.get(path)).status_code for path in PATHS] == [404] * len(PATHS)
        assert [(await caller.post(path)).status_code for path in PATHS[1:]] == [404] * (len(PATHS) - 1)
    assert await where(named, "/") == "/admin/servers"
    async with database.transaction() as tx:
        with pytest.raises(SetupDone):
            await new_token(tx, SystemClock())
        told = [(row.action, row.outcome) for row in (await entries(tx, Staff("servers.manage"))).rows]
    assert told[::-1] == [
        ("setup.token", "done"),
        ("setup.admin", "done"),
        ("setup.company", "done"),
        ("setup.connection_later", "done"),
        ("setup.finished", "done"),
    ]


async def test_finishing_twice_at_once_finishes_once(named: Client, database: Database) -> None:
    await named.post("/setup/virtfusion", data={"do": "later"})
    answers = await asyncio.gather(*(named.post("/setup/import") for _ in range(3)))
    assert 303 in {one.status_code for one in answers}
    assert {one.status_code for one in answers} <= {303, 404, 409}
    async with database.acquire() as db:
        rows = (await entries(db, Staff("servers.manage"))).rows
    assert [row.action for row in rows].count("setup.finished") == 1
