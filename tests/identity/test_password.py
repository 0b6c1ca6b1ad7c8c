"""Changing one's own password: the present one is asked for, guesses wait, and nobody else stays signed in."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from hostwright.app import App
from hostwright.core.db import Command, Database, Scalar
from hostwright.identity import service
from hostwright.identity.queries import account as sql
from tests.support.app import PASSWORD, Client, KeyClient, MakeApp, MakeClient, Person, SignIn, problems, refused

NEW = "copper-tulip-harbour"
PATH = "/api/auth/change-password"

waiting = Scalar(
    int,
    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
)
hash_of = Scalar(str, "select password_hash from users where id = $1")
pass_time = Command("update sign_in_failures set next_at = next_at - $1::interval, last_at = last_at - $1::interval")


async def change(client: Client, current: str = PASSWORD, new: str = NEW, **more: Any) -> httpx.Response:
    return await client.post(PATH, json={"currentPassword": current, "newPassword": new, **more})


async def opens(make_client: MakeClient, person: Person, password: str) -> bool:
    """Whether the password lets somebody in from an address of its own."""
    visitor = await make_client("198.51.100.20")
    answer = await visitor.post("/api/auth/login", json={"username": person.username, "password": password})
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


async def stored(database: Database, person: Person) -> str:
    async with database.acquire() as db:
        return await hash_of.value(db, person.user_id)


async def lines(database: Database) -> list[tuple[str, str, str | None]]:
    async with database.acquire() as db:
        rows = await db.fetch("select action, outcome, object_id from audit_log order by id")
        return [tuple(row) for row in rows]


async def who(client: Client) -> int:
    return (await client.get("/api/user")).status_code


async def test_the_new_password_counts_from_then_on(
    sign_in: SignIn, make_client: MakeClient, owner: Person, database: Database
) -> None:
    ada = await sign_in(owner)
    answer = await change(ada)
    assert (answer.status_code, answer.json()) == (200, {"sessionsEnded": 0})
    assert [await opens(make_client, owner, password) for password in (PASSWORD, NEW)] == [False, True]
    done = (await lines(database))[0]
    assert done == ("user.password_changed", "done", str(owner.user_id))


async def test_defect_70_every_other_session_ends_and_this_one_stays(
    sign_in: SignIn, api_key: KeyClient, owner: Person, stranger: Person
) -> None:
    here, there, elsewhere = [await sign_in(owner) for _ in range(3)]
    other, program = await sign_in(stranger), await api_key(owner, "read:user")
    assert (await change(here)).json() == {"sessionsEnded": 2}
    assert [await who(each) for each in (here, there, elsewhere, other, program)] == [200, 401, 401, 200, 200]


async def test_streams_of_the_others_are_told(sign_in: SignIn, app: App, owner: Person) -> None:
    here, there = await sign_in(owner), await sign_in(owner)
    assert here.session is not None
    assert there.session is not None
    hub = app.services.hub
    await asyncio.wait_for(hub.listening.wait(), 20)
    streams = [hub.subscribe(f"session:{one.session.id}") for one in (here, there) if one.session]
    kept, closed = [asyncio.ensure_future(anext(stream)) for stream in streams]
    await asyncio.sleep(0)
    assert (await change(here)).status_code == 200
    assert await asyncio.wait_for(closed, 20) == "closed"
    assert not kept.done()
    kept.cancel()


async def test_a_wrong_present_password_changes_nothing(sign_in: SignIn, owner: Person, database: Database) -> None:
    here, there = await sign_in(owner), await sign_in(owner)
    before = await stored(database, owner)
    assert problems(await change(here, "not-the-password")) == {"currentPassword": "is wrong"}
    assert await stored(database, owner) == before
    assert [await who(here), await who(there)] == [200, 200]
    assert await lines(database) == [("user.change_password", "refused", str(owner.user_id))]


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ("1234567", "expected `str` of length >= 8"),
        ("x" * 257, "expected `str` of length <= 256"),
        ("password123", "is too easy to guess"),
        ("aaaaaaaaaaab", "is too easy to guess"),
        (PASSWORD, "must differ from the present one"),
    ],
)
async def test_a_poor_new_one_is_refused(
    sign_in: SignIn, owner: Person, database: Database, new: str, message: str
) -> None:
    before = await stored(database, owner)
    assert problems(await change(await sign_in(owner), new=new)) == {"newPassword": message}
    assert await stored(database, owner) == before


async def test_ones_own_address_is_no_password(sign_in: SignIn, owner: Person) -> None:
    answer = await change(await sign_in(owner), new=owner.email.upper())
    assert problems(answer) == {"newPassword": "must differ from your name and address"}


async def test_other_fields_are_refused(sign_in: SignIn, owner: Person, stranger: Person, database: Database) -> None:
    before = [await stored(database, each) for each in (owner, stranger)]
    answer = await change(await sign_in(owner), userId=stranger.user_id, reset=True)
    assert problems(answer) == {"userId": "is not known", "reset": "is not known"}
    assert [await stored(database, each) for each in (owner, stranger)] == before


async def test_an_api_key_cannot(api_key: KeyClient, owner: Person, database: Database) -> None:
    before = await stored(database, owner)
    refused(await change(await api_key(owner, "read:user")), 403, "key_not_allowed")
    assert await stored(database, owner) == before


async def test_without_the_token_of_our_page_nothing_happens(
    sign_in: SignIn, owner: Person, database: Database
) -> None:
    before = await stored(database, owner)
    ada = await sign_in(owner)
    del ada.headers["X-CSRF-Token"]
    assert (await change(ada)).status_code == 403
    assert await stored(database, owner) == before


# --- guesses ---


async def test_guesses_wait_and_so_does_the_right_one(
    sign_in: SignIn, make_client: MakeClient, owner: Person, database: Database
) -> None:
    """The wait stands at the session: another address does not help, and the owner elsewhere does not wait."""
    thief = await sign_in(owner, "203.0.113.5")
    assert [(await change(thief, "guess")).status_code for _ in range(5)] == [400] * 5
    answer = await change(thief)
    refused(answer, 429, "rate_limited")
    assert answer.headers["retry-after"] == "1"
    moved = await make_client("203.0.113.99", cookies=dict(thief.cookies), headers={"X-CSRF-Token": thief.csrf})
    assert (await change(moved)).status_code == 429
    assert await opens(make_client, owner, PASSWORD)
    assert (await change(await sign_in(owner, "203.0.113.5"))).status_code == 200
    assert await who(thief) == 401


async def test_the_wait_ends_by_itself(sign_in: SignIn, owner: Person, database: Database) -> None:
    ada = await sign_in(owner)
    assert [(await change(ada, "guess")).status_code for _ in range(6)] == [400] * 5 + [429]
    async with database.transaction() as tx:
        await pass_time.run(tx, timedelta(seconds=2))
    assert (await change(ada)).status_code == 200


async def test_many_guesses_at_once_do_not_slip_through(sign_in: SignIn, owner: Person) -> None:
    ada = await sign_in(owner)
    answers = await asyncio.gather(*(change(ada, f"guess-{number}") for number in range(20)))
    statuses = [answer.status_code for answer in answers]
    assert 5 <= statuses.count(400) <= 7  # one more for each second that it takes on a busy machine
    assert statuses.count(429) == 20 - statuses.count(400)


# --- twice at once ---


async def test_of_two_changes_at_once_one_holds(
    make_app: MakeApp, make_client: MakeClient, sign_in: SignIn, owner: Person
) -> None:
    """Over two processes. The other is told so, or is signed out already."""
    here = await sign_in(owner)
    there = await sign_in(owner, app=await make_app())
    wishes = [f"{NEW}-{number}" for number in range(2)]
    answers = await asyncio.gather(change(here, new=wishes[0]), change(there, new=wishes[1]))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) == 1
    winner = statuses.index(200)
    assert statuses[1 - winner] in {400, 401, 403, 409}
    assert [await opens(make_client, owner, wish) for wish in wishes] == [winner == 0, winner == 1]


async def test_a_change_that_compared_an_older_password_is_not_made(owner: Person, database: Database) -> None:
    before = await stored(database, owner)
    async with database.transaction() as tx:
        assert await sql.replace_password.maybe(tx, owner.user_id, before, "first") == owner.user_id
    async with database.transaction() as tx:
        assert await sql.replace_password.maybe(tx, owner.user_id, before, "second") is None
    assert await stored(database, owner) == "first"


async def test_a_sign_in_that_compared_the_old_password_opens_no_session(
    client: Client, owner: Person, database: Database
) -> None:
    """The change is stored, but not committed, when the sign-in has compared the old password already."""
    before = await stored(database, owner)
    form = {"username": owner.username, "password": PASSWORD}
    async with database.transaction() as tx:
        await sql.replace_password.maybe(tx, owner.user_id, before, "another")
        late = asyncio.ensure_future(client.post("/api/auth/login", json=form))
        async with asyncio.timeout(20), database.acquire() as db:
            while not await waiting.value(db):
                await asyncio.sleep(0.01)
    refused(await late, 401, "wrong_credentials")
    async with database.acquire() as db:
        assert await db.fetch("select 1 from sessions") == []


async def test_a_disabled_account_cannot_be_signed_in_to_at_the_last_moment(owner: Person, database: Database) -> None:
    before = await stored(database, owner)
    async with database.transaction() as tx:
        await service.set_disabled(tx, owner.user_id, disabled=True)
    async with database.transaction() as tx:
        assert await sql.held_credential.maybe(tx, owner.user_id, before) is None


# --- the page ---


async def test_the_form_changes_it_and_says_so(sign_in: SignIn, make_client: MakeClient, owner: Person) -> None:
    here, there = await sign_in(owner), await sign_in(owner)
    page = (await here.get("/account/password")).text
    assert 'autocomplete="current-password"' in page
    assert 'autocomplete="new-password"' in page
    assert "API keys keep working" in page
    answer = await here.post("/account/password", data={"currentPassword": PASSWORD, "newPassword": NEW})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/password?saved=1")
    assert "Your password is changed." in (await here.get("/account/password?saved=1")).text
    assert await who(there) == 401
    assert await opens(make_client, owner, NEW)


async def test_a_refused_form_says_why_and_shows_no_password(
    sign_in: SignIn, owner: Person, database: Database
) -> None:
    before = await stored(database, owner)
    ada = await sign_in(owner)
    answer = await ada.post("/account/password", data={"currentPassword": "not-the-one", "newPassword": NEW})
    assert answer.status_code == 422
    assert "This is not your present password." in answer.text
    assert "not-the-one" not in answer.text
    assert NEW not in answer.text
    empty = await ada.post("/account/password", data={})
    assert (empty.status_code, empty.text.count('aria-invalid="true"')) == (422, 2)
    for _ in range(4):
        await ada.post("/account/password", data={"currentPassword": "guess", "newPassword": NEW})
    waiting = await ada.post("/account/password", data={"currentPassword": PASSWORD, "newPassword": NEW})
    assert waiting.status_code == 429
    assert "Too many tries" in waiting.text
    assert await stored(database, owner) == before
