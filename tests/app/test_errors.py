"""Every refusal has the one JSON shape, or is a page; a 500 says nothing about why."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from hostwright.core.db import Database
from hostwright.core.errors import TooManyRequests
from hostwright.web.inject import Injected
from hostwright.web.openapi import get_op, page_get, post_op
from tests.support.app import Client, KeyClient, MakeApp, MakeClient, Person, SignIn, problems, refused
from tests.support.logs import Lines

SECRET = "token=kV7-tulip-9zQ"


@get_op("/api/tests/broken", op="testBroken", summary="Fails", auth="public", tag="Tests")
async def broken() -> dict[str, str]:
    raise ValueError(SECRET)


@post_op("/api/tests/constraint", op="testConstraint", summary="Breaks a rule", auth="public", tag="Tests")
async def constraint(database: Injected[Database]) -> dict[str, str]:
    async with database.transaction() as tx:
        await tx.execute("insert into customers (name) values ('')")
    return {}


@page_get("/tests/broken", auth="public")
async def broken_page() -> str:
    raise ValueError(SECRET)


@page_get("/tests/busy", auth="public")
async def busy_page() -> str:
    raise TooManyRequests(7)


@pytest.fixture
async def fragile(make_app: MakeApp, make_client: MakeClient) -> Client:
    return await make_client(app=await make_app(broken, constraint, broken_page, busy_page))


def page_error(text: str) -> str:
    """The heading of an error page."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", text, re.DOTALL)
    assert found is not None, text
    return found[1].strip()


# --- 400 ---


async def test_a_400_has_one_entry_for_every_bad_missing_and_unknown_field(client: Client, database: Database) -> None:
    wanted = {"username": "a@", "email": "x", "password": 5, "role": "admin", "credit": 5}
    found = problems(await client.post("/api/auth/register", json=wanted))
    assert found == {
        "username": "expected `str` of length >= 3",
        "email": "expected `str` of length >= 3",
        "fullName": "is required",
        "password": "expected `str`, got `int`",
        "role": "is not known",
        "credit": "is not known",
    }
    async with database.acquire() as db:
        assert await db.fetch("select id from users") == []


async def test_a_400_names_every_bad_parameter(sign_in: SignIn, owner: Person) -> None:
    ada = await sign_in(owner)
    found = problems(await ada.get("/api/user/servers?page=0&pageSize=101&state=odd&sort=odd"))
    assert found == {
        "page": "expected `int` >= 1",
        "pageSize": "expected `int` <= 100",
        "state": "invalid enum value 'odd'",
        "sort": "invalid enum value 'odd'",
    }


@pytest.mark.parametrize("body", [b"{", b"nonsense", b'{"username": "a",}', b"\xff\xfe"])
async def test_a_body_that_is_no_json_is_a_400(client: Client, body: bytes) -> None:
    error = refused(await client.post("/api/auth/login", content=body), 400, "bad_request")
    assert error["message"] == "The body is not valid JSON."
    assert "details" not in error


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"text"', b"5"])
async def test_a_body_that_is_no_object_is_a_400(client: Client, body: bytes) -> None:
    assert problems(await client.post("/api/auth/login", content=body)) == {"body": "must be a JSON object"}


# --- 401, 403, 404, 405 ---


