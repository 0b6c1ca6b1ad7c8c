"""Whether a server has a screen: read, switched on and off, and tried, by whoever may."""

from __future__ import annotations

import pytest

from tests.support.app import Client, KeyClient, Person, SignIn, refused

from .consoles import Theatre, audited, lines, set_state

OWN = "/api/user/servers/{}/vnc"
OLDER = "/api/servers/{}/vnc"
ANY = "/api/admin/servers/{}/vnc"


@pytest.fixture
async def grace(sign_in: SignIn, staff: Person) -> Client:
    return await sign_in(staff)


def sent(theatre: Theatre) -> list[str]:
    """What the vendor was asked about screens."""
    return [
        one.method if one.method == "GET" else f"{one.method} {one.body['action']}"
        for one in theatre.vendor.requests("/vnc")
    ]


async def test_defect_30_reading_changes_nothing(theatre: Theatre, grace: Client) -> None:
    for path, reader in ((OWN, theatre.browser), (OLDER, theatre.browser), (ANY, grace)):
        answer = await reader.get(path.format(theatre.server_id))
        assert (answer.status_code, answer.json()) == (200, {"enabled": False, "available": True})
        assert (await reader.get(path.format(theatre.server_id) + "?action=toggle")).json() == answer.json()
    assert set(sent(theatre)) == {"GET"}
    assert not theatre.screen.enabled
    assert await theatre.texts(lines) == []


async def test_defect_31_enabling_and_disabling_do_what_they_say(theatre: Theatre, grace: Client) -> None:
    path = ANY.format(theatre.server_id)
    for action, enabled, asked in (
        ("enable", True, ["GET", "POST enable", "GET"]),
        ("enable", True, ["GET", "GET"]),
        ("disable", False, ["GET", "POST disable", "GET"]),
        ("disable", False, ["GET", "GET"]),
    ):
        theatre.vendor.forget()
        answer = await grace.post(f"{path}/{action}")
        assert (answer.status_code, answer.json()) == (200, {"enabled": enabled, "available": True})
        assert sent(theatre) == asked
        assert theatre.screen.enabled is enabled
    assert await theatre.texts(lines) == [
        f"vnc_{action}:success:Grace Hopper" for action in ("enable", "enable", "disable", "disable")
    ]
    assert (await theatre.texts(audited))[0] == "server.vnc_enable"


async def test_defect_03_others_read_and_enable_nothing(theatre: Theatre, sign_in: SignIn, stranger: Person) -> None:
    other = await sign_in(stranger)
    refused(await other.get(OWN.format(theatre.server_id)), 404, "not_found")
    refused(await other.get(OLDER.format(theatre.server_id)), 404, "not_found")
    refused(await other.post(OLDER.format(theatre.server_id) + "/enable"), 404, "not_found")
    for action in ("enable", "disable"):
        refused(await other.post(f"{ANY.format(theatre.server_id)}/{action}"), 403, "forbidden")
    refused(await other.get(ANY.format(theatre.server_id) + "/test"), 403, "forbidden")
    assert theatre.vendor.requests("/vnc") == []


async def test_a_customer_enables_their_own(theatre: Theatre, api_key: KeyClient) -> None:
    program = await api_key(theatre.owner, "write:servers")
    answer = await program.post(OLDER.format(theatre.server_id) + "/enable")
    assert (answer.status_code, answer.json()) == (200, {"enabled": True, "available": True})
    assert await theatre.texts(lines) == ["vnc_enable:success:Ada Lovelace"]


async def test_no_answer_names_the_place(theatre: Theatre, grace: Client) -> None:
    answers = [
        await theatre.browser.post(OLDER.format(theatre.server_id) + "/enable"),
        await theatre.browser.get(OWN.format(theatre.server_id)),
        await grace.get(ANY.format(theatre.server_id)),
        await grace.get(ANY.format(theatre.server_id) + "/test"),
    ]
    secrets = {theatre.screen.password, theatre.screen.token, str(theatre.screens.port), "127.0.0.1"}
    assert [one.text for one in answers if any(secret in one.text for secret in secrets)] == []


@pytest.mark.parametrize("wss", [True, False], ids=["wss", "tcp"])
async def test_staff_try_the_way_to_a_screen(theatre: Theatre, grace: Client, *, wss: bool) -> None:
    theatre.screens.with_wss = wss
    path = ANY.format(theatre.server_id)
    answer = await grace.get(f"{path}/test")
    assert answer.json() == {
        "reachable": False,
        "problem": "The server's screen does not take the password that VirtFusion names."
        if not wss
        else "The server's screen does not answer.",
    }
    await grace.post(f"{path}/enable")
    assert (await grace.get(f"{path}/test")).json() == {"reachable": True, "problem": None}
    assert (await grace.get(f"{path}/test?host=192.0.2.1&port=22")).json() == {"reachable": True, "problem": None}
    theatre.screens.lies = {"ip": None, "port": None, "wss": False}
    answer = await grace.get(f"{path}/test")
    assert answer.json()["problem"] == "VirtFusion does not say where the server's screen is."


async def test_an_older_vendor_says_nothing_of_screens(theatre: Theatre) -> None:
    theatre.vendor.faults([{"mode": "status", "status": 404, "method": "GET", "path": "/vnc$"}])
    answer = await theatre.browser.get(OWN.format(theatre.server_id))
    assert (answer.status_code, answer.json()) == (200, {"enabled": None, "available": False})
    theatre.screens.with_wss = False
    async with theatre.watching() as (_, viewer):
        assert viewer.size == (960, 450)


async def test_a_vendor_that_is_away_or_does_not_know_the_server(theatre: Theatre, grace: Client) -> None:
    theatre.vendor.faults([{"mode": "status", "status": 500}])
    refused(await theatre.browser.get(OWN.format(theatre.server_id)), 503, "upstream_unavailable")
    theatre.vendor.faults([])
    theatre.vendor.world.servers[theatre.external_id].hidden = True
    refused(await grace.post(ANY.format(theatre.server_id) + "/enable"), 409, "server_gone")
    assert await theatre.texts(lines) == []


async def test_a_suspended_server_is_not_switched(theatre: Theatre, grace: Client) -> None:
    await theatre.run(set_state, theatre.server_id, "suspended")
    refused(await grace.post(ANY.format(theatre.server_id) + "/enable"), 409, "server_suspended")
    await theatre.run(set_state, theatre.server_id, "gone")
    refused(await grace.get(ANY.format(theatre.server_id)), 409, "server_gone")
    assert theatre.vendor.requests("/vnc") == []


async def test_it_is_not_asked_for_ever(theatre: Theatre) -> None:
    answers = [await theatre.browser.get(OWN.format(theatre.server_id)) for _ in range(14)]
    assert {answer.status_code for answer in answers} == {200, 429}
