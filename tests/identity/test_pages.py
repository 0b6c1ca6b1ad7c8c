"""The pages for getting in work without JavaScript, keep what was typed, and send everybody to the right place."""

from __future__ import annotations

import re

from tests.support.app import PASSWORD, Client, Person, SignIn


def field(page: str, name: str) -> str:
    """An input of a form."""
    found = re.search(rf"<input[^>]*\bname=\"{name}\"[^>]*>", page)
    assert found is not None, name
    return found[0]


async def test_the_first_page_sends_everybody_where_they_belong(
    client: Client, sign_in: SignIn, owner: Person, staff: Person
) -> None:
    targets = [
        (await caller.get("/")).headers["location"] for caller in (client, await sign_in(owner), await sign_in(staff))
    ]
    assert targets == ["/sign-in", "/servers", "/admin/servers"]


async def test_the_form_needs_no_javascript(client: Client) -> None:
    page = (await client.get("/sign-in", params={"next": "/servers/7"})).text
    assert re.search(r"<form[^>]*method=\"post\"[^>]*action=\"/sign-in\"|action=\"/sign-in\"[^>]*method=\"post\"", page)
    assert 'autocomplete="username"' in field(page, "username")
    assert 'autocomplete="current-password"' in field(page, "password")
    assert 'value="/servers/7"' in field(page, "next")


async def test_signing_in_by_the_form(client: Client, owner: Person) -> None:
    form = {"username": owner.email, "password": PASSWORD, "next": "/account/sessions"}
    answer = await client.post("/sign-in", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/sessions")
    assert (await client.get("/account/sessions")).status_code == 200


async def test_staff_begin_with_all_servers(client: Client, staff: Person) -> None:
    answer = await client.post("/sign-in", data={"username": staff.username, "password": PASSWORD})
    assert answer.headers["location"] == "/admin/servers"


async def test_a_refused_form_keeps_everything_but_the_password(client: Client, owner: Person) -> None:
    form = {"username": owner.username, "password": "wrong-password", "next": "/servers/7"}
    answer = await client.post("/sign-in", data=form)
    assert answer.status_code == 422
    assert f'value="{owner.username}"' in field(answer.text, "username")
    assert "wrong-password" not in answer.text
    assert 'value="/servers/7"' in field(answer.text, "next")
    assert "set-cookie" not in answer.headers


async def test_an_empty_form_names_its_fields(client: Client) -> None:
    answer = await client.post("/sign-in", data={})
    assert answer.status_code == 422
    assert answer.text.count('aria-invalid="true"') == 2


async def test_what_was_typed_is_escaped(client: Client) -> None:
    answer = await client.post("/sign-in", data={"username": '"><script>alert(1)</script>', "password": "x"})
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text


async def test_somebody_who_is_signed_in_sees_no_form(sign_in: SignIn, owner: Person) -> None:
    ada = await sign_in(owner)
    answer = await ada.get("/sign-in")
    assert (answer.status_code, answer.headers["location"]) == (303, "/servers")


async def test_every_page_offers_to_sign_out(sign_in: SignIn, owner: Person) -> None:
    ada = await sign_in(owner)
    for path in ("/servers", "/account/sessions"):
        assert 'action="/sign-out"' in (await ada.get(path)).text


async def test_the_form_speaks_the_browsers_language(client: Client) -> None:
    english = (await client.get("/sign-in", headers={"Accept-Language": "en"})).text
    german = (await client.get("/sign-in", headers={"Accept-Language": "de-AT,de;q=0.9"})).text
    assert '<html lang="en"' in english
    assert '<html lang="de"' in german
    assert "Anmelden" in german
