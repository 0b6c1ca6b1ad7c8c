"""Changing a server in the browser: its name, its system, its suspension, and many servers at once."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.desk import Desk, Window
from tests.support.stack import until

pytestmark = pytest.mark.browser


async def choose(window: Window, *server_ids: int) -> None:
    """Tick servers in a list, with the keyboard."""
    for server_id in server_ids:
        await window.find(f"#pick-{server_id}").focus()
        await window.page.keyboard.press("Space")


async def test_a_new_name_is_shown_everywhere_once_it_is_done(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    new = f"{name[:40]} <new>"  # some names at VirtFusion are longer than a new one may be
    window = await desk.window(desk.panel.owner)
    other = await desk.window(desk.panel.owner, web=1)
    for each in (window, other):
        await each.go(f"/servers/{server_id}")
        await each.live()
    await window.button("More actions").click()
    await window.menu("Rename").click()
    dialog = window.find("dialog[open]")
    await expect(dialog.get_by_label("Name")).to_have_value(name)
    await dialog.get_by_label("Name").fill("  ")
    await dialog.get_by_role("button", name="Rename").click()
    await expect(dialog).to_contain_text("Must have 1 to 63 characters.")
    await dialog.get_by_label("Name").fill(new)
    await dialog.get_by_role("button", name="Rename").click()
    await expect(dialog).to_have_count(0)
    for each in (window, other):
        await expect(each.find("h1")).to_have_text(new)
    assert desk.panel.vendor.world.servers[external_id].name == new
    await window.check(422)


async def test_reinstalling_shows_each_step_and_outlives_the_page(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    window = await desk.window(desk.panel.owner)
    await window.go(f"/servers/{server_id}/reinstall")
    await window.page.get_by_label("Find a system").fill("no such system")
    await expect(window.find("[data-filter-none]")).to_be_visible()
    await window.page.get_by_label("Find a system").fill("debian 12")
    await expect(window.find(".choice:visible input[name=template]")).to_have_count(1)
    await window.find(".choice:visible input[name=template]").check()
    await window.page.get_by_label("Host name").fill("web.example.com")
    confirm = window.find("#confirm")
    await confirm.fill("something else")
    await expect(window.button("Delete everything and reinstall")).to_be_disabled()
    await confirm.fill(name)
    await window.button("Delete everything and reinstall").click()
    await window.page.wait_for_url(f"**/servers/{server_id}")
    await expect(window.find(".task h2")).to_contain_text("Installing Debian 12")
    await window.go("/servers")
    await window.go(f"/servers/{server_id}")
    await expect(window.find(".task h2")).to_have_text("Reinstall: done")
    await expect(window.find(".task")).to_contain_text("Reset the password")
    await expect(window.find("#about")).to_contain_text("Debian 12")
    assert desk.panel.vendor.world.servers[external_id].hostname == "web.example.com"


async def test_a_suspension_reaches_the_page_of_its_customer(desk: Desk) -> None:
    _, server_id, _ = await desk.server()
    customer = await desk.window(desk.panel.owner)
    await customer.go(f"/servers/{server_id}")
    await customer.live()
    staff = await desk.window(desk.panel.staff, web=1)
    await staff.go(f"/admin/servers/{server_id}")
    await staff.live()
    await staff.button("More actions").click()
    await staff.menu("Suspend").click()
    dialog = staff.find("dialog[open]")
    await dialog.get_by_label("Reason").fill("Invoice 7 & <8> are unpaid")
    await dialog.get_by_role("button", name="Suspend").click()
    await expect(dialog).to_have_count(0)
    notice = customer.find(f"#notice-{server_id}")
    await expect(notice).to_contain_text("Reason: Invoice 7 & <8> are unpaid.")
    await expect(customer.button("Start")).to_be_disabled()
    await staff.button("Lift suspension").click()
    await expect(customer.find(f"#state-{server_id}")).to_have_text("Stopped")
    await expect(notice).to_have_count(0)


async def test_many_servers_at_once_are_followed_to_their_end(desk: Desk) -> None:
    (first, one, _), (second, two, _) = await desk.server(), await desk.server()
    _, suspended, _ = await desk.other(suspended=True)
    window = await desk.window(desk.panel.owner)
    await window.go(f"/servers/bulk?action=poweroff&id={one}&id={two}&id={suspended}")
    await expect(window.find("main")).to_contain_text("2 of 3")
    await window.button("Power off 2 servers").click()
    await window.page.wait_for_url("**/servers/bulk/summary**")
    await expect(window.find("#summary-list")).to_contain_text("2 done, 1 left out")
    await window.page.reload()
    await expect(window.find("#summary-list")).to_contain_text("This server is suspended")
    world = desk.panel.vendor.world
    assert (world.servers[first].running, world.servers[second].running) == (False, False)


async def test_rows_are_chosen_with_the_keyboard(desk: Desk) -> None:
    window = await desk.window(desk.panel.owner)
    await window.go("/servers")
    bar = window.find("#bulk")
    await expect(bar).to_be_hidden()
    rows = await window.find(".c-pick input").count()
    await window.find("[data-pick-page]").focus()
    await window.page.keyboard.press("Space")
    await expect(bar).to_be_visible()
    await expect(window.find(".c-pick input:checked")).to_have_count(rows)
    await window.find(".c-pick input").first.focus()
    await window.page.keyboard.press("Space")
    assert await window.find("[data-pick-page]").evaluate("box => box.indeterminate")
    await window.button("Clear").click()
    await expect(bar).to_be_hidden()
    await expect(window.find("[data-pick-page]")).not_to_be_checked()


async def test_without_scripts_a_selection_is_a_form(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    window = await desk.window(desk.panel.owner, scripts=False)
    await window.go(f"/servers?q={name}")
    await window.find(f"#pick-{server_id}").check()
    await window.button("Power off").click()
    await window.button("Power off 1 server").click()

    async def done() -> bool:
        await window.page.reload()
        return "1 done" in await window.find("#summary-list").inner_text()

    await until(done, pause=0.3)
    assert not desk.panel.vendor.world.servers[external_id].running


async def test_without_scripts_a_bad_name_has_a_page_of_its_own(desk: Desk) -> None:
    _, server_id, name = await desk.server()
    window = await desk.window(desk.panel.owner, scripts=False)
    await window.go(f"/servers/{server_id}")
    await window.button("More actions").click()
    await window.menu("Rename").click()
    await window.find("dialog[open]").get_by_label("Name").fill("   ")
    await window.find("dialog[open]").get_by_role("button", name="Rename").click()
    await expect(window.find("main")).to_contain_text("Must have 1 to 63 characters.")
    await window.page.get_by_label("Name").fill(f"{name}-x")
    await window.button("Rename").click()
    await expect(window.find(".task h2")).to_contain_text("Renam")
    await window.check(422)


async def test_staff_see_before_they_suspend_many(desk: Desk) -> None:
    (_, one, _), (external_id, two, _) = await desk.server(), await desk.server()
    stubborn = desk.panel.vendor.world.servers[external_id]
    stubborn.obeys = False
    window = await desk.window(desk.panel.staff)
    await window.go(f"/admin/servers/bulk?action=suspend&id={one}&id={two}")
    other = await desk.window(desk.panel.owner)
    await other.go(f"/servers/{two}")
    await other.button("More actions").click()
    await other.menu("Shut down").click()
    await expect(other.find(".task h2")).to_have_text("Shutting down")
    await window.page.get_by_label("Reason").fill("Abuse report 12")
    await window.button("Suspend 2 servers").click()
    await expect(window.find("main")).to_contain_text("changed since you looked")
    await expect(window.page.get_by_label("Reason")).to_have_value("Abuse report 12")
    await expect(window.find("main")).to_contain_text("Something else is being done with this server.")
    stubborn.running = False
    await window.check(409)
