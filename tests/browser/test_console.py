"""A server's screen in the browser: seen, typed at, left by keyboard, lost and had again. Nothing secret gets there."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from hostwright.core.db import Command, Scalar
from hostwright.upstream.virtfusion.simulator.facts import ServerChange
from hostwright.upstream.virtfusion.simulator.terminal import CONTROL, DELETE, Terminal
from tests.browser.desk import PHONE, Desk, Window
from tests.browser.test_power import restarted
from tests.support.stack import until

pytestmark = pytest.mark.browser

PRINT = "canvas => canvas.toDataURL()"
EVERYTHING = "document.documentElement.outerHTML + JSON.stringify({ ...localStorage, ...sessionStorage })"
CUT = ("WebSocket", "Failed when connecting", "Disconnect", "Connection closed")  # what a browser says of a lost socket
set_stopped = Command("update servers set power = 'stopped', power_observed_at = now() where id = $1")
relays = Scalar(int, "select count(*) from console_relays where server_id = $1")
everything = Scalar(str, "select t::text from console_tickets t union all select r::text from console_relays r")


def state(window: Window) -> Locator:
    return window.find("#console-state")


async def seen(window: Window, server_id: int, name: str, base: str = "/servers") -> Locator:
    """The screen of a server, once it is there."""
    await window.go(f"{base}/{server_id}/console")
    await expect(state(window)).to_have_text(f"Connected to {name}")
    canvas = window.find("[data-screen] canvas")
    await expect(canvas).to_be_visible()
    return canvas


def terminal(desk: Desk, external_id: int) -> Terminal:
    return desk.panel.vendor.screens.of(desk.panel.vendor.world.servers[external_id]).terminal


async def says(desk: Desk, external_id: int, end: str) -> None:
    """Wait until the last line on the screen ends like this."""

    async def found() -> bool:
        return terminal(desk, external_id).lines[-1].endswith(end)

    await until(found, 20)


def forgive(window: Window) -> None:
    """Leave out what the browser says of sockets that the test has cut."""
    window.problems = [one for one in window.problems if not any(word in one for word in CUT)]


async def test_defect_29_a_screen_is_typed_at_and_nothing_secret_comes_along(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    window = await desk.window(desk.panel.owner)
    addresses: list[str] = []
    window.page.on("request", lambda request: addresses.append(request.url))
    window.page.on("websocket", lambda socket: addresses.append(socket.url))
    await window.go(f"/servers/{server_id}")
    await window.find("#tabs").get_by_role("link", name="Console").click()
    await window.page.wait_for_url("**/console")
    await expect(state(window)).to_have_text(f"Connected to {name}")
    await says(desk, external_id, "login: ")
    canvas = window.find("[data-screen] canvas")
    await expect(canvas).to_be_focused()

    before = await canvas.evaluate(PRINT)
    await window.page.keyboard.type("root")
    await says(desk, external_id, "login: root")
    await until(lambda: _differs(canvas, before), 20)

    screen = desk.panel.vendor.screens.of(desk.panel.vendor.world.servers[external_id])
    rows = await desk.panel.values(everything)
    secrets = {screen.password, screen.token, str(desk.panel.vendor.screens.port), desk.panel.vendor.token}
    desk.panel.secrets |= {screen.password, screen.token}
    found = [await window.page.evaluate(EVERYTHING), *addresses, *rows]
    assert len([one for one in addresses if one.startswith("ws://")]) == 1
    assert [secret for secret in secrets if any(secret in one for one in found)] == []
    assert not any("ticket" in address for address in addresses)
    await window.check()


async def _differs(canvas: Locator, before: str) -> bool:
    return await canvas.evaluate(PRINT) != before


async def test_the_buttons_above_the_screen(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    window = await desk.window(desk.panel.owner)
    await seen(window, server_id, name)
    await says(desk, external_id, "login: ")
    keys = terminal(desk, external_id).keys

    await window.button("Type text").click()
    await window.page.get_by_label("Text", exact=True).fill("Ops; 'ü'\nsecret")
    await window.button("Type it").click()
    await says(desk, external_id, "Password: ")
    await until(lambda: _pressed(keys, ord("t")), 20)
    assert 0xFC in keys

    await window.button("Keys").click()
    await window.menu("F2").click()
    await until(lambda: _pressed(keys, 0xFFBF), 20)
    await window.button("Keys").click()
    await window.menu("Ctrl").click()
    await until(lambda: _pressed(keys, 0xFFE3), 20)
    await window.button("Keys").click()
    await expect(window.menu("Ctrl")).to_have_attribute("aria-pressed", "true")
    await window.menu("Ctrl").click()

    await window.button("Ctrl+Alt+Del").click()
    await until(lambda: _pressed(keys, DELETE), 20)
    assert CONTROL & set(keys[-3:])
    await says(desk, external_id, "login: ")  # it has booted anew

    whole = window.button("Full screen")
    await whole.click()
    await expect(whole).to_have_attribute("aria-pressed", "true")
    assert await window.page.evaluate("document.fullscreenElement.id") == "console"
    await whole.click()
    await expect(whole).to_have_attribute("aria-pressed", "false")
    fit = window.button("Fit to window")
    wide = await window.find("[data-screen] canvas").evaluate("canvas => canvas.clientWidth")
    await fit.click()
    await expect(fit).to_have_attribute("aria-pressed", "false")
    assert wide != await window.find("[data-screen] canvas").evaluate("canvas => canvas.clientWidth")
    await window.check()


async def _pressed(keys: list[int], key: int) -> bool:
    return key in keys


async def test_the_keyboard_alone_leads_in_and_out(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    window = await desk.window(desk.panel.owner)
    canvas = await seen(window, server_id, name)
    await says(desk, external_id, "login: ")
    await expect(canvas).to_be_focused()
    await window.page.keyboard.press("Tab")  # goes to the server, not to the next button
    await expect(canvas).to_be_focused()
    await until(lambda: _pressed(terminal(desk, external_id).keys, 0xFF09), 20)
    await window.page.keyboard.press("Shift+Escape")
    await expect(window.button("Ctrl+Alt+Del")).to_be_focused()
    assert 0xFF1B not in terminal(desk, external_id).keys
    for _ in range(5):
        await window.page.keyboard.press("Tab")
    await expect(canvas).to_be_focused()
    await window.page.keyboard.type("ab")  # Shift is not held down any more
    await says(desk, external_id, "login: ab")


async def test_a_phone_has_a_keyboard_of_its_own(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    window = await desk.window(desk.panel.owner, size=PHONE)
    await seen(window, server_id, name)
    await says(desk, external_id, "login: ")
    sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await window.page.evaluate(sideways) == 0
    # The button is for coarse pointers, which this browser does not have.
    await window.find("[data-do=keyboard]").evaluate("button => button.click()")
    await expect(window.find("[data-keyboard]")).to_be_focused()
    await window.page.keyboard.insert_text("roox")
    await says(desk, external_id, "login: roox")
    await window.page.keyboard.press("Backspace")
    await window.page.keyboard.insert_text("t")
    await says(desk, external_id, "login: root")
    await window.page.keyboard.press("Enter")
    await says(desk, external_id, "Password: ")


async def test_a_screen_that_is_lost_comes_back_by_itself(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    window = await desk.window(desk.panel.owner)
    await seen(window, server_id, name)
    await window.note("#console-state")
    await says(desk, external_id, "login: ")
    desk.panel.vendor.screens.of(desk.panel.vendor.world.servers[external_id]).enabled = False  # and so it hangs up
    await window.find("#console[data-connected=no]").wait_for()
    await expect(state(window)).to_have_text(f"Connected to {name}")
    said = await window.noted()
    assert said[0] == said[-1] == f"Connected to {name}"
    assert any("The server closed its screen" in one for one in said)
    await window.find("[data-screen] canvas").click()
    await window.page.keyboard.type("again")
    await says(desk, external_id, "login: again")
    forgive(window)


async def test_a_screen_that_cannot_be_had_says_why_and_offers_another_try(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    desk.panel.vendor.faults([{"mode": "status", "status": 403, "method": "POST", "path": f"/{external_id}/vnc$"}])
    window = await desk.window(desk.panel.owner)
    await window.go(f"/servers/{server_id}/console")
    await expect(state(window)).to_contain_text("VirtFusion does not give this server's screen.")
    await expect(window.button("Ctrl+Alt+Del")).to_be_disabled()
    desk.panel.vendor.faults([])
    await window.button("Reconnect").click()
    await expect(state(window)).to_have_text(f"Connected to {name}")
    await expect(window.button("Reconnect")).to_be_hidden()


async def test_a_server_that_is_off_is_started_from_its_console(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    desk.panel.vendor.world.change(external_id, ServerChange(running=False))
    async with desk.panel.database.transaction() as tx:
        await set_stopped.run(tx, server_id)
    window = await desk.window(desk.panel.owner)
    await window.go(f"/servers/{server_id}/console")
    await window.live()
    await expect(window.page.get_by_role("heading", name="This server is switched off")).to_be_visible()
    await window.button("Start").click()
    await expect(window.find(f"#state-{server_id}")).to_have_text("Starting")
    await expect(state(window)).to_have_text(f"Connected to {name}")
    await says(desk, external_id, "login: ")
    forgive(window)


async def test_staff_see_it_too_and_both_leave_a_line(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    staff = await desk.window(desk.panel.staff)
    await seen(staff, server_id, name, "/admin/servers")
    await says(desk, external_id, "login: ")
    await staff.go("/admin/servers")

    async def over() -> bool:
        return await desk.panel.value(relays, server_id) == 0

    await until(over, 20)
    owner = await desk.window(desk.panel.owner)
    await owner.go(f"/servers/{server_id}/activity?type=vnc")
    await expect(owner.find("#activity li")).to_have_count(2)
    await expect(owner.find("#activity li").first).to_contain_text("Console closed")
    await expect(owner.find("#activity li").last).to_contain_text("Grace Hopper")


@pytest.mark.long
async def test_a_restart_of_the_process_costs_a_moment(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    web = await desk.panel.stack.web()
    window = await desk.window(desk.panel.owner, web=web.url)
    await seen(window, server_id, name)
    await says(desk, external_id, "login: ")
    await window.note("#console-state")
    assert await web.stop() == 0
    again = await restarted(desk, web)
    await expect(state(window)).to_have_text(f"Connected to {name}")
    said = await window.noted()
    assert any("The panel is being restarted" in one for one in said), said
    await window.find("[data-screen] canvas").click()
    await window.page.keyboard.type("back")
    await says(desk, external_id, "login: back")
    await window.page.goto("about:blank")  # a page would look for its process after that was stopped
    window.problems = [one for one in window.problems if "ERR_" not in one]
    forgive(window)
    await again.stop()
