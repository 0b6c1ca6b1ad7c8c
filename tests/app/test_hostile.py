"""Whatever is sent to whichever route: nothing breaks, and what is refused is refused in the right shape."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from hostwright.app import App
from hostwright.core.db import Database
from tests.support.app import Client, Person, SignIn, refused
from tests.support.routes import Route, routes_of

NUMBERS = (
    "0",
    "-1",
    "9" * 19,
    str(2**63),
    str(-(2**70)),
    "9" * 4400,
    "1.5",
    "1e3",
    "0x1",
    "%00",
    "%ff",
    "%E2%88%9E",
    "",
)
WORDS = ("%00", "%ff%fe", "%ED%A0%80", "x" * 5000, "..%2f..%2fetc%2fpasswd", "';--", "${7*7}", "%0d%0aSet-Cookie:a=b")
QUERY = (
    "search",
    "page",
    "pageSize",
    "sort",
    "state",
    "cursor",
    "startDate",
    "endDate",
    "type",
    "q",
    "customer",
    "next",
)
BODIES: tuple[tuple[str, bytes], ...] = (
    ("application/json", b""),
    ("application/json", b"\xff\xfe\x00"),
    ("application/json", b'{"username":"\xed\xa0\x80","password":"x"}'),
    ("application/json", b'{"username":"\\ud800","password":"x"}'),
    ("application/json", b'{"username":"\\u0000","password":"x"}'),
    ("application/json", b"[" * 100_000),
    ("application/json", b'{"a":' * 20_000),
    ("application/json", b'{"username":' + b"9" * 10_000 + b"}"),
    ("application/json", b'{"username":1e999999,"password":NaN}'),
    ("application/x-www-form-urlencoded", b"username=%00&password=%00&csrf=%00"),
    ("application/x-www-form-urlencoded", b"&".join(b"a%d=b" % n for n in range(3000))),
    ("multipart/form-data", b"--x\r\nnonsense"),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="username"\r\n\r\na\r\n'),
    ("multipart/form-data; boundary=x", b"--x\r\n" * 5000),
    ("\xff/\xff; charset=\xff", b"x"),
    ("application/json; charset=utf-7", b"+ADw-"),
)
NAMES = ("x" * 10_000, "\x00", "\ud7ff\U0010ffff", "\u202e" * 20, "ﷺ" * 40, "' or 1=1 --", "<script>alert(1)</script>")


@pytest.fixture
def routes(app: App) -> list[Route]:
    found = routes_of(app)
    assert len(found) > 40
    # A live stream never ends; it takes nothing from its caller.
    return [route for route in found if route.path != "/events"]


@pytest.fixture
async def boss(sign_in: SignIn, staff: Person) -> Client:
    return await sign_in(staff)


def sound(answer: httpx.Response, route: Route, what: object) -> None:
    """Answered, not broken; an error is in the shape of its half of the house."""
    told = f"{route.label} with {what!r:.80}: {answer.status_code}"
    assert answer.status_code < 500 or route.path == "/health/ready", told
    if answer.status_code >= 400 and route.path.startswith("/api/"):
        refused(answer, answer.status_code, answer.json()["error"]["code"])
    assert "set-cookie" not in answer.headers or "a=b" not in answer.headers["set-cookie"], told


async def test_no_route_breaks_on_odd_numbers_in_its_path(boss: Client, routes: list[Route]) -> None:
    for route in routes:
        for number in NUMBERS if route.parameters else ():
            path = route.path.format(**dict.fromkeys(route.parameters, number))
            sound(await boss.request(route.method, path), route, number)


async def test_no_route_breaks_on_odd_words_in_its_path(boss: Client, routes: list[Route]) -> None:
    for route in routes:
        for word in WORDS if route.parameters else ():
            path = route.path.format(**dict.fromkeys(route.parameters, word))
            sound(await boss.request(route.method, path), route, word)


async def test_no_reading_route_breaks_on_odd_parameters(boss: Client, routes: list[Route]) -> None:
    for route in routes:
        for word in (*WORDS, *NUMBERS) if route.method == "GET" else ():
            query = "&".join(f"{name}={word}" for name in QUERY)
            sound(await boss.get(f"{route.filled()}?{query}"), route, word)


async def test_an_odd_customer_is_not_there(boss: Client) -> None:
    for word in (*WORDS, *NUMBERS):
        for path in ("/api/user", "/servers"):
            answer = await boss.get(f"{path}?customer={word}")
            assert answer.status_code == 404, word


async def test_no_writing_route_breaks_on_odd_bodies(
    boss: Client, client: Client, routes: list[Route], database: Database
) -> None:
    for route in routes:
        for kind, body in BODIES if route.method not in {"GET", "HEAD"} else ():
            if route.path in {"/sign-out", "/api/auth/logout", "/account/sessions/revoke-others"}:
                continue
            caller = client if route.auth == "public" else boss
            headers = [(b"content-type", kind.encode("latin-1"))]
            sound(await caller.request(route.method, route.filled(), content=body, headers=headers), route, body)
    async with database.acquire() as db:
        assert len(await db.fetch("select id from users")) == 1


async def test_odd_headers_break_nothing(client: Client, boss: Client) -> None:
    odd = b"\xff\xfe'\"; a=b, %00"
    for name in (
        "authorization",
        "accept-language",
        "content-type",
        "cookie",
        "hostwright-customer",
        "hx-request-type",
        "hx-target",
        "origin",
        "sec-fetch-site",
        "user-agent",
        "x-csrf-token",
        "x-forwarded-for",
    ):
        for caller in (client, boss):
            for method, path in (("GET", "/servers"), ("GET", "/api/user"), ("POST", "/servers/1/power/boot")):
                answer = await caller.request(method, path, headers=[(name.encode(), odd)])
                assert answer.status_code < 500, f"{name} at {method} {path}"


async def test_names_of_any_length_and_script_are_stored_or_refused(client: Client, boss: Client) -> None:
    for number, name in enumerate(NAMES):
        wanted = {
            "username": f"visitor{number}",
            "email": f"visitor{number}@example.com",
            "fullName": name,
            "password": "kV7-tulip-9zQ",
        }
        answer = await client.post("/api/auth/register", json=wanted)
        assert answer.status_code in {201, 400}, name[:20]
        if answer.status_code == 201:
            assert answer.json()["fullName"] == name
            page = await client.get("/servers")
            assert page.status_code == 200
            assert "<script>alert" not in page.text
            client.cookies.clear()


async def test_a_search_for_anything_finds_nothing(
    boss: Client, staff: Person, make_server: Callable[..., Awaitable[int]]
) -> None:
    await make_server(staff.customer_id, "alpha")
    for text in ("%", "_", "\\", "'", "a%a", "*", "(", "x" * 100, "\u0000"):
        for path in ("/api/user/servers", "/api/admin/servers"):
            answer = await boss.get(path, params={"search": text})
            assert (answer.status_code, answer.json()["items"]) == (200, []), text
    body: dict[str, Any] = (await boss.get("/api/user/servers", params={"search": "LPH"})).json()
    assert [item["name"] for item in body["items"]] == ["alpha"]
