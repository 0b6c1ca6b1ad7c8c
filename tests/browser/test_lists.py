"""The list of servers: what it shows stands in its address, with scripts and without."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OWNERS
from tests.browser.desk import Desk, Window
from tests.stack.panel import FIRST_USER

pytestmark = pytest.mark.browser

both = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])


async def asks(window: Window, **wanted: str) -> None:
    """The address has this query, or will have in a moment."""

    def fits(url: str) -> bool:
        return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()} == wanted

    await window.page.wait_for_url(fits, wait_until="commit")


async def names(window: Window) -> list[str]:
    return await window.find(".row-link").all_inner_texts()


def named(desk: Desk, text: str) -> list[str]:
    """The owner's servers with ``text`` in their name, in order."""
    world = desk.panel.vendor.world
    return sorted(one.name for one in world.listed if one.owner_id == FIRST_USER and text in one.name)


@both
async def test_filter_chips_order_and_pages_stand_in_the_address(desk: Desk, scripts: bool) -> None:
    window = await desk.window(desk.panel.owner, scripts=scripts)
    everything = named(desk, "")
    assert len(everything) == OWNERS
    await window.go("/servers")
    assert sorted(await names(window)) == sorted(everything[:20])
    await expect(window.find(".list-foot")).to_contain_text(f"1–20 of {OWNERS}")

    await window.find(".list-foot").get_by_role("link", name="4").click()
    await expect(window.find(".list-foot")).to_contain_text(f"61–{OWNERS} of {OWNERS}")
    await asks(window, page="4")
    assert sorted(await names(window)) == sorted(everything[60:])

    await window.link("Server").click()
    await expect(window.find("thead th").nth(1)).to_have_attribute("aria-sort", "descending")
    await asks(window, sort="-name")
    assert sorted(await names(window)) == sorted(everything[-20:])

    await window.find("#chips").get_by_role("link", name="Suspended").click()
    await expect(window.find("#chips [aria-current]")).to_contain_text("Suspended")
    await asks(window, state="suspended", sort="-name")
    suspended = [one.name for one in desk.panel.vendor.world.listed if one.owner_id == FIRST_USER and one.suspended]
    assert sorted(await names(window)) == sorted(suspended)

    box = window.page.get_by_label("Filter by name or address")
    await box.fill(suspended[0])
    await box.press("Enter")
    await expect(window.find("tbody tr")).to_have_count(1)
    await asks(window, q=suspended[0], state="suspended", sort="-name")
    await window.find("#chips").get_by_role("link", name="All").click()
    await expect(window.find("#chips [aria-current]")).to_contain_text("All")
    await asks(window, q=suspended[0], sort="-name")
    await expect(box).to_have_value(suspended[0])

    await box.fill("no-server-is-called-like-this")
    await box.press("Enter")
    await expect(window.page.get_by_role("heading", name="No server matches")).to_be_visible()
    await window.link("Show all servers").click()
    await expect(window.find("tbody tr")).to_have_count(20)
    await asks(window)


async def test_the_list_narrows_while_one_types_and_keeps_the_caret(desk: Desk) -> None:
    window = await desk.window(desk.panel.owner)
    await window.go("/servers")
    wanted = named(desk, "k3s")
    box = window.page.get_by_label("Filter by name or address")
    await box.press_sequentially("k3")
    await expect(window.find("tbody tr")).to_have_count(len(wanted))
    await expect(box).to_be_focused()
    await window.page.keyboard.type("s")
    await window.page.wait_for_url("**/servers?q=k3s")
    await expect(box).to_be_focused()
    await expect(box).to_have_value("k3s")
    assert sorted(await names(window)) == wanted


async def test_back_and_forward_show_what_was_there(desk: Desk) -> None:
    window = await desk.window(desk.panel.owner)
    page = window.page
    await window.go("/servers")
    await window.find("#chips").get_by_role("link", name="Stopped").click()
    await page.wait_for_url("**/servers?state=stopped")
    stopped = await names(window)
    await window.find(".row-link").first.click()
    await expect(window.find("h1")).to_have_text(stopped[0])
    await window.find("#tabs").get_by_role("link", name="Activity").click()
    await page.wait_for_url("**/activity")
    await expect(window.find("#activity")).to_be_visible()
    await page.go_back()
    await expect(window.find("#latest")).to_be_visible()
    await expect(window.find("#tabs [aria-current]")).to_have_text("Overview")
    await page.go_back()
    await expect(window.find("#chips [aria-current]")).to_contain_text("Stopped")
    assert await names(window) == stopped
    await page.go_back()
    await expect(window.find("#chips [aria-current]")).to_contain_text("All")
    await expect(window.find("tbody tr")).to_have_count(20)
    await page.go_forward()
    await expect(window.find("#chips [aria-current]")).to_contain_text("Stopped")
    assert await names(window) == stopped
    # Scripts work on what came back.
    await window.page.keyboard.press("Control+k")
    await expect(window.find("#palette[open]")).to_have_count(1)
    await expect(window.find("#palette [role=menuitem]").first).to_be_visible()


async def test_a_page_past_the_end_leads_back(desk: Desk) -> None:
    window = await desk.window(desk.panel.owner)
    await window.go("/servers?page=9")
    await expect(window.page.get_by_role("heading", name="This page is empty")).to_be_visible()
    await window.link("Go to the first page").click()
    await expect(window.find("tbody tr")).to_have_count(20)


async def test_a_row_opens_its_server_wherever_it_is_pressed(desk: Desk) -> None:
    window = await desk.window(desk.panel.owner)
    await window.go("/servers")
    first = (await names(window))[0]
    box = await window.find("tbody tr .c-res").first.bounding_box()
    assert box is not None
    await window.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await expect(window.find("h1")).to_have_text(first)


async def test_an_address_is_copied_without_opening_the_server(desk: Desk) -> None:
    window = await desk.window(desk.panel.owner)
    await window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await window.go("/servers")
    row = window.find("tbody tr").first
    address = await row.locator(".mono").inner_text()
    await row.hover()
    await row.get_by_role("button", name="Copy address").click()
    await expect(row.get_by_role("button", name="Copied")).to_be_visible()
    assert await window.page.evaluate("navigator.clipboard.readText()") == address
    assert window.page.url.endswith("/servers")
