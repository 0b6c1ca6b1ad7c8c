"""The live stream: for signed-in people only, about their own things only, and over when the session is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from hostwright.app import App
from hostwright.core.db import Command, Database
from hostwright.core.live import RESYNC, publish
from hostwright.identity import service
from tests.support.app import Client, KeyClient, Makers, Person, SignIn
from tests.support.rows import until
from tests.support.streams import EventStream

end_silently = Command("delete from sessions where user_id = $1")
leave_customer = Command("delete from members where user_id = $1")
stop_power = Command("update servers set power = 'stopped' where id = $1")

type Open = Callable[[Client], EventStream]


@pytest.fixture
async def open_stream(app: App) -> AsyncIterator[Open]:
    await asyncio.wait_for(app.services.hub.listening.wait(), 10)
    streams: list[EventStream] = []

    def make(client: Client) -> EventStream:
        stream = EventStream()
        stream.open(app, client)
        streams.append(stream)
        return stream

    yield make
    for stream in streams:
        await stream.leave()


async def say(database: Database, topic: str, data: str) -> None:
    async with database.transaction() as tx:
        await publish(tx, topic, data)


async def test_it_greets_and_stays(open_stream: Open, sign_in: SignIn, owner: Person) -> None:
    stream = open_stream(await sign_in(owner))
    await stream.until(": hello\n\n")
    assert stream.status == 200
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.headers["cache-control"] == "no-store"
    assert stream.headers["x-accel-buffering"] == "no"
    assert stream.open_still


async def test_nobody_and_no_key_gets_one(client: Client, api_key: KeyClient, owner: Person) -> None:
    answer = await client.get("/events", headers={"Accept": "text/event-stream"})
    assert (answer.status_code, answer.text) == (401, "")
    assert (await (await api_key(owner, "read:servers")).get("/events")).status_code == 403


async def test_a_change_of_ones_own_arrives_and_others_do_not(
    open_stream: Open, sign_in: SignIn, makers: Makers, owner: Person, stranger: Person, database: Database
) -> None:
    own, other = await makers.server(owner.customer_id), await makers.server(stranger.customer_id)
    mine, theirs = open_stream(await sign_in(owner)), open_stream(await sign_in(stranger))
    for stream in (mine, theirs):
        await stream.until("hello")
    async with database.transaction() as tx:
        await stop_power.run(tx, own)
        await publish(tx, f"customer:{owner.customer_id}", f"server:{own}")
    await mine.until(f"state-{own}")
    await say(database, f"customer:{stranger.customer_id}", f"server:{other}")
    await theirs.until(f"state-{other}")
    assert f"state-{own}" not in theirs.text
    assert f"state-{other}" not in mine.text


async def test_a_message_about_somebody_elses_server_shows_nothing(
    open_stream: Open, sign_in: SignIn, makers: Makers, owner: Person, stranger: Person, database: Database
) -> None:
    """The truth is read from the row, whatever the message says."""
    own, other = await makers.server(owner.customer_id), await makers.server(stranger.customer_id)
    stream = open_stream(await sign_in(owner))
    await stream.until("hello")
    await say(database, f"customer:{owner.customer_id}", f"server:{other}")
    await say(database, f"customer:{owner.customer_id}", "nonsense")
    await say(database, f"customer:{owner.customer_id}", "server:x")
    await say(database, f"customer:{owner.customer_id}", f"server:{own}")
    await stream.until(f"state-{own}")
    assert f"state-{other}" not in stream.text


async def test_staff_see_changes_of_everybody(
    open_stream: Open, sign_in: SignIn, makers: Makers, staff: Person, owner: Person, database: Database
) -> None:
    server_id = await makers.server(owner.customer_id)
    stream = open_stream(await sign_in(staff))
    await stream.until("hello")
    await say(database, "staff", f"server:{server_id}")
    await stream.until(f"state-{server_id}")


async def test_it_holds_no_connection(app: App, open_stream: Open, sign_in: SignIn, owner: Person) -> None:
    streams = [open_stream(await sign_in(owner)) for _ in range(15)]
    for stream in streams:
        await stream.until("hello")
    pool = app.services.database.pool
    await until(lambda: pool.get_idle_size() == pool.get_size())


@pytest.mark.parametrize("how", ["sign-out", "page", "revoked", "others revoked", "disabled"])
async def test_it_ends_with_its_session(
    open_stream: Open, sign_in: SignIn, owner: Person, database: Database, how: str
) -> None:
    ada, there = await sign_in(owner), await sign_in(owner)
    assert ada.session is not None
    stream, other = open_stream(ada), open_stream(there)
    for each in (stream, other):
        await each.until("hello")
    match how:
        case "sign-out":
            await ada.post("/api/auth/logout")
        case "page":
            await ada.post("/sign-out")
        case "revoked":
            await there.post(f"/account/sessions/{ada.session.id}/revoke")
        case "others revoked":
            await there.post("/account/sessions/revoke-others")
        case _:
            async with database.transaction() as tx:
                await service.set_disabled(tx, owner.user_id, disabled=True)
    await stream.end()
    if how == "disabled":
        await other.end()
    else:
        assert other.open_still


async def test_a_browser_that_leaves_is_forgotten(app: App, open_stream: Open, sign_in: SignIn, owner: Person) -> None:
    own = set(app.services.hub._queues)  # what the process itself listens to
    stream = open_stream(await sign_in(owner))
    await stream.until("hello")
    await until(lambda: set(app.services.hub._queues) > own)
    await stream.leave()
    await until(lambda: set(app.services.hub._queues) == own)


async def test_it_ends_when_the_process_does(app: App, open_stream: Open, sign_in: SignIn, owner: Person) -> None:
    stream = open_stream(await sign_in(owner))
    await stream.until("hello")
    app.closing.set()
    await stream.end()


async def test_after_a_lost_connection_pages_load_anew(
    open_stream: Open, sign_in: SignIn, owner: Person, database: Database
) -> None:
    stream = open_stream(await sign_in(owner))
    await stream.until("hello")
    async with database.acquire() as db:
        await db.fetch(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and query ilike 'listen%' and pid <> pg_backend_pid()"
        )
    await stream.until("data-resync")
    assert stream.open_still


async def test_it_ends_although_word_of_the_sessions_end_was_lost(
    open_stream: Open, sign_in: SignIn, owner: Person, app: App, database: Database
) -> None:
    stream = open_stream(await sign_in(owner))
    await stream.until("hello")
    async with database.transaction() as tx:
        await end_silently.run(tx, owner.user_id)
    app.services.hub._everyone(RESYNC)
    await until(lambda: not stream.open_still)
    assert "data-resync" not in stream.text


async def test_it_ends_when_its_reader_is_no_member_any_more(
    open_stream: Open, sign_in: SignIn, owner: Person, app: App, database: Database
) -> None:
    stream = open_stream(await sign_in(owner))
    await stream.until("hello")
    async with database.transaction() as tx:
        await leave_customer.run(tx, owner.user_id)
    app.services.hub._everyone(RESYNC)
    await until(lambda: not stream.open_still)


async def test_one_session_gets_twenty_streams(
    open_stream: Open, sign_in: SignIn, owner: Person, stranger: Person, app: App
) -> None:
    browser = await sign_in(owner)
    streams = [open_stream(browser) for _ in range(30)]
    session = browser.session
    assert session is not None
    await until(lambda: sum(stream.open_still for stream in streams) <= 20)
    await until(lambda: app.services.hub.readers(f"session:{session.id}") <= 20)
    answer = await browser.get("/events", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 429
    other = open_stream(await sign_in(stranger))
    await other.until("hello")
    assert other.status == 200
