"""Sessions: hashed, idle and absolute ends, listed, revocable, and refused at once when the account is disabled."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from hostwright.core.clock import SystemClock
from hostwright.core.crypto import token_hash
from hostwright.core.db import Command, Database, Scalar
from hostwright.core.jobs import Work
from hostwright.identity import jobs, service
from hostwright.identity.events import Nothing
from tests.support.app import PASSWORD, Client, MakeApp, MakeClient, Makers, Person, SignIn, refused

rest = Command("update sessions set seen_at = now() - $1::interval")
expire = Command("update sessions set expires_at = now() - interval '1 second'")
seen_ago = Scalar(float, "select extract(epoch from now() - seen_at)::float8 from sessions")
lasts = Scalar(float, "select extract(epoch from expires_at - created_at)::float8 from sessions")
disable_only = Command("update users set disabled_at = now() where id = $1")
set_role = Command("update users set role = $2 where id = $1")
leave = Command("delete from members where user_id = $1")


async def run(database: Database, command: Command, *args: object) -> None:
    async with database.transaction() as tx:
        assert await command.run(tx, *args) >= 1


async def sessions(database: Database) -> list[int]:
    async with database.acquire() as db:
        return [row["id"] for row in await db.fetch("select id from sessions order by id")]


async def who(client: Client) -> int:
    return (await client.get("/api/user")).status_code


async def test_only_a_hash_of_the_token_is_stored(
    client: Client, owner: Person, database: Database, migrated_tables: frozenset[str]
) -> None:
    await client.post("/api/auth/login", json={"username": owner.username, "password": PASSWORD})
    token = client.cookies["hw_session"]
    async with database.acquire() as db:
        (row,) = await db.fetch("select token_hash, user_id from sessions")
        assert (bytes(row["token_hash"]), row["user_id"]) == (token_hash(token), owner.user_id)
        for table in sorted(migrated_tables):
            text = " ".join(each["text"] for each in await db.fetch(f"select t::text as text from {table} t"))
            assert token not in text, table
            assert client.cookies["hw_csrf"] not in text, table
            assert PASSWORD not in text, table
    assert len(token) >= 43


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "\u20ac", "%00"])
async def test_a_token_that_we_did_not_make_is_nobody(make_client: MakeClient, owner: Person, token: str) -> None:
    client = await make_client(headers=[(b"cookie", f"hw_session={token}".encode())])
    refused(await client.get("/api/user"), 401, "unauthorized")


async def test_the_stored_hash_is_no_token(sign_in: SignIn, make_client: MakeClient, owner: Person) -> None:
    ada = await sign_in(owner)
    assert ada.session is not None
    thief = await make_client(cookies={"hw_session": token_hash(ada.session.token).hex()})
    assert await who(thief) == 401


# --- how long ---


async def test_it_rests_for_eight_hours_at_most(sign_in: SignIn, owner: Person, database: Database) -> None:
    ada = await sign_in(owner)
    await run(database, rest, timedelta(hours=7, minutes=59))
    assert await who(ada) == 200
    await run(database, rest, timedelta(hours=8, seconds=1))
    refused(await ada.get("/api/user"), 401, "unauthorized")
    assert (await ada.get("/servers")).status_code == 303


async def test_using_it_keeps_it_alive(sign_in: SignIn, owner: Person, database: Database) -> None:
    """DEFECT-70: the time counts from the last use, not from the sign-in."""
    ada = await sign_in(owner)
    for _ in range(4):
        await run(database, rest, timedelta(hours=7))
        assert await who(ada) == 200
        async with database.acquire() as db:
            assert await seen_ago.value(db) < 30


async def test_defect_70_it_ends_after_thirty_days_however_much_it_is_used(
    sign_in: SignIn, owner: Person, database: Database
) -> None:
    ada = await sign_in(owner)
    async with database.acquire() as db:
        assert await lasts.value(db) == 30 * 86_400
    assert await who(ada) == 200
    await run(database, expire)
    refused(await ada.get("/api/user"), 401, "unauthorized")


async def test_both_times_are_settings(make_app: MakeApp, sign_in: SignIn, owner: Person, database: Database) -> None:
    app = await make_app(session_idle_hours=1, session_days=2)
    ada = await sign_in(owner, app=app)
    async with database.acquire() as db:
        assert await lasts.value(db) == 2 * 86_400
    await run(database, rest, timedelta(minutes=61))
    assert await who(ada) == 401


async def test_ended_ones_are_dropped_by_a_job(sign_in: SignIn, owner: Person, database: Database) -> None:
    part = jobs.work(idle_hours=8)
    assert [schedule.cron for schedule in part.schedules] == ["17 * * * *"]
    (binding,) = part.bindings
    work = Work(database, SystemClock(), 1, 1)
    await sign_in(owner)
    await binding.handler(work, Nothing())
    assert len(await sessions(database)) == 1
    await run(database, rest, timedelta(hours=9))
    await sign_in(owner)
    await binding.handler(work, Nothing())
    assert len(await sessions(database)) == 1
    await run(database, expire)
    await binding.handler(work, Nothing())
    assert await sessions(database) == []


# --- signing out, listing, revoking ---


async def test_signing_out_ends_this_one_only(sign_in: SignIn, owner: Person) -> None:
    here, there = await sign_in(owner), await sign_in(owner)
    answer = await here.post("/api/auth/logout")
    assert (answer.status_code, answer.content) == (204, b"")
    emptied = answer.headers.get_list("set-cookie")
    assert len(emptied) == 2
    assert all("Max-Age=0" in cookie for cookie in emptied)
    assert here.session is not None
    here.cookies.set("hw_session", here.session.token, domain="panel.test")
    assert [await who(here), await who(there)] == [401, 200]


async def test_signing_out_on_a_page_goes_to_the_form(sign_in: SignIn, owner: Person, database: Database) -> None:
    ada = await sign_in(owner)
    answer = await ada.post("/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert await sessions(database) == []


async def test_they_are_listed_the_latest_first_and_only_ones_own(
    sign_in: SignIn, owner: Person, stranger: Person, database: Database
) -> None:
    here = await sign_in(owner, "203.0.113.5")
    await sign_in(owner, "198.51.100.7")
    await sign_in(stranger, "192.0.2.99")
    page = (await here.get("/account/sessions")).text
    assert "203.0.113.5" in page
    assert "198.51.100.7" in page
    assert "192.0.2.99" not in page
    assert page.index("203.0.113.5") > page.index("198.51.100.7"), "the latest first"
    assert len(re.findall(r'action="/account/sessions/\d+/revoke"', page)) == 1, "one's own ends with a sign-out"


async def test_one_can_be_revoked(sign_in: SignIn, owner: Person, database: Database) -> None:
    here, there = await sign_in(owner), await sign_in(owner)
    assert there.session is not None
    answer = await here.post(f"/account/sessions/{there.session.id}/revoke")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/sessions")
    assert [await who(here), await who(there)] == [200, 401]
    again = await here.post(f"/account/sessions/{there.session.id}/revoke")
    assert again.status_code == 404


async def test_revoking_ones_own_goes_to_the_form(sign_in: SignIn, owner: Person) -> None:
    here = await sign_in(owner)
    assert here.session is not None
    answer = await here.post(f"/account/sessions/{here.session.id}/revoke")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert await who(here) == 401


async def test_all_others_can_be_revoked_at_once(
    sign_in: SignIn, owner: Person, stranger: Person, database: Database
) -> None:
    here, there, elsewhere = [await sign_in(owner) for _ in range(3)]
    other = await sign_in(stranger)
    answer = await here.post("/account/sessions/revoke-others")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/sessions")
    assert [await who(each) for each in (here, there, elsewhere, other)] == [200, 401, 401, 200]


async def test_somebody_elses_cannot_be_revoked(sign_in: SignIn, owner: Person, stranger: Person) -> None:
    mine, theirs = await sign_in(owner), await sign_in(stranger)
    assert theirs.session is not None
    assert (await mine.post(f"/account/sessions/{theirs.session.id}/revoke")).status_code == 404
    assert await who(theirs) == 200


# --- who may no more ---


async def test_defect_07_a_disabled_account_is_refused_at_the_next_request(
    sign_in: SignIn, owner: Person, database: Database
) -> None:
    here, there = await sign_in(owner), await sign_in(owner)
    async with database.transaction() as tx:
        await service.set_disabled(tx, owner.user_id, disabled=True)
    for client in (here, there):
        refused(await client.get("/api/user"), 401, "unauthorized")
        assert (await client.get("/servers")).status_code == 303
    async with database.transaction() as tx:
        await service.set_disabled(tx, owner.user_id, disabled=False)
    assert await who(here) == 401, "what was ended stays ended"


async def test_defect_07_a_session_that_is_left_over_is_refused_too(
    sign_in: SignIn, owner: Person, database: Database
) -> None:
    ada = await sign_in(owner)
    await run(database, disable_only, owner.user_id)
    refused(await ada.get("/api/user"), 401, "unauthorized")
    refused(await ada.post("/api/user/servers/1/power/boot"), 401, "unauthorized")
    answer: httpx.Response = await ada.get("/")
    assert answer.headers["location"] == "/sign-in"


async def test_another_role_counts_from_the_next_request_on(
    sign_in: SignIn, staff: Person, owner: Person, database: Database
) -> None:
    boss, ada = await sign_in(staff), await sign_in(owner)
    assert (await boss.get("/api/admin/jobs")).status_code == 200
    assert (await ada.get("/api/admin/jobs")).status_code == 403
    await run(database, set_role, staff.user_id, "client")
    await run(database, set_role, owner.user_id, "admin")
    assert (await boss.get("/api/admin/jobs")).status_code == 403
    assert (await ada.get("/api/admin/jobs")).status_code == 200


async def test_who_belongs_to_no_customer_any_more_may_nothing(
    sign_in: SignIn, makers: Makers, owner: Person, database: Database
) -> None:
    server_id = await makers.server(owner.customer_id)
    ada = await sign_in(owner)
    await run(database, leave, owner.user_id)
    refused(await ada.get("/api/user"), 403, "forbidden")
    refused(await ada.get(f"/api/user/servers/{server_id}"), 403, "forbidden")
    assert (await ada.get("/servers")).status_code == 403
