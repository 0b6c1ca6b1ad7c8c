"""Consoles while they are open: keys and pictures, their ends, how many, and what nobody may see."""

from __future__ import annotations

import asyncio
import struct

import pytest

from hostwright.core.db import Command, Scalar
from hostwright.core.live import publish
from hostwright.identity.records import MemberRole
from hostwright.identity.service import revoke_session
from hostwright.servers.queries.console import end_relays
from hostwright.upstream.virtfusion.simulator.facts import ServerChange
from tests.support.app import MakeApp, Person, SignIn, refused
from tests.support.logs import Lines
from tests.support.sockets import Viewer
from tests.support.stack import until

from .consoles import Theatre, lines, relays, set_customer, set_state
from .locks import lock_server, somebody_waits

GONE, IDLE, OVER, NOT_REACHED, TOO_MANY, RESTART = 4001, 4002, 4003, 4004, 4005, 1012
RETURN = 0xFF0D
disable_user = Command("update users set disabled_at = now() where id = $1")
forget_heartbeats = Command("update console_relays set heartbeat_at = now() - interval '10 minutes'")
session_seen = Scalar(float, "select extract(epoch from now() - seen_at)::float8 from sessions where id = $1")
age_session = Command("update sessions set seen_at = now() - interval '2 hours' where id = $1")


async def booted(theatre: Theatre, viewer: Viewer) -> None:
    """Wait until the screen asks who is there."""

    async def asks() -> bool:
        await viewer.picture()
        return theatre.screen.terminal.lines[-1].endswith("login: ")

    await until(asks)


@pytest.mark.parametrize("wss", [True, False], ids=["wss", "tcp"])
async def test_keys_arrive_and_the_picture_changes(theatre: Theatre, *, wss: bool) -> None:
    theatre.screens.with_wss = wss
    async with theatre.watching() as (_, viewer):
        await booted(theatre, viewer)
        before = await viewer.picture()
        await viewer.type("root")
        after = before
        while after == before:
            after = await viewer.picture()
        assert len(after) == len(before)

        async def typed() -> bool:
            return theatre.screen.terminal.lines[-1].endswith("login: root")

        await until(typed)
        await viewer.press(RETURN)

        async def asked() -> bool:
            return theatre.screen.terminal.lines[-1] == "Password: "

        await until(asked)


async def test_the_vendor_is_asked_for_each_viewing(theatre: Theatre) -> None:
    async with theatre.watching():
        first = (theatre.screen.password, theatre.screen.token)
    async with theatre.watching():
        assert (theatre.screen.password, theatre.screen.token) != first
    assert [one.body for one in theatre.vendor.requests("/vnc")] == [{"vnc": True, "action": "enable"}] * 2


async def test_a_server_that_is_switched_off_ends_its_console(theatre: Theatre) -> None:
    async with theatre.watching() as (socket, _):
        theatre.vendor.world.change(theatre.external_id, ServerChange(running=False))
        assert await socket.end() == GONE
    assert await theatre.value(relays) == 0


async def test_a_console_that_nobody_types_at_ends(theatre: Theatre, make_app: MakeApp) -> None:
    app = await make_app(console_idle_seconds=1)
    async with theatre.watching(app=app) as (socket, viewer):
        # A client that only asks for pictures is no person.
        for _ in range(3):
            await viewer.picture()
        assert await socket.end() == IDLE


async def test_the_session_is_used_by_typing_and_its_end_ends_the_console(theatre: Theatre) -> None:
    assert theatre.browser.session is not None
    session_id = theatre.browser.session.id
    async with theatre.watching() as (socket, viewer):
        await theatre.run(age_session, session_id)
        await viewer.type("x")
        await until(lambda: _typed(theatre))
        async with theatre.database.transaction() as tx:
            await publish(tx, f"session:{session_id}", "resync")
        await until(lambda: _fresh(theatre, session_id))
        async with theatre.database.transaction() as tx:
            await revoke_session(tx, theatre.owner.user_id, session_id)
        assert await socket.end() == OVER


