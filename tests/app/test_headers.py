"""What every answer carries, whichever layer gave it."""

from __future__ import annotations

import pytest

from hostwright.app import App
from tests.support.app import Client, MakeApp, MakeClient, Person, SignIn

EXPECTED = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/sign-in", 200),
        ("GET", "/health/live", 200),
        ("GET", "/api/openapi.json", 200),
        ("GET", "/", 303),
        ("GET", "/api/user", 401),
        ("GET", "/nothing", 404),
        ("GET", "/api/nothing", 404),
        ("POST", "/api/user", 405),
        ("POST", "/servers", 405),
        ("POST", "/api/auth/login", 400),
        ("OPTIONS", "/api/user", 204),
        ("BREW", "/api/user", 405),
    ],
)
async def test_security_headers_and_a_request_id_stand_on_every_answer(
    client: Client, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in EXPECTED} == EXPECTED
    assert len(answer.headers["x-request-id"]) == 16
    assert "strict-transport-security" not in answer.headers
    assert "server" not in answer.headers


async def test_request_ids_differ_and_do_not_come_from_outside(client: Client) -> None:
    ids = {(await client.get("/health/live", headers={"X-Request-Id": "mine"})).headers["x-request-id"] for _ in "ab"}
    assert len(ids) == 2
    assert "mine" not in ids


async def test_the_policy_has_nothing_unsafe(client: Client) -> None:
    assert "unsafe" not in (await client.get("/sign-in")).headers["content-security-policy"]


async def test_over_https_browsers_are_told_to_stay_there(make_app: MakeApp, make_client: MakeClient) -> None:
    client = await make_client(app=await make_app(public_url="https://panel.test"))
    answer = await client.get("/nothing")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_defect_25_no_other_site_is_let_in(client: Client, sign_in: SignIn, owner: Person) -> None:
    ada = await sign_in(owner)
    headers = {"Origin": "https://evil.test", "Access-Control-Request-Method": "POST"}
    for answer in (
        await client.options("/api/user", headers=headers),
        await ada.get("/api/user", headers=headers),
        await client.options("/api/auth/login", headers=headers),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_pages_and_answers_with_personal_things_are_kept_by_no_shared_cache(
    sign_in: SignIn, owner: Person
) -> None:
    ada = await sign_in(owner)
    for path in ("/servers", "/account/sessions", "/api/user", "/api/user/servers", "/"):
        kept = (await ada.get(path)).headers.get("cache-control", "")
        assert "no-store" in kept or "private" in kept, path


async def test_counts_and_routes_reach_the_metrics_without_ids(app: App, client: Client) -> None:
    for path in ("/servers/41", "/servers/42", "/nothing/43"):
        await client.get(path)
    text = (await client.get("/metrics")).text
    assert 'route="/servers/{server_id}"' in text, [line for line in text.splitlines() if "count" in line]
    assert 'route="unmatched"' in text
    assert "/nothing/43" not in text
    assert "/servers/41" not in text
