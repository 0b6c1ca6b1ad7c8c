"""Error pages look like the rest and lead somewhere."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.desk import Desk

pytestmark = pytest.mark.browser


async def test_what_is_not_there_and_what_is_somebody_else_s(desk: Desk) -> None:
    _, server_id, _ = await desk.other(running=True)
    window = await desk.window(desk.panel.stranger)
    for path in ("/servers/999999999", f"/servers/{server_id}"):
        assert (await window.go(path)).status == 404
        await expect(window.find("h1")).to_have_text("There is nothing here")
        await expect(window.find("#navigation")).to_contain_text("Servers")
        number = (await window.find("main code").inner_text()).strip()
        assert len(number) == 16
    await window.link("Go to your servers").click()
    await expect(window.find("h1")).to_have_text("Servers")
    await window.check(404, 404)


async def test_an_address_of_nothing(desk: Desk) -> None:
    window = await desk.window(desk.panel.owner, scheme="dark")
    assert (await window.go("/no/such/page")).status == 404
    await expect(window.find("h1")).to_have_text("There is nothing here")
    await window.link("Go to the first page").click()
    await window.page.wait_for_url("**/servers")
    await window.check(404)


async def test_something_breaks_on_our_side(desk: Desk) -> None:
    _, server_id, _ = await desk.other(running=True)
    window = await desk.window(desk.panel.owner)
    async with desk.panel.database.transaction() as tx:
        await tx.execute("revoke select on server_log from app")
    try:
        assert (await window.go(f"/servers/{server_id}/activity")).status == 500
        await expect(window.find("h1")).to_have_text("Something broke on our side")
        await expect(window.find("main")).to_contain_text("Nothing was lost.")
        assert "server_log" not in await window.page.content()
    finally:
        async with desk.panel.database.transaction() as tx:
            await tx.execute("grant select on server_log to app")
    await window.link("Try again").click()
    await expect(window.find("#activity")).to_be_visible()
    await window.check(500)


async def test_a_part_that_cannot_be_had_is_told_in_a_toast(desk: Desk) -> None:
    _, server_id, _ = await desk.other(running=True)
    window = await desk.window(desk.panel.owner)
    await window.deafen()
    await window.go(f"/servers/{server_id}/activity")
    async with desk.panel.database.transaction() as tx:
        await tx.execute("revoke select on server_log from app")
    try:
        await window.find("#activity").get_by_role("link", name="Power").click()
        toast = window.find(".toast")
        await expect(toast).to_contain_text("That did not work")
        await expect(toast).to_contain_text("Something went wrong on our side. Nothing was changed.")
        await expect(toast).to_have_attribute("role", "alert")
        await expect(window.find("#activity")).to_be_visible()
    finally:
        async with desk.panel.database.transaction() as tx:
            await tx.execute("grant select on server_log to app")
    await window.check(500)