async def _typed(theatre: Theatre) -> bool:
    return ord("x") in theatre.screen.terminal.keys


async def _fresh(theatre: Theatre, session_id: int) -> bool:
    async with theatre.database.acquire() as db:
        return await session_seen.value(db, session_id) < 60


@pytest.mark.parametrize("what", ["suspended", "handed over", "disabled", "demoted"])
async def test_who_may_no_longer_is_shown_out(theatre: Theatre, stranger: Person, what: str) -> None:
    async with theatre.watching() as (socket, _):
        match what:
            case "suspended":
                await theatre.run(set_state, theatre.server_id, "suspended")
            case "handed over":
                await theatre.run(set_customer, theatre.server_id, stranger.customer_id)
            case "disabled":
                await theatre.run(disable_user, theatre.owner.user_id)
            case _:
                await theatre.makers.member(theatre.owner, theatre.owner.customer_id, MemberRole.VIEWER)
        async with theatre.database.transaction() as tx:
            await publish(tx, f"customer:{theatre.owner.customer_id}", f"server:{theatre.server_id}")
        assert await socket.end() == OVER


async def test_words_about_other_servers_end_nothing(theatre: Theatre) -> None:
    async with theatre.watching() as (_, viewer):
        async with theatre.database.transaction() as tx:
            for word in ("server:999", f"server:{theatre.server_id}", "nonsense"):
                await publish(tx, f"customer:{theatre.owner.customer_id}", word)
        await booted(theatre, viewer)
        assert await theatre.value(relays) == 1


async def test_many_at_once_over_two_processes(theatre: Theatre, make_app: MakeApp) -> None:
    first, second = await make_app(consoles_per_user=2), await make_app(consoles_per_user=2)
    # Of three servers: asking for a second viewing of one would end the first before it has begun.
    running = [one.id for one in theatre.vendor.world.listed if one.running and not one.suspended][1:3]
    others = [await theatre.makers.server(theatre.owner.customer_id, external_id=one) for one in running]
    ids = [theatre.server_id, *others]
    answers = [await theatre.browser.post(f"/api/user/servers/{one}/console") for one in ids]
    sockets = [
        theatre.socket(answer.json()["ticket"], app=app, path=f"/console/{server_id}")
        for answer, app, server_id in zip(answers, (first, second, first), ids, strict=True)
    ]
    async with sockets[0] as one, sockets[1] as two, sockets[2] as three:
        assert await asyncio.gather(one.open(), two.open(), three.open()) == [True] * 3
        await asyncio.gather(one.receive(), two.receive(), three.receive())
        assert sorted(str(socket.code) for socket in (one, two, three)) == [str(TOO_MANY), "None", "None"]
        assert await theatre.value(relays) == 2


async def test_the_limit_is_told_before_a_ticket_is_made(theatre: Theatre) -> None:
    asked = len(theatre.vendor.requests("/vnc"))
    async with theatre.watching(), theatre.watching(), theatre.watching(), theatre.watching(), theatre.watching():
        refused(await theatre.ask(), 409, "too_many_consoles")
        assert len(theatre.vendor.requests("/vnc")) == asked + 5
        # A process that was killed leaves rows without a heartbeat, which count no more.
        await theatre.run(forget_heartbeats)
        await theatre.ticket()
    async with theatre.watching():
        assert await theatre.value(relays) == 1


@pytest.mark.parametrize("wss", [True, False], ids=["wss", "tcp"])
async def test_a_screen_that_does_not_answer(theatre: Theatre, *, wss: bool) -> None:
    theatre.screens.with_wss = wss
    ticket = await theatre.ticket()
    await theatre.screens.close()
    theatre.screen.enabled = False
    async with theatre.socket(ticket) as socket:
        assert await socket.open()
        assert await socket.end() == NOT_REACHED
    assert await theatre.value(relays) == 0
    said = await theatre.texts(lines)
    assert len(said) == 1
    assert said[0].startswith("vnc_connect:failed:Ada Lovelace:The server's screen does")


