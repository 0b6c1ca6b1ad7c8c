"""Everything by keyboard alone: palette, menus, dialogs, drawer."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Route, expect

from tests.browser.desk import PHONE, Desk, Window
from tests.support.app import Person

pytestmark = pytest.mark.browser


async def with_palette(desk: Desk, person: Person, path: str) -> Window:
    """A page with the palette open, which has asked for what it shows at first."""
    window = await desk.window(person)
    await window.go(path)
    await window.page.keyboard.press("Control+k")
    await expect(window.find("#palette-q")).to_be_focused()
    await expect(window.find("#palette [role=menuitem]").first).to_have_class("active")
    return window


async def test_the_palette_finds_and_opens_a_server(desk: Desk) -> None:
    _, server_id, name = await desk.server()
    window = await with_palette(desk, desk.panel.owner, "/account/sessions")
    keyboard = window.page.keyboard
    await keyboard.type(name)
    found = window.find("#palette [role=menuitem]")
    await expect(found).to_have_count(1)
    await expect(found).to_contain_text(name)
    await keyboard.press("Enter")
    await window.page.wait_for_url(f"**/servers/{server_id}")
    await expect(window.find("h1")).to_have_text(name)


async def test_the_palette_finds_pages_and_goes_up_and_down(desk: Desk) -> None:
    window = await desk.window(desk.panel.staff)
    keyboard = window.page.keyboard
    await window.go("/servers")
    await window.find("[data-open-palette]:visible").click()
    await keyboard.type("job")
    items = window.find("#palette [role=menuitem]")
    await expect(items).to_have_text(["JobsPage"])
    await keyboard.press("Enter")
    await window.page.wait_for_url("**/admin/jobs")

    await keyboard.press("Control+k")
    async with window.page.expect_response("**/search?q=serv"):
        await keyboard.type("serv")
    await expect(window.find("#palette-q.htmx-request")).to_have_count(0)
    await expect(window.find("#palette [role=heading]").last).to_have_text("Pages")
    active = window.find("#palette [role=menuitem].active")
    first = await active.text_content() or ""
    await keyboard.press("ArrowDown")
    await expect(active).not_to_have_text(first)
    await keyboard.press("ArrowUp")
    await expect(active).to_have_text(first)
    await keyboard.press("Escape")
    await expect(window.find("#palette[open]")).to_have_count(0)
    assert window.page.url.endswith("/admin/jobs")


async def test_enter_waits_for_the_answer_to_what_was_typed(desk: Desk) -> None:
    _, server_id, name = await desk.server()
    window = await with_palette(desk, desk.panel.owner, "/account/sessions")
    keyboard = window.page.keyboard
    typed = asyncio.Event()

    async def slow(route: Route) -> None:
        await typed.wait()
        await route.continue_()

    await window.page.route("**/search?*", slow)
    await keyboard.type(name)
    await keyboard.press("Enter")
    typed.set()
    await window.page.wait_for_url(f"**/servers/{server_id}")


async def test_the_palette_acts_and_asks_first_where_that_is_due(desk: Desk) -> None:
    _, server_id, name = await desk.server()
    window = await with_palette(desk, desk.panel.owner, "/account/sessions")
    keyboard = window.page.keyboard
    await keyboard.type(f"restart {name}")
    await expect(window.find("#palette [role=menuitem]").first).to_contain_text(f"Restart {name}")
    await keyboard.press("Enter")
    await window.page.wait_for_url(f"**/servers/{server_id}")
    await expect(window.find(".task h2")).to_have_text("Restart: done")

    await keyboard.press("Control+k")
    await keyboard.type(f"{name} power off")
    await expect(window.find("#palette [role=menuitem]").first).to_contain_text(f"Power off {name}")
    await keyboard.press("Enter")
    dialog = window.find("dialog.dialog[open]")
    await expect(dialog).to_contain_text(f"Power off {name}?")
    await keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    assert window.page.url.endswith(f"/servers/{server_id}")

    await keyboard.press("Control+k")
    await keyboard.type("power o")
    await expect(window.find("#palette [role=menuitem]").first).to_contain_text("Power off")


async def test_staff_tell_servers_of_the_same_name_apart(desk: Desk) -> None:
    _, server_id, name = await desk.server()
    window = await desk.window(desk.panel.staff)
    await window.go("/admin/jobs")
    await window.page.keyboard.press("Control+k")
    await window.page.keyboard.type(name)
    items = window.find("#palette [role=menuitem]")
    await expect(items).to_have_count(1)  # those of the words typed so far have gone
    await expect(items).to_contain_text(desk.panel.owner.customer_name)
    await window.page.keyboard.press("Enter")
    await window.page.wait_for_url(f"**/admin/servers/{server_id}")


async def test_a_rows_menu_opens_moves_and_closes(desk: Desk) -> None:
    _, _, name = await desk.server()
    window = await desk.window(desk.panel.owner)
    keyboard = window.page.keyboard
    await window.go(f"/servers?q={name}")
    button = window.button(f"Actions for {name}")
    await button.focus()
    await keyboard.press("Enter")
    menu = window.find(".menu:popover-open")
    await expect(menu.get_by_text("Restart")).to_be_visible()
    await expect(menu.get_by_role("link", name="Open")).to_be_focused()
    await keyboard.press("ArrowDown")
    await expect(menu.get_by_role("button", name="Restart")).to_be_focused()
    await keyboard.press("End")
    await expect(menu.get_by_role("button", name="Power off")).to_be_focused()
    await keyboard.press("ArrowDown")
    await expect(menu.get_by_role("link", name="Open")).to_be_focused()
    await keyboard.press("ArrowUp")
    await keyboard.press("Enter")
    dialog = window.find("dialog[open]")
    await expect(dialog.get_by_role("button", name="Keep running")).to_be_focused()
    await keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await button.focus()
    await keyboard.press("Enter")
    await expect(menu.get_by_role("link", name="Open")).to_be_focused()
    await keyboard.press("Escape")
    await expect(menu).to_have_count(0)
    await expect(button).to_be_focused()


async def test_the_drawer_opens_and_closes_on_a_phone(desk: Desk) -> None:
    window = await desk.window(desk.panel.owner, size=PHONE)
    keyboard = window.page.keyboard
    await window.go("/servers")
    drawer = window.find("#side")
    await expect(drawer).to_be_hidden()
    button = window.button("Menu")
    await button.focus()
    await keyboard.press("Enter")
    await expect(drawer).to_be_visible()
    await keyboard.press("Tab")
    await expect(drawer.get_by_role("link", name="Servers")).to_be_focused()
    await keyboard.press("Escape")
    await expect(drawer).to_be_hidden()
    await expect(button).to_be_focused()


FROM_THE_TOP = "document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')"
FOCUSED = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const box = element.getBoundingClientRect();
  const look = getComputedStyle(element), after = getComputedStyle(element, "::after");
  const marked = look.outlineStyle !== "none" || after.outlineStyle !== "none" || look.boxShadow !== "none";
  return { what: element.outerHTML.slice(0, 120), marked, seen: box.width > 0 && box.height > 0 };
}"""


@pytest.mark.parametrize("path", ["/servers", "/servers/{id}", "/account/sessions", "/sign-in"])
async def test_whoever_tabs_through_a_page_sees_where_they_are(desk: Desk, path: str) -> None:
    _, server_id, _ = await desk.other(running=True)
    window = await desk.window(None if path == "/sign-in" else desk.panel.owner)
    await window.go(path.format(id=server_id))
    await window.page.evaluate(FROM_THE_TOP)
    stops: list[str] = []
    for _ in range(40):
        await window.page.keyboard.press("Tab")
        found = await window.page.evaluate(FOCUSED)
        if found is None:
            break
        stops.append(found["what"])
        assert found["marked"], found["what"]
        assert found["seen"], found["what"]
    assert 'class="skip"' in stops[0]
    assert len(stops) > 5


READY = """
document.addEventListener("DOMContentLoaded", () => {
  window.heard = document.querySelector("#palette-q").hasAttribute("data-htmx-powered");
});
"""


async def test_a_page_answers_to_keys_as_soon_as_it_is_there(desk: Desk) -> None:
    window = await desk.window(desk.panel.staff)
    await window.context.add_init_script(READY)
    await window.go("/admin/jobs")
    assert await window.page.evaluate("window.heard") is True
