"""The product without scripts: plain forms and links do everything."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.desk import Desk
from tests.support.app import PASSWORD
from tests.support.stack import until

pytestmark = pytest.mark.browser


async def test_signing_in_looking_around_and_signing_out(desk: Desk) -> None:
    person = await desk.panel.makers.user(full_name="Emmy Noether")
    window = await desk.window(scripts=False)
    page = window.page
    await window.go("/servers")
    await page.get_by_label("User name or e-mail address").fill(person.email)
    await page.get_by_label("Password", exact=True).fill("wrong")
    await window.button("Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("The name or the password is wrong.")
    await expect(window.button("Show password")).to_have_count(0)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await window.button("Sign in").click()
    await expect(page.get_by_role("heading", name="No servers yet")).to_be_visible()
    await window.link("Sessions").click()
    await expect(window.find("tbody tr")).to_have_count(1)
    await window.button("Sign out").click()
    await expect(window.find("h1")).to_have_text("Sign in")


async def test_switching_a_server_off_and_on(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    window = await desk.window(desk.panel.owner, scripts=False)
    await window.go(f"/servers?q={name}")
    await window.link(name).click()
    await window.button("More actions").click()
    await window.menu("Power off").click()
    await window.find("dialog[open]").get_by_role("button", name="Power off").click()
    await expect(window.find(".task h2")).to_have_text("Powering off")

    async def stopped() -> bool:
        await window.page.reload()
        return await window.find(f"#state-{server_id}").inner_text() == "Stopped"

    await until(stopped, pause=0.3)
    assert not desk.panel.vendor.world.servers[external_id].running
    await window.button("Start").click()
    await expect(window.find(".task h2")).to_have_text("Starting")
    assert window.page.url.endswith(f"/servers/{server_id}")


async def test_a_new_password_has_a_page_of_its_own(desk: Desk) -> None:
    _, server_id, name = await desk.server()
    window = await desk.window(desk.panel.owner, scripts=False)
    await window.go(f"/servers/{server_id}")
    await window.button("More actions").click()
    await window.menu("Reset password").click()
    await window.find("dialog[open] button[type=submit]").click()
    await expect(window.find("h2")).to_have_text(f"New password of {name}")
    password = await window.find("#new-password").inner_text()
    await window.link("I have copied it").click()
    await expect(window.find("h1")).to_have_text(name)
    assert password not in await window.page.content()


async def test_what_cannot_be_done_is_told_on_a_page(desk: Desk) -> None:
    external_id, server_id, _ = await desk.server()
    server = desk.panel.vendor.world.servers[external_id]
    server.obeys = False
    here, there = [await desk.window(desk.panel.owner, scripts=False) for _ in range(2)]
    for window in (here, there):
        await window.go(f"/servers/{server_id}")
    await here.button("More actions").click()
    await here.menu("Shut down").click()
    await expect(here.find(".task h2")).to_have_text("Shutting down")
    await there.button("Restart").click()
    await expect(there.find("h1")).to_have_text("That cannot be done now")
    await expect(there.find("main")).to_contain_text("Something else is being done with this server.")
    await there.link("Go to your servers").click()
    await expect(there.find("h1")).to_have_text("Servers")
    await there.check(409)
    async with desk.panel.database.acquire() as db:
        kinds = await db.fetch("select kind from server_actions where server_id = $1", server_id)
    assert [row["kind"] for row in kinds] == ["shutdown"]
    server.running = False


async def test_ending_another_session(desk: Desk) -> None:
    person = await desk.panel.makers.user()
    here, there = await desk.window(person, scripts=False), await desk.window(person, scripts=False)
    await there.go("/servers")
    await here.go("/account/sessions")
    await here.find("tbody tr").filter(has_not=here.find(".tag")).get_by_role("button").click()
    await expect(here.find("tbody tr")).to_have_count(1)
    await there.page.reload()
    await expect(there.find("h1")).to_have_text("Sign in")
