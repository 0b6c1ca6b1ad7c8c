"""A write by cookie must come from our own page: a token tied to the session, and no other site as its origin."""

from __future__ import annotations

import pytest

from hostwright.app import App
from hostwright.core.crypto import Keyring, new_key
from hostwright.core.db import Database
from hostwright.identity.access import csrf_token
from tests.support.app import (
    PASSWORD,
    Client,
    KeyClient,
    MakeApp,
    MakeClient,
    Makers,
    Person,
    SignIn,
    client_of,
    refused,
)


class Place:
    """An owner's browser and a server that it may switch."""

    def __init__(self, browser: Client, server_id: int, database: Database) -> None:
        self.browser = browser
        self.server_id = server_id
        self.database = database
        self.api = f"/api/user/servers/{server_id}/power/shutdown"
        self.page = f"/servers/{server_id}/power/shutdown"

    async def actions(self) -> int:
        async with self.database.acquire() as db:
            return len(await db.fetch("select 1 from server_actions"))


@pytest.fixture
async def place(sign_in: SignIn, makers: Makers, owner: Person, database: Database) -> Place:
    server_id = await makers.server(owner.customer_id)
    return Place(await sign_in(owner), server_id, database)


async def test_the_header_lets_a_write_through(place: Place) -> None:
    assert (await place.browser.post(place.api)).status_code == 202
    assert await place.actions() == 1


async def test_a_hidden_field_does_in_a_form(place: Place) -> None:
    del place.browser.headers["X-CSRF-Token"]
    answer = await place.browser.post(place.page, data={"csrf": place.browser.csrf})
    assert answer.status_code == 303
    assert await place.actions() == 1


async def test_without_a_token_nothing_happens(place: Place) -> None:
    del place.browser.headers["X-CSRF-Token"]
    refused(await place.browser.post(place.api), 403, "csrf_failed")
    refused(await place.browser.post(place.api, json={"csrf": place.browser.csrf}), 403, "csrf_failed")
    refused(await place.browser.post(f"{place.api}?csrf={place.browser.csrf}"), 403, "csrf_failed")
    assert (await place.browser.post(place.page, data={"other": "1"})).status_code == 403
    assert (await place.browser.post(place.page)).status_code == 403
    assert await place.actions() == 0


async def test_a_token_of_the_key_before_still_counts(place: Place, make_app: MakeApp, app: App) -> None:
    rotated = await make_app(keys=f"{new_key()},{app.config.keys}")
    headers = {"X-CSRF-Token": place.browser.csrf}
    async with client_of(rotated, cookies=place.browser.cookies, headers=headers) as later:
        assert csrf_token(rotated.services.keyring, "x") != csrf_token(app.services.keyring, "x")
        assert (await later.post(place.api)).status_code == 202


async def test_a_wrong_token_does_nothing(place: Place) -> None:
    for wrong in ("", "x", "0" * 64, place.browser.csrf[:-1], place.browser.csrf.upper(), place.browser.csrf + "0"):
        place.browser.headers["X-CSRF-Token"] = wrong
        refused(await place.browser.post(place.api), 403, "csrf_failed")
        del place.browser.headers["X-CSRF-Token"]
        assert (await place.browser.post(place.page, data={"csrf": wrong})).status_code == 403
    assert await place.actions() == 0


async def test_another_sessions_token_does_nothing(
    place: Place, sign_in: SignIn, owner: Person, stranger: Person
) -> None:
    for person in (owner, stranger):
        other = await sign_in(person)
        assert other.csrf != place.browser.csrf
        place.browser.headers["X-CSRF-Token"] = other.csrf
        refused(await place.browser.post(place.api), 403, "csrf_failed")
    assert await place.actions() == 0


async def test_the_token_cannot_be_made_without_the_servers_key(place: Place, app: App) -> None:
    assert place.browser.session is not None
    token = place.browser.session.token
    assert csrf_token(app.services.keyring, token) == place.browser.csrf
    assert csrf_token(Keyring.parse(new_key()), token) != place.browser.csrf


async def test_pages_carry_the_sessions_token(place: Place) -> None:
    page = (await place.browser.get("/servers")).text
    assert place.browser.csrf in page


async def test_sign_in_gives_the_token_in_a_readable_cookie(client: Client, owner: Person) -> None:
    await client.post("/api/auth/login", json={"username": owner.username, "password": PASSWORD})
    refused(await client.post("/api/auth/logout"), 403, "csrf_failed")
    answer = await client.post("/api/auth/logout", headers={"X-CSRF-Token": client.cookies["hw_csrf"]})
    assert answer.status_code == 204


async def test_reading_needs_none(place: Place) -> None:
    del place.browser.headers["X-CSRF-Token"]
    assert (await place.browser.get("/api/user")).status_code == 200
    assert (await place.browser.get("/servers")).status_code == 200


