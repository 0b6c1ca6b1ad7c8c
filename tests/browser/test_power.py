"""The main job: a customer switches a server off and on, and every open page sees it, wherever it came from."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from hostwright.upstream.virtfusion.simulator.facts import ServerChange
from tests.browser.desk import PHONE, Desk, Window
from tests.support.app import PASSWORD
from tests.support.stack import Web, _answers

pytestmark = pytest.mark.browser


def state_of(window: Window, server_id: int) -> Locator:
    return window.find(f"#state-{server_id}")


async def restarted(desk: Desk, web: Web) -> Web:
    """Another web process at the address of one that has ended."""
    stack, port = desk.panel.stack, web.url.rpartition(":")[2]
    found = await stack._start(Web, "web", "serve", "--port", port, PUBLIC_URL=web.url)
    found.url = web.url
    await stack._ready(found, lambda: _answers(web.url))
    return found


async def test_the_walk_from_sign_in_to_a_server_that_has_stopped_and_runs_again(desk: Desk) -> None:
    _, server_id, name = await desk.server()
    window = await desk.window()
    page = window.page
    await window.go("/")
    await page.get_by_label("User name or e-mail address").fill(desk.panel.owner.email)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/servers")

    await page.get_by_label("Filter by name or address").fill(name)
    await expect(page.locator("tbody tr")).to_have_count(1)
    listing = await desk.window(desk.panel.owner)
    await listing.go(f"/servers?q={name}")
    await listing.live()
    detail = await desk.window(desk.panel.owner, web=1)
    await detail.go(f"/servers/{server_id}")
    await detail.live()

    await window.link(name).click()
    await page.wait_for_url(f"**/servers/{server_id}")
    await window.live()
    for each in (window, listing, detail):
        await each.note(f"#state-{server_id}")
    await window.button("More actions").click()
    await window.menu("Power off").click()
    dialog = window.find("dialog[open]")
    await expect(dialog).to_contain_text(f"Power off {name}?")
    await dialog.get_by_role("button", name="Power off").click()

    await expect(dialog).to_have_count(0)
    for each in (window, listing, detail):
        await expect(state_of(each, server_id)).to_have_text("Stopped")
        assert await each.noted() == ["Running", "Powering off", "Stopped"]
    for each in (window, detail):
        await expect(each.find(".task h2")).to_have_text("Power off: done")
        await expect(each.find("#latest li").first).to_contain_text("Powered off")

    await window.button("Start").click()
    for each in (window, listing, detail):
        await expect(state_of(each, server_id)).to_have_text("Running")
        assert await each.noted() == ["Running", "Powering off", "Stopped", "Starting", "Running"]
    await expect(page.locator(".task h2")).to_have_text("Start: done")
    for each in (window, listing, detail):
        await each.check()


async def test_a_change_through_the_other_process_reaches_every_open_page(desk: Desk) -> None:
    _, server_id, name = await desk.server()
    listing = await desk.window(desk.panel.owner)
    await listing.go(f"/servers?q={name}")
    detail = await desk.window(desk.panel.owner, size=PHONE, scheme="dark")
    await detail.go(f"/servers/{server_id}/activity")
    staff = await desk.window(desk.panel.staff)
    await staff.go(f"/admin/servers/{server_id}")
    for each in (listing, detail, staff):
        await each.live()
        await each.note(f"#state-{server_id}")

    other = await desk.window(desk.panel.owner, web=1)
    await other.go(f"/servers?q={name}")
    await other.button(f"Actions for {name}").click()
    await other.menu("Shut down").click()
    for each in (other, listing, detail, staff):
        await expect(state_of(each, server_id)).to_have_text("Stopped")
    for each in (listing, detail, staff):
        assert await each.noted() == ["Running", "Shutting down", "Stopped"]
    await expect(detail.find("#activity li").first).to_contain_text("Shut down")


async def test_a_change_behind_our_back_reaches_every_open_page(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    listing = await desk.window(desk.panel.owner)
    await listing.go(f"/servers?q={name}")
    detail = await desk.window(desk.panel.owner, web=1)
    await detail.go(f"/servers/{server_id}/activity")
    for each in (listing, detail):
        await each.live()
    desk.panel.vendor.world.change(external_id, ServerChange(running=False))
    await desk.panel.mirror(anew=True)
    for each in (listing, detail):
        await expect(state_of(each, server_id)).to_have_text("Stopped")
    await expect(detail.find("#activity li").first).to_contain_text("Stopped outside the panel")


async def page_that_missed_nothing(desk: Desk, address: str) -> Window:
    """A page that changes of earlier tests did not make fetch its list anew."""
    window = await desk.window(desk.panel.owner)
    for _ in range(20):
        fetched = window.fetched("list")
        await window.go(address)
        await window.live()
        await window.page.wait_for_timeout(500)
        if not fetched:
            return window
    message = "the company never came to rest"
    raise TimeoutError(message)


async def test_figures_above_a_list_follow_without_moving_its_rows(desk: Desk) -> None:
    _, server_id, name = await desk.server()
    window = await page_that_missed_nothing(desk, f"/servers?state=running&q={name}")
    running = window.find("#chips .chip").filter(has_text="Running").locator(".n")
    before = int(await running.inner_text())
    await window.button(f"Actions for {name}").click()
    await window.find(".menu:popover-open button.danger").click()
    await window.find("dialog[open] button[type=submit]").click()
    await expect(running).to_have_text(str(before - 1))
    await expect(window.find("#summary")).to_contain_text(f"{before - 1} running")
    await expect(state_of(window, server_id)).to_have_text("Stopped")
    await expect(window.find("tbody tr")).to_have_count(1)


async def test_what_goes_on_is_shown_instead_of_done_twice_and_something_else_is_refused(desk: Desk) -> None:
    external_id, server_id, _ = await desk.server()
    server = desk.panel.vendor.world.servers[external_id]
    server.obeys = False  # its shutdown goes on until somebody pulls the plug
    deaf = [await desk.window(desk.panel.owner) for _ in range(2)]
    for window in deaf:
        await window.deafen()
        await window.go(f"/servers/{server_id}")
    window = await desk.window(desk.panel.owner, web=1)
    await window.go(f"/servers/{server_id}")
    await window.live()
    await window.button("More actions").click()
    await window.menu("Shut down").click()
    await expect(window.find(".task h2")).to_have_text("Shutting down")

    await expect(state_of(deaf[0], server_id)).to_have_text("Running")
    await deaf[0].button("More actions").click()
    await deaf[0].menu("Shut down").click()
    await expect(deaf[0].find(".task h2")).to_have_text("Shutting down")
    await deaf[1].button("Restart").click()
    toast = deaf[1].find(".toast")
    await expect(toast).to_contain_text("That did not work")
    await expect(toast).to_contain_text("Something else is being done with this server. Wait until it has ended.")
    await deaf[1].check(409)
    server.running = False
    await expect(window.find(".task h2")).to_have_text("Shut down: done")
    assert desk.panel.sent(external_id, "") == desk.panel.sent(external_id, "shutdown") == 1


async def test_a_failure_says_why_and_what_is_untouched_and_is_repeated(desk: Desk) -> None:
    external_id, server_id, _ = await desk.server()
    desk.panel.vendor.world.servers[external_id].fails_next = "The hypervisor is full"
    window = await desk.window(desk.panel.owner)
    await window.go(f"/servers/{server_id}")
    await window.live()
    await window.button("Restart").click()
    task = window.find(".task")
    await expect(task.locator("h2")).to_have_text("Restart: failed")
    await expect(task).to_contain_text(
        "The hypervisor is full. The server keeps running; its disk and settings were not touched."
    )
    await task.get_by_role("button", name="Try again").click()
    await expect(task.locator("h2")).to_have_text("Restart: done")


async def test_a_server_that_cannot_be_operated_says_why(desk: Desk) -> None:
    window = await desk.window(desk.panel.owner)
    for wanted, notice, reason, left in (
        ({"suspended": True}, "This server is suspended", "Not possible while the server is suspended", ["Rename"]),
        ({"state": "queued"}, "This server is being built", "Not possible until the server is built", []),
        (
            {"state": "failed"},
            "Building this server failed",
            "Not possible: building the server failed",
            ["Rename", "Reinstall"],
        ),
    ):
        _, server_id, name = await desk.other(**wanted)
        await window.go(f"/servers/{server_id}")
        await expect(window.find(f"#notice-{server_id}")).to_contain_text(notice)
        await expect(window.find(f"#main-{server_id}")).to_be_disabled()
        more = window.button("More actions")
        await (expect(more).to_be_enabled() if left else expect(more).to_be_disabled())
        offered = window.find(f"#power-{server_id}").locator("a, button")
        assert [text.strip() for text in await offered.all_text_contents()] == left
        await window.go(f"/servers?q={name}")
        await window.button(f"Actions for {name}").click()
        menu = window.find(".menu:popover-open")
        await expect(menu).to_contain_text(reason)
        await expect(menu.get_by_role("button")).to_have_count(0)


async def test_a_new_password_is_shown_once(desk: Desk) -> None:
    _, server_id, name = await desk.server()
    window = await desk.window(desk.panel.owner)
    other = await desk.window(desk.panel.owner)
    await other.go(f"/servers/{server_id}")
    await other.live()
    await window.go(f"/servers/{server_id}")
    await window.button("More actions").click()
    await window.menu("Reset password").click()
    dialog = window.find("dialog[open]")
    await expect(dialog).to_contain_text(f"Reset the password of {name}?")
    await dialog.get_by_role("button", name="Reset password").click()
    password = await window.find("#new-password").inner_text()
    assert len(password) >= 12
    await expect(dialog).to_contain_text("It is shown only now and kept nowhere.")
    await window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copy = dialog.get_by_role("button", name="Copy password")
    await expect(copy).to_have_css("opacity", "1")
    await copy.click()
    await expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    assert await window.page.evaluate("navigator.clipboard.readText()") == password
    await expect(other.find(".task h2")).to_have_text("Reset password: done")
    assert password not in await other.page.content()
    await window.link("I have copied it").click()
    await expect(window.find("h1")).to_have_text(name)
    assert password not in await window.page.content()
    await window.page.go_back()
    assert password not in await window.page.content()


async def test_a_refused_reset_is_told_in_its_dialog(desk: Desk) -> None:
    external_id, server_id, _ = await desk.server()
    desk.panel.vendor.faults([{"mode": "status", "status": 403, "method": "POST", "path": f"/{external_id}/"}])
    window = await desk.window(desk.panel.owner)
    await window.go(f"/servers/{server_id}#reset-dialog-{server_id}")
    dialog = window.find("dialog[open]")
    await dialog.get_by_role("button", name="Reset password").click()
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await expect(window.find("#toaster .toast")).to_have_count(0)
    await dialog.get_by_role("button", name="Keep password").click()
    await window.button("More actions").click()
    await window.menu("Reset password").click()
    await expect(window.find("dialog[open] h2")).to_be_visible()
    await expect(window.find("dialog[open] .dialog-error")).to_have_count(0)
    await window.check(502)


@pytest.mark.long
async def test_a_page_catches_up_after_its_web_process_was_replaced(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    web = await desk.panel.stack.web()
    detail = await desk.window(desk.panel.owner, web=web.url)
    await detail.go(f"/servers/{server_id}")
    listing = await desk.window(desk.panel.owner, web=web.url)
    await listing.go(f"/servers?q={name}")
    for each in (detail, listing):
        await each.live()
    assert await web.stop() == 0

    desk.panel.vendor.world.change(external_id, ServerChange(running=False))
    await desk.panel.mirror(anew=True)
    again = await restarted(desk, web)
    for each in (detail, listing):
        await expect(state_of(each, server_id)).to_have_text("Stopped")
        each.problems.clear()  # connections that were refused meanwhile
    await expect(detail.button("Start")).to_be_enabled()
    for each in (detail, listing):
        await each.page.close()
    assert await again.stop() == 0