async def test_a_401_says_how_to_sign_in(client: Client) -> None:
    answer = await client.get("/api/user")
    refused(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_403(sign_in: SignIn, owner: Person) -> None:
    refused(await (await sign_in(owner)).get("/api/admin/servers"), 403, "forbidden")


async def test_a_missing_scope_is_named_as_the_readme_shows(api_key: KeyClient, owner: Person) -> None:
    program = await api_key(owner, "read:servers")
    error = refused(await program.post("/api/user/servers/1/power/boot"), 403, "invalid_scope")
    assert error["required_scope"] == "write:servers"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/api/nothing", "/api/user/nothing", "/api/x/y/z", "/api/openapi.yaml"])
async def test_unknown_paths_of_the_api_are_404_in_its_shape(client: Client, method: str, path: str) -> None:
    refused(await client.request(method, path), 404, "not_found")


async def test_an_id_that_is_no_number_is_a_404(sign_in: SignIn, owner: Person) -> None:
    refused(await (await sign_in(owner)).get("/api/user/servers/x"), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allow"), [("POST", "/api/user", "GET"), ("GET", "/api/auth/login", "POST")]
)
async def test_a_405_names_what_is_allowed(client: Client, method: str, path: str, allow: str) -> None:
    answer = await client.request(method, path)
    refused(answer, 405, "method_not_allowed")
    assert set(answer.headers["allow"].split(", ")) == {allow, "OPTIONS"}


# --- 409, 413, 415, 429 ---


async def test_a_409_says_why(sign_in: SignIn, owner: Person, make_server: Callable[..., Awaitable[int]]) -> None:
    server_id = await make_server(owner.customer_id, state="suspended")
    ada = await sign_in(owner)
    error = refused(await ada.post(f"/api/user/servers/{server_id}/power/boot"), 409, "server_suspended")
    assert error["message"] == "This server is suspended, so this cannot be done."


async def test_an_announced_body_over_a_megabyte_is_a_413(client: Client) -> None:
    refused(await client.post("/api/auth/login", content=b"x" * 1_048_577), 413, "request_too_large")


async def test_a_body_that_grows_over_a_megabyte_is_a_413(client: Client) -> None:
    async def grow() -> AsyncGenerator[bytes]:
        for _ in range(40):
            yield b"x" * 50_000

    refused(await client.post("/api/auth/login", content=grow()), 413, "request_too_large")


async def test_another_kind_of_body_is_a_415(client: Client) -> None:
    good = b'{"username": "a", "password": "b"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"):
        answer = await client.post("/api/auth/login", content=good, headers={"content-type": kind})
        refused(answer, 415, "unsupported_media_type")
    answer = await client.post(
        "/api/auth/login", content=good, headers={"content-type": "application/json; charset=utf-8"}
    )
    refused(answer, 401, "wrong_credentials")


async def test_a_429_says_when_it_goes_on(client: Client) -> None:
    for _ in range(5):
        await client.post("/api/auth/login", json={"username": "ada", "password": "wrong"})
    answer = await client.post("/api/auth/login", json={"username": "ada", "password": "wrong"})
    refused(answer, 429, "rate_limited")
    assert int(answer.headers["retry-after"]) >= 1


# --- 500 ---


async def test_a_500_says_nothing_about_why_but_the_log_does(fragile: Client, log_lines: Lines) -> None:
    answer = await fragile.get("/api/tests/broken")
    error = refused(answer, 500, "internal_error")
    assert error["message"] == "Something went wrong on our side. Nothing was changed."
    assert "tulip" not in answer.text
    assert "ValueError" not in answer.text
    (line,) = log_lines.named("request.failed")
    assert line["request_id"] == error["requestId"]
    assert "ValueError" in line["exception"]
    assert "test_errors.py" in line["exception"]
    assert "tulip" not in log_lines.text


async def test_what_is_only_away_is_logged_in_one_line(
    sign_in: SignIn, owner: Person, make_server: Callable[..., Awaitable[int]], log_lines: Lines
) -> None:
    server_id = await make_server(owner.customer_id)
    answer = await (await sign_in(owner)).get(f"/api/user/servers/{server_id}/traffic")
    refused(answer, 503, "upstream_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    (line,) = log_lines.named("request.unavailable")
    assert (line["level"], line["code"]) == ("warning", "upstream_unavailable")
    assert "exception" not in line
    assert log_lines.named("request.failed") == []


async def test_what_the_database_refuses_is_not_shown(fragile: Client) -> None:
    answer = await fragile.post("/api/tests/constraint")
    refused(answer, 500, "internal_error")
    assert "customers" not in answer.text


# --- pages ---


async def test_errors_of_pages_are_pages_in_the_design(
    fragile: Client, client: Client, sign_in: SignIn, owner: Person
) -> None:
    ada = await sign_in(owner)
    expected = [
        (await ada.get("/admin/jobs"), 403, "You may not see this"),
        (await ada.get("/nothing"), 404, "There is nothing here"),
        (await ada.get("/servers/1"), 404, "There is nothing here"),
        (await ada.post("/servers"), 405, "That does not work here"),
        (await client.post("/sign-in", data={"username": "x" * 1_100_000}), 413, "That is too large"),
        (await fragile.get("/tests/busy"), 429, "Too many tries"),
        (await fragile.get("/tests/broken"), 500, "Something broke on our side"),
    ]
    for answer, status, heading in expected:
        assert answer.status_code == status
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert page_error(answer.text) == heading
        assert "tulip" not in answer.text
        if status >= 500:
            assert answer.headers["x-request-id"] in answer.text
    assert expected[5][0].headers["retry-after"] == "7"


async def test_htmx_gets_the_message_without_a_page(sign_in: SignIn, owner: Person) -> None:
    ada = await sign_in(owner)
    answer = await ada.get("/servers/1", headers={"HX-Request": "true"})
    assert answer.status_code == 404
    assert answer.text == ""
    assert answer.headers["hostwright-message"] == "There%20is%20nothing%20here."


async def test_a_page_asks_to_sign_in_and_comes_back(client: Client) -> None:
    answer = await client.get("/servers?page=2&search=a b")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/sign-in?next=/servers%3Fpage%3D2%26search%3Da%2520b",
    )
    answer = await client.get("/servers", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in")
    answer = await client.post("/servers/1/power/boot")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