async def test_a_key_needs_none(place: Place, api_key: KeyClient, owner: Person) -> None:
    program = await api_key(owner, "write:servers")
    assert (await program.post(place.api)).status_code == 202


# --- where a write comes from ---

EVIL = (
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": "http://panel.test.evil.test"},
    {"Origin": "http://panel.test:8080"},
    {"Origin": "http://evil.test", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://panel.test"},
)
GOOD = (
    {},
    {"Origin": "http://panel.test"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://panel.test"},
    {"Sec-Fetch-Site": "none"},
)


@pytest.mark.parametrize("headers", EVIL)
async def test_another_site_cannot_write_even_with_the_token(place: Place, headers: dict[str, str]) -> None:
    refused(await place.browser.post(place.api, headers=headers), 403, "csrf_failed")
    assert (await place.browser.post(place.page, headers=headers)).status_code == 403
    assert await place.actions() == 0


@pytest.mark.parametrize("headers", GOOD)
async def test_our_own_site_can(place: Place, headers: dict[str, str]) -> None:
    assert (await place.browser.post(place.api, headers=headers)).status_code == 202


@pytest.mark.parametrize("headers", EVIL)
async def test_another_site_cannot_sign_anybody_in_or_register_them(
    client: Client, owner: Person, database: Database, headers: dict[str, str]
) -> None:
    right = {"username": owner.username, "password": PASSWORD}
    new = {"username": "eve", "email": "eve@example.com", "fullName": "Eve", "password": PASSWORD}
    refused(await client.post("/api/auth/login", json=right, headers=headers), 403, "csrf_failed")
    refused(await client.post("/api/auth/register", json=new, headers=headers), 403, "csrf_failed")
    assert (await client.post("/sign-in", data=right, headers=headers)).status_code == 403
    assert (await client.post("/register", data=new, headers=headers)).status_code == 403
    async with database.acquire() as db:
        assert await db.fetch("select 1 from sessions") == []
        assert len(await db.fetch("select 1 from users")) == 1
        assert await db.fetch("select 1 from sign_in_failures") == []


@pytest.mark.parametrize("headers", GOOD)
async def test_our_own_form_can_sign_in(client: Client, owner: Person, headers: dict[str, str]) -> None:
    right = {"username": owner.username, "password": PASSWORD}
    assert (await client.post("/sign-in", data=right, headers=headers)).status_code == 303


async def test_reading_from_another_site_is_left_to_the_browser(place: Place) -> None:
    answer = await place.browser.get(
        "/servers", headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"}
    )
    assert answer.status_code == 200


async def test_a_listed_origin_may_write(make_app: MakeApp, sign_in: SignIn, owner: Person, makers: Makers) -> None:
    app = await make_app(allowed_origins=("https://shop.test",))
    server_id = await makers.server(owner.customer_id)
    ada = await sign_in(owner, app=app)
    path = f"/api/user/servers/{server_id}/power/shutdown"
    listed = {"Origin": "https://shop.test", "Sec-Fetch-Site": "same-site"}
    assert (await ada.post(path, headers=listed)).status_code == 202
    refused(await ada.post(path, headers={"Origin": "https://shop.test.evil.test"}), 403, "csrf_failed")


async def test_programs_with_keys_have_no_origin_to_check(place: Place, api_key: KeyClient, owner: Person) -> None:
    program = await api_key(owner, "write:servers")
    assert (await program.post(place.api, headers={"Origin": "https://tool.test"})).status_code == 202


async def test_behind_a_proxy_the_public_address_is_ours(
    make_app: MakeApp, make_client: MakeClient, owner: Person
) -> None:
    app = await make_app(public_url="https://panel.example")
    client = await make_client(app=app)
    right = {"username": owner.username, "password": PASSWORD}
    headers = {"Host": "10.0.0.7:8000", "Origin": "https://panel.example"}
    assert (await client.post("/sign-in", data=right, headers=headers)).status_code == 303


@pytest.mark.parametrize("origin", ["http://[", "null", "https://", "//panel", "\xa0"])
async def test_an_odd_origin_is_refused_and_not_a_fault(place: Place, origin: str) -> None:
    answer = await place.browser.post(place.api, headers={b"origin": origin.encode("latin-1")})
    refused(answer, 403, "csrf_failed")
    assert await place.actions() == 0


async def test_a_form_that_is_no_text_is_a_bad_request(client: Client, place: Place) -> None:
    part = b'--x\r\ncontent-disposition: form-data; name="username"\r\n\r\n\xff\xfe\r\n--x--\r\n'
    strange = part.replace(b"\r\n\r\n", b"\r\ncontent-type: text/plain; charset=nope\r\n\r\n")
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    del place.browser.headers["X-CSRF-Token"]
    for body in (part, strange):
        assert (await client.post("/sign-in", content=body, headers=headers)).status_code == 400
        assert (await place.browser.post(place.page, content=body, headers=headers)).status_code == 400
    assert await place.actions() == 0
