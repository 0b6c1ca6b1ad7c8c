"""What the pages of one server show: traffic, activity, names of every kind, a vendor that is away."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import LONG, LONG_HOST, NAMES
from tests.browser.desk import PHONE, WIDE, Desk, Window
from tests.support.stack import until

pytestmark = pytest.mark.browser

BETWEEN = (1024, 768)
INK = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colours = new Set();
  for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 200) colours.add(data.slice(at, at + 3).join());
  return colours.size;
}"""


async def sideways(window: Window) -> int:
    """By how many pixels the page is wider than its window."""
    return await window.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


async def test_traffic_is_drawn_and_stands_in_a_table(desk: Desk) -> None:
    _, server_id, _ = await desk.other(running=True)
    window = await desk.window(desk.panel.owner)
    await window.go(f"/servers/{server_id}")
    await window.find("#tabs").get_by_role("link", name="Traffic").click()
    await window.page.wait_for_url("**/traffic")
    canvas = window.find("#traffic canvas")
    await expect(canvas).to_be_visible()
    await expect(window.find("#traffic")).not_to_have_attribute("aria-busy", "true")
    assert await canvas.evaluate(INK) > 3
    rows = await window.find(".plain-table tbody tr").count()
    assert rows >= 2
    await window.find("#traffic .u-over").hover()
    tip = window.find("#traffic .chart-tip")
    await expect(tip).to_contain_text("Received")
    await expect(tip).to_contain_text("GB")
    await window.page.emulate_media(color_scheme="dark")
    await expect(canvas).to_be_visible()
    assert await canvas.evaluate(INK) > 3


async def test_a_vendor_that_is_away_is_told_and_nothing_else_suffers(desk: Desk) -> None:
    external_id, server_id, name = await desk.server()
    desk.panel.vendor.faults([{"mode": "status", "status": 503, "path": f"/{external_id}/traffic"}])
    window = await desk.window(desk.panel.owner)
    await window.go(f"/servers/{server_id}/traffic")
    await expect(window.page.get_by_role("heading", name="Traffic cannot be shown right now")).to_be_visible()
    await expect(window.find("h1")).to_have_text(name)
    desk.panel.vendor.faults([])

    async def tried_again() -> bool:
        """Failures of other tests may hold calls back for some more seconds."""
        await window.go(f"/servers/{server_id}/traffic")
        return await window.link("Try again").count() == 0

    await window.link("Try again").click()
    await until(tried_again)
    await expect(window.find("#traffic canvas")).to_be_visible()

    desk.panel.vendor.faults([{"mode": "drop_before"}])
    async with desk.panel.database.transaction() as tx:
        await tx.execute("update connections set last_list_at = now() - interval '12 minutes'")
    for path in (f"/servers?q={name}", f"/servers/{server_id}", f"/servers/{server_id}/activity"):
        await window.go(path)
        await expect(window.find("#silent")).to_contain_text("VirtFusion has not answered since")
        await expect(window.find(f"#state-{server_id}")).to_have_text("Running")
    desk.panel.vendor.faults([])
    await desk.panel.mirror(details=False)
    await window.page.reload()
    await expect(window.find("#silent")).to_have_count(0)


async def test_activity_by_kind(desk: Desk) -> None:
    _, server_id, _ = await desk.server()
    window = await desk.window(desk.panel.owner)
    await window.go(f"/servers/{server_id}")
    await window.button("Restart").click()
    await expect(window.find(".task h2")).to_have_text("Restart: done")
    await window.link("All activity").click()
    lines = window.find("#activity li")
    await expect(lines).to_have_count(2)
    await window.find("#activity").get_by_role("link", name="Power").click()
    await window.page.wait_for_url("**/activity?type=power")
    await expect(lines).to_have_count(1)
    await expect(lines).to_contain_text("Restarted")
    await expect(lines).to_contain_text(desk.panel.owner.full_name)
    await window.find("#activity").get_by_role("link", name="Security").click()
    await expect(window.find("#activity")).to_contain_text("Nothing of this kind happened in these days.")
    await window.page.go_back()
    await expect(lines).to_have_count(1)
    await window.page.go_back()
    await expect(lines).to_have_count(2)


async def test_older_activity_is_a_page_away(desk: Desk) -> None:
    _, server_id, _ = await desk.server()
    async with desk.panel.database.transaction() as tx:
        await tx.execute(
            """insert into server_log (server_id, customer_id, action, action_type, status, actor_label)
            select $1, $2, 'restart', 'power', 'success', 'Ada ' || n from generate_series(1, 60) n""",
            server_id,
            desk.panel.owner.customer_id,
        )
    window = await desk.window(desk.panel.owner)
    await window.go(f"/servers/{server_id}/activity")
    await expect(window.find("#activity li")).to_have_count(25)
    await expect(window.find("#activity li").first).to_contain_text("Ada 60")
    await window.link("Show older").click()
    await expect(window.find("#activity li").first).to_contain_text("Ada 35")
    await window.link("Show newest").click()
    await expect(window.find("#activity li").first).to_contain_text("Ada 60")


async def test_names_of_every_kind_stay_in_their_place(desk: Desk) -> None:
    for size in (WIDE, BETWEEN, PHONE):
        window = await desk.window(desk.panel.owner, size=size)
        await window.go("/servers?q=" + LONG_HOST)
        await expect(window.find("tbody tr")).to_have_count(len(NAMES))
        assert await sideways(window) <= 0
        for row in await window.find("tbody tr").all():
            box = await row.bounding_box()
            assert box is not None
            assert box["height"] < (60 if size != PHONE else 130)
        for name in NAMES if size != BETWEEN else ():
            _, server_id, _ = await desk.other(name=name)
            await window.go(f"/servers/{server_id}")
            await expect(window.find("h1")).to_have_text(name)
            assert await sideways(window) <= 0
        _, server_id, _ = await desk.other(name=LONG)
        for part in ("console", "reinstall", "activity", "usage"):
            await window.go(f"/servers/{server_id}/{part}")
            assert await sideways(window) <= 0
        await window.page.keyboard.press("Control+k")
        await window.page.keyboard.type(LONG[:20])
        await expect(window.find("#palette [role=menuitem]").first).to_be_visible()
        assert await sideways(window) <= 0
