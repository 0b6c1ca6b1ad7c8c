"""The cookies' flags and names, over HTTP and HTTPS."""

from __future__ import annotations

from http.cookies import Morsel, SimpleCookie

import httpx
import pytest

from tests.support.app import PASSWORD, Client, MakeApp, MakeClient, Person, refused

MONTH = 30 * 86_400


def cookies_of(answer: httpx.Response) -> dict[str, Morsel[str]]:
    found: dict[str, Morsel[str]] = {}
    for header in answer.headers.get_list("set-cookie"):
        found.update(SimpleCookie(header))
    return found


async def enter(client: Client, person: Person, *, page: bool) -> httpx.Response:
    wanted = {"username": person.username, "password": PASSWORD}
    if page:
        return await client.post("/sign-in", data=wanted)
    return await client.post("/api/auth/login", json=wanted)


def flags(morsel: Morsel[str]) -> dict[str, object]:
    return {
        name: morsel[name] for name in ("path", "domain", "httponly", "secure", "samesite", "max-age") if morsel[name]
    }


@pytest.mark.parametrize("page", [False, True])
async def test_over_http(client: Client, owner: Person, page: bool) -> None:
    found = cookies_of(await enter(client, owner, page=page))
    common = {"path": "/", "samesite": "lax", "max-age": str(MONTH)}
    assert {name: flags(morsel) for name, morsel in found.items()} == {
        "hw_session": {**common, "httponly": True},
        "hw_csrf": common,
    }


@pytest.mark.parametrize("page", [False, True])
async def test_over_https_they_are_secure_and_bound_to_the_host(
    make_app: MakeApp, make_client: MakeClient, owner: Person, page: bool
) -> None:
    client = await make_client(app=await make_app(public_url="https://panel.test"))
    found = cookies_of(await enter(client, owner, page=page))
    common = {"path": "/", "samesite": "lax", "secure": True, "max-age": str(MONTH)}
    assert {name: flags(morsel) for name, morsel in found.items()} == {
        "__Host-hw_session": {**common, "httponly": True},
        "__Host-hw_csrf": common,
    }
    assert (await client.get("/api/user")).status_code == 200


async def test_over_https_the_plain_name_is_nobody(make_app: MakeApp, make_client: MakeClient, owner: Person) -> None:
    """A cookie that another host or plain HTTP could have planted."""
    client = await make_client(app=await make_app(public_url="https://panel.test"))
    token = cookies_of(await enter(client, owner, page=False))["__Host-hw_session"].value
    client.cookies.clear()
    refused(await client.get("/api/user", headers={"Cookie": f"hw_session={token}"}), 401, "unauthorized")
    answer = await client.get("/api/user", headers={"Cookie": f"__Host-hw_session={token}"})
    assert answer.status_code == 200


async def test_signing_out_empties_them_in_a_way_that_browsers_accept(
    make_app: MakeApp, make_client: MakeClient, owner: Person
) -> None:
    client = await make_client(app=await make_app(public_url="https://panel.test"))
    await enter(client, owner, page=False)
    answer = await client.post("/api/auth/logout", headers={"X-CSRF-Token": client.cookies["__Host-hw_csrf"]})
    found = cookies_of(answer)
    assert set(found) == {"__Host-hw_session", "__Host-hw_csrf"}
    for morsel in found.values():
        assert (morsel.value, morsel["secure"], morsel["path"], morsel["max-age"]) == ("", True, "/", "0")


async def test_no_other_answer_sets_a_cookie(client: Client, owner: Person) -> None:
    await enter(client, owner, page=False)
    for path in ("/api/user", "/servers", "/sign-in", "/nothing", "/api/nothing", "/health/live"):
        assert "set-cookie" not in (await client.get(path)).headers, path
    refusal = await client.post("/api/auth/login", json={"username": "x", "password": "y"})
    assert "set-cookie" not in refusal.headers
