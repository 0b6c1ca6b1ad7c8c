"""Answers and live messages that overtake each other: what was made last is seen last."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Route, expect

from hostwright.core.db import Scalar
from hostwright.upstream.virtfusion.simulator.facts import ServerChange
from tests.browser.desk import Desk, Window
from tests.support.stack import until

pytestmark = pytest.mark.browser

LONGER_THAN_MESSAGES_WAIT = 8.0
has_stopped = Scalar(bool, "select power = 'stopped' and not busy from servers where external_id = $1")


async def stopped_by_a_press(desk: Desk, late: float) -> tuple[Window, int]:
    """A page where Power off was pressed; the answer comes ``late`` s after its server has stopped."""
    external_id, server_id, _ = await desk.server()
    window = await desk.window(desk.panel.owner)
    await window.go(f"/servers/{server_id}")
    await window.live()
    await window.note(f"#state-{server_id}")

    async def held(route: Route) -> None:
        answer = await route.fetch()
        await until(lambda: stopped(desk, external_id))
        await asyncio.sleep(late)
        await route.fulfill(response=answer)

    await window.page.route("**/power**", held)
    await window.button("More actions").click()
    await window.menu("Power off").click()
    async with window.page.expect_response("**/power/poweroff"):
        await window.find("dialog[open] button[type=submit]").click()
    return window, server_id


async def settled(window: Window) -> None:
    """Wait until the answer is in the page, and what the page asks for because of it."""
    await expect(window.find(".htmx-request")).to_have_count(0)
    await window.page.wait_for_timeout(2_000)


async def stopped(desk: Desk, external_id: int) -> bool:
    return await desk.panel.value(has_stopped, external_id)


async def test_a_page_opens_one_stream_and_is_bound_to_it_before_anything_can_be_pressed(desk: Desk) -> None:
    window = await desk.window(desk.panel.owner)
    streams: list[str] = []
    window.page.on("request", lambda request: streams.append(request.url) if "/events" in request.url else None)
    await window.go("/servers")
    await window.live()
    await window.page.wait_for_timeout(1_000)
    assert len(streams) == 1


async def test_an_answer_that_comes_after_the_end_of_its_action_is_not_the_last_word(desk: Desk) -> None:
    window, server_id = await stopped_by_a_press(desk, late=1.5)
    await settled(window)
    await expect(window.find(f"#state-{server_id}")).to_have_text("Stopped")
    await expect(window.find(".task h2")).to_have_text("Power off: done")


@pytest.mark.long
async def test_messages_do_not_wait_for_ever_and_a_very_late_answer_is_put_right(desk: Desk) -> None:
    window, server_id = await stopped_by_a_press(desk, late=LONGER_THAN_MESSAGES_WAIT)
    await settled(window)
    await expect(window.find(f"#state-{server_id}")).to_have_text("Stopped")
    noted = await window.noted()
    assert noted.index("Stopped") < len(noted) - 1, "messages had waited for the answer"


async def test_another_view_chosen_while_the_stream_connects_still_hears_of_changes(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    window = await desk.window(desk.panel.owner)
    chosen = asyncio.Event()

    async def slow(route: Route) -> None:
        await chosen.wait()
        await route.continue_()

    await window.page.route("**/events*", slow)
    await window.go(f"/servers?q={name}")
    await window.find("#chips").get_by_role("link", name="Running").click()
    await window.page.wait_for_url("**/servers?*state=running*")
    chosen.set()
    await window.live()
    desk.panel.vendor.world.change(external_id, ServerChange(running=False))
    await desk.panel.mirror(anew=True)
    await expect(window.find(f"#state-{server_id}")).to_have_text("Stopped")
