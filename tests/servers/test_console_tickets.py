"""Tickets for consoles: one viewing, by whoever asked for it, of what the vendor named."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hostwright.core.db import Scalar
from hostwright.identity.records import MemberRole
from tests.support.app import KeyClient, Person, SignIn, refused

from .consoles import (
    Theatre,
    audited,
    expire_tickets,
    lines,
    relays,
    set_customer,
    set_power,
    set_state,
    tickets,
)

REFUSED = 4403
dump = Scalar(str, "select t::text from console_tickets t")


async def opens(theatre: Theatre, ticket: str, *arguments: Any, **more: Any) -> bool:
    async with theatre.socket(ticket, *arguments, **more) as socket:
        found = await socket.open()
        assert found or socket.code == REFUSED
        return found


async def test_a_ticket_shows_the_screen_and_both_ends_are_written_down(theatre: Theatre) -> None:
    async with theatre.watching() as (socket, viewer):
        assert socket.accepted == "hostwright.console"
        assert viewer.size == (960, 450)
        assert len(await viewer.picture()) == 960 * 450 * 4
        assert await theatre.value(relays) == 1
    assert (await theatre.value(relays), await theatre.value(tickets)) == (0, 0)
    assert await theatre.texts(lines) == ["vnc_connect:success:Ada Lovelace", "vnc_disconnect:success:Ada Lovelace"]
    assert await theatre.texts(audited) == ["server.console_ticket", "server.vnc_connect", "server.vnc_disconnect"]


async def test_the_answer_and_the_row_hold_no_secret(theatre: Theatre) -> None:
    answer = await theatre.ask()
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) == {"ticket", "socket", "expiresAt"}
    assert answer.json()["socket"] == theatre.path
    async with theatre.database.acquire() as db:
        row = await dump.value(db)
    secrets = [theatre.screen.password, theatre.screen.token, answer.json()["ticket"], str(theatre.screens.port)]
    assert all(secrets)
    stored = [row, bytes.fromhex(row.rpartition("\\x")[2].partition('"')[0]).decode("latin-1")]
    assert [secret for secret in secrets[:3] if any(secret in one for one in stored)] == []
    assert [secret for secret in [*secrets[:2], secrets[3]] if secret in answer.text] == []


async def test_a_ticket_is_good_once(theatre: Theatre) -> None:
    ticket = await theatre.ticket()
    assert await opens(theatre, ticket)
    assert not await opens(theatre, ticket)


async def test_two_at_once_with_one_ticket(theatre: Theatre) -> None:
    ticket = await theatre.ticket()
    assert sorted(await asyncio.gather(opens(theatre, ticket), opens(theatre, ticket))) == [False, True]
    assert (await theatre.texts(lines)).count("vnc_connect:success:Ada Lovelace") == 1


async def test_a_ticket_expires(theatre: Theatre) -> None:
    ticket = await theatre.ticket()
    await theatre.run(expire_tickets)
    assert not await opens(theatre, ticket)
    await theatre.ticket()
    assert await theatre.value(tickets) == 1  # the one that expired is forgotten


async def test_another_session_of_the_same_person_has_no_use_for_it(theatre: Theatre, sign_in: SignIn) -> None:
    ticket = await theatre.ticket()
    assert not await opens(theatre, ticket, await sign_in(theatre.owner))
    assert await opens(theatre, ticket)


async def test_defect_01_an_address_that_a_browser_names_is_never_dialled(theatre: Theatre) -> None:
    dialled: list[asyncio.StreamWriter] = []

    async def trap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        dialled.append(writer)

    listening = await asyncio.start_server(trap, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        for query in (f"host=127.0.0.1&port={port}", f"target=127.0.0.1:{port}"):
            path = f"{theatre.path}?{query}"
            assert not await opens(theatre, "", path=path, Cookie="")
            assert not await opens(theatre, "", path=path)
            assert await opens(theatre, await theatre.ticket(), path=path)
        opened = [line for line in await theatre.texts(lines) if line.startswith("vnc_connect:success")]
        assert len(opened) == 2  # with a ticket: the screen that VirtFusion names
    assert dialled == []


async def test_defect_01_nobody_and_strangers_open_no_relay(
    theatre: Theatre, sign_in: SignIn, stranger: Person
) -> None:
    ticket = await theatre.ticket()
    assert not await opens(theatre, ticket, await sign_in(stranger))
    assert not await opens(theatre, ticket, Cookie="")
    assert not await opens(theatre, ticket, Cookie="hw_session=nonsense")
    assert await theatre.texts(lines) == []


async def test_a_ticket_is_for_one_server(theatre: Theatre) -> None:
    ticket = await theatre.ticket()
    other = await theatre.makers.server(theatre.owner.customer_id, external_id=theatre.external_id + 1)
    for path in (f"/console/{other}", "/console/999999999", f"/console/{2**70}"):
        assert not await opens(theatre, ticket, path=path)
    assert await opens(theatre, ticket)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://panel.test.evil.example", "x:["])
async def test_other_sites_pages_are_refused(theatre: Theatre, origin: str) -> None:
    ticket = await theatre.ticket()
    assert not await opens(theatre, ticket, origin=origin)
    assert not await opens(theatre, ticket, **{"Sec-Fetch-Site": "cross-site"})
    assert not await opens(theatre, ticket, Origin="")
    assert await theatre.value(tickets) == 1


@pytest.mark.parametrize("ticket", ["", "x", "x" * 5000, "\0", "ticket.", "é"])
async def test_nonsense_is_refused(theatre: Theatre, ticket: str) -> None:
    assert not await opens(theatre, ticket)


async def test_the_server_is_looked_at_again_when_the_ticket_is_used(theatre: Theatre, stranger: Person) -> None:
    for command, value in (
        (set_state, "suspended"),
        (set_state, "gone"),
        (set_power, "stopped"),
        (set_customer, stranger.customer_id),
    ):
        ticket = await theatre.ticket()
        await theatre.run(command, theatre.server_id, value)
        assert not await opens(theatre, ticket), value
        await theatre.run(set_state, theatre.server_id, "active")
        await theatre.run(set_power, theatre.server_id, "running")
        await theatre.run(set_customer, theatre.server_id, theatre.owner.customer_id)
    assert await theatre.texts(lines) == []


async def test_a_role_that_was_taken_away_opens_nothing(theatre: Theatre) -> None:
    ticket = await theatre.ticket()
    await theatre.makers.member(theatre.owner, theatre.owner.customer_id, MemberRole.VIEWER)
    assert not await opens(theatre, ticket)
    refused(await theatre.ask(), 403, "forbidden")


@pytest.mark.parametrize(
    ("state", "power", "code"),
    [
        ("suspended", "stopped", "server_suspended"),
        ("building", "unknown", "server_building"),
        ("failed", "unknown", "server_failed"),
        ("gone", "unknown", "server_gone"),
        ("active", "stopped", "server_stopped"),
    ],
)
async def test_a_server_without_a_screen_says_why(theatre: Theatre, state: str, power: str, code: str) -> None:
    await theatre.run(set_state, theatre.server_id, state)
    await theatre.run(set_power, theatre.server_id, power)
    refused(await theatre.ask(), 409, code)
    assert theatre.vendor.requests("/vnc") == []
    assert await theatre.value(tickets) == 0


async def test_others_get_no_ticket(
    theatre: Theatre, sign_in: SignIn, stranger: Person, api_key: KeyClient, staff: Person
) -> None:
    refused(await theatre.ask(await sign_in(stranger)), 404, "not_found")
    refused(await theatre.ask(await sign_in(stranger), staff=True), 403, "forbidden")
    refused(await theatre.ask(await api_key(theatre.owner, "read:servers", "write:servers")), 403, "key_not_allowed")
    refused(await theatre.ask(await api_key(staff, "write:servers"), staff=True), 403, "key_not_allowed")
    assert theatre.vendor.requests("/vnc") == []


async def test_staff_see_every_screen_and_the_customer_reads_that_they_did(
    theatre: Theatre, sign_in: SignIn, staff: Person
) -> None:
    async with theatre.watching(await sign_in(staff), staff=True) as (_, viewer):
        assert len(await viewer.picture()) == 960 * 450 * 4
    logs = (await theatre.browser.get(f"/api/user/servers/{theatre.server_id}/logs?actionType=vnc")).json()["items"]
    assert [(one["action"], one["actor"]) for one in logs] == [
        ("vnc_disconnect", "Grace Hopper"),
        ("vnc_connect", "Grace Hopper"),
    ]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"mode": "status", "status": 500}, 503, "upstream_unavailable"),
        ({"mode": "status", "status": 403}, 502, "upstream_refused"),
        ({"mode": "status", "status": 404}, 409, "server_gone"),
        ({"mode": "drop_after"}, 503, "upstream_unavailable"),
        ({"mode": "malformed"}, 503, "upstream_unavailable"),
    ],
)
async def test_a_vendor_that_fails(theatre: Theatre, fault: dict[str, Any], status: int, code: str) -> None:
    theatre.vendor.faults([{**fault, "method": "POST", "path": "/vnc$"}])
    refused(await theatre.ask(), status, code)
    assert await theatre.value(tickets) == 0


@pytest.mark.parametrize(
    "lie",
    [
        {"wss": {"url": "https://evil.example/vnc"}},
        {"wss": {"url": "wss://evil.example/vnc"}},
        {"wss": {"url": "//evil.example/vnc"}},
        {"wss": {"url": "/\\evil.example/vnc"}},
        {"wss": {"url": "@evil.example/"}},
        {"wss": {"url": "/../../_sim/world"}},
        {"wss": {"url": "/vnc\r\nHost: evil.example"}},
        {"wss": {"url": "/" + "x" * 2000}},
        {"wss": False, "port": 0},
        {"wss": False, "port": 99999},
        {"wss": False, "port": -1},
        {"wss": False, "ip": "not an address"},
        {"wss": False, "ip": "evil.example/x"},
        {"wss": False, "ip": "x" * 500},
        {"wss": False, "ip": None, "hostname": None},
        {"wss": False, "port": None},
    ],
    ids=str,
)
async def test_a_vendor_that_lies_about_the_place(theatre: Theatre, lie: dict[str, Any]) -> None:
    theatre.screens.lies = lie
    refused(await theatre.ask(), 502, "upstream_refused")
    assert await theatre.value(tickets) == 0


async def test_a_vendor_that_answers_with_something_huge(theatre: Theatre) -> None:
    theatre.screens.lies = {"password": "x" * (9 * 1024 * 1024)}
    refused(await theatre.ask(), 503, "upstream_unavailable")
    theatre.screens.lies = {"port": 10**400, "wss": False}
    refused(await theatre.ask(), 502, "upstream_refused")


async def test_too_many_tickets_are_refused(theatre: Theatre) -> None:
    answers = [await theatre.ask() for _ in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
