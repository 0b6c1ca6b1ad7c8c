"""A user of several customers says which one is meant; nobody speaks for a customer that is not theirs."""

from __future__ import annotations

import pytest

from hostwright.identity.records import MemberRole
from tests.support.app import Client, Makers, Person, SignIn, refused


@pytest.fixture
async def two(makers: Makers, sign_in: SignIn, owner: Person) -> tuple[Client, int, int]:
    """Ada's browser, her own customer and another one whose viewer she is."""
    other = await makers.customer("Difference Engines")
    await makers.member(owner, other, MemberRole.VIEWER)
    return await sign_in(owner), owner.customer_id, other


async def test_the_api_asks_which_customer_is_meant(two: tuple[Client, int, int], makers: Makers) -> None:
    ada, own, other = two
    names = {own: await makers.server(own, "own"), other: await makers.server(other, "other")}
    for path in ("/api/user", "/api/user/servers", f"/api/user/servers/{names[own]}"):
        error = refused(await ada.get(path), 400, "customer_required")
        assert "Hostwright-Customer" in error["message"]
    refused(await ada.post(f"/api/user/servers/{names[own]}/power/boot"), 400, "customer_required")


async def test_the_header_says_it(two: tuple[Client, int, int], makers: Makers) -> None:
    ada, own, other = two
    servers = {own: await makers.server(own, "own"), other: await makers.server(other, "other")}
    for customer_id, role in ((own, "owner"), (other, "viewer")):
        header = {"Hostwright-Customer": str(customer_id)}
        customer = (await ada.get("/api/user", headers=header)).json()["customer"]
        assert (customer["id"], customer["role"]) == (customer_id, role)
        items = (await ada.get("/api/user/servers", headers=header)).json()["items"]
        assert [item["id"] for item in items] == [servers[customer_id]]
        elsewhere = servers[other if customer_id == own else own]
        refused(await ada.get(f"/api/user/servers/{elsewhere}", headers=header), 404, "not_found")


async def test_the_role_is_that_of_the_customer(two: tuple[Client, int, int], makers: Makers) -> None:
    ada, own, other = two
    servers = {own: await makers.server(own), other: await makers.server(other)}
    answers = {
        customer_id: await ada.post(
            f"/api/user/servers/{server_id}/power/shutdown", headers={"Hostwright-Customer": str(customer_id)}
        )
        for customer_id, server_id in servers.items()
    }
    assert answers[own].status_code == 202
    refused(answers[other], 403, "forbidden")


@pytest.mark.parametrize("wanted", ["0", "-1", "999999", "x", "1 ", "1e3", "9" * 30, "\u0661"])
async def test_a_customer_that_is_not_ones_own_is_not_there(
    two: tuple[Client, int, int], stranger: Person, wanted: str
) -> None:
    ada = two[0]
    headers = [(b"hostwright-customer", wanted.encode())]
    refused(await ada.get("/api/user", headers=headers), 404, "not_found")
    refused(await ada.get("/api/user", headers={"Hostwright-Customer": str(stranger.customer_id)}), 404, "not_found")
    assert (await ada.get("/servers", params={"customer": wanted})).status_code == 404
    assert (await ada.get("/servers", params={"customer": stranger.customer_id})).status_code == 404


async def test_with_one_customer_nothing_has_to_be_said(sign_in: SignIn, owner: Person) -> None:
    ada = await sign_in(owner)
    assert (await ada.get("/api/user")).json()["customer"]["id"] == owner.customer_id
    named = await ada.get("/api/user", headers={"Hostwright-Customer": str(owner.customer_id)})
    assert named.status_code == 200


async def test_a_page_names_its_customer_in_its_address(two: tuple[Client, int, int], makers: Makers) -> None:
    ada, own, other = two
    await makers.server(own, "of-her-own")
    await makers.server(other, "of-the-other")
    for customer_id, shown, hidden in ((own, "of-her-own", "of-the-other"), (other, "of-the-other", "of-her-own")):
        page = (await ada.get("/servers", params={"customer": customer_id})).text
        assert shown in page
        assert hidden not in page
    first = (await ada.get("/servers")).text
    assert "of-her-own" in first