async def test_a_screen_that_is_no_screen(theatre: Theatre) -> None:
    theatre.screens.with_wss = False
    theatre.screens.lies = {"port": theatre.vendor.port}  # speaks HTTP, and waits to be spoken to
    ticket = await theatre.ticket()
    async with theatre.socket(ticket) as socket:
        assert await socket.open()
        task = asyncio.ensure_future(socket.end())
        assert await asyncio.wait_for(task, 20) == NOT_REACHED


async def test_a_password_that_is_wrong(theatre: Theatre) -> None:
    theatre.screens.lies = {"password": "wrong"}
    ticket = await theatre.ticket()
    async with theatre.socket(ticket) as socket:
        assert await socket.open()
        assert await socket.end() == NOT_REACHED
    assert (await theatre.texts(lines))[0].endswith("does not take the password that VirtFusion names.")


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\n\r\n", b"RFB 003.003\n", b"RFB 003.008\n\x07"])
async def test_a_browser_that_speaks_something_else(theatre: Theatre, said: bytes) -> None:
    async with theatre.socket(await theatre.ticket()) as socket:
        assert await socket.open()
        await socket.send(said)
        assert await socket.end() == 1000


async def test_text_and_hostile_messages_end_one_console_and_nothing_else(theatre: Theatre) -> None:
    async with theatre.watching() as (first, other):
        async with theatre.watching() as (second, viewer):
            await second.text("hello")
            assert await second.end() == 1000
        async with theatre.watching() as (third, viewer):
            await viewer.peer.send(b"\xee" * 1000)  # no kind of message
            assert await third.end() == GONE
        async with theatre.watching() as (fourth, viewer):
            await viewer.peer.send(struct.pack(">BxxxI", 6, 2**31 - 1))  # a clipboard that never comes
        await booted(theatre, other)
        assert first.code is None
        assert fourth.code == 1005


async def test_the_process_stops_and_everybody_is_told_to_come_again(theatre: Theatre, make_app: MakeApp) -> None:
    app = await make_app()
    async with theatre.watching(app=app) as (socket, _):
        app.closing.set()
        assert await socket.end() == RESTART
    async with theatre.socket(await theatre.ticket(), app=app) as socket:
        assert not await socket.open()
    async with theatre.watching() as (_, viewer):
        await booted(theatre, viewer)


async def test_no_secret_is_logged(theatre: Theatre, log_lines: Lines) -> None:
    ticket = await theatre.ticket()
    async with theatre.socket(ticket) as socket:
        assert await socket.open()
        await Viewer(socket).begin()
    theatre.screens.lies = {"password": "wrongpass"}
    async with theatre.socket(await theatre.ticket()) as socket:
        await socket.open()
        await socket.end()
    said = str(log_lines)
    for secret in (ticket, theatre.screen.password, theatre.screen.token, "wrongpass"):
        assert secret not in said


async def test_staff_disable_a_screen_and_its_consoles_end(theatre: Theatre, sign_in: SignIn, staff: Person) -> None:
    grace = await sign_in(staff)
    async with theatre.watching() as (socket, _):
        answer = await grace.post(f"/api/admin/servers/{theatre.server_id}/vnc/disable")
        assert (answer.status_code, answer.json()) == (200, {"enabled": False, "available": True})
        assert await socket.end() in {OVER, GONE}


async def test_a_console_that_ends_while_staff_disable_its_screen_waits_its_turn(theatre: Theatre) -> None:
    """Both lock the server first: the other way round PostgreSQL ended one of them as a deadlock."""
    async with theatre.watching() as (socket, _):
        async with theatre.database.transaction() as tx:
            await lock_server.value(tx, theatre.server_id)
            leaving = asyncio.ensure_future(socket.close())
            await somebody_waits(theatre.database)
            await end_relays.run(tx, theatre.server_id)
        await leaving
    assert await theatre.value(relays) == 0
    assert [line for line in await theatre.texts(lines) if line.startswith("vnc_disconnect:success")] != []
