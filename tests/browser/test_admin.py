"""Pages of staff: everybody's servers, jobs."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from hostwright.core.db import Scalar
from tests.browser.conftest import OWNERS
from tests.browser.desk import PHONE, Desk
from tests.stack.panel import FIRST_USER

pytestmark = pytest.mark.browser

insert_dead = Scalar(
    int,
    """insert into dead_jobs (job_id, name, payload, attempts, error) values (1, $1, '{}', 5, $2) returning id""",
)
dead_left = Scalar(int, "select count(*) from dead_jobs where replayed_at is null")


async def test_the_servers_of_one_customer(desk: Desk) -> None:
    owner = desk.panel.owner
    _, _, name = await desk.other(running=True)
    window = await desk.window(desk.panel.staff)
    await window.go(f"/admin/servers?q={name}")
    await window.find("tbody").get_by_role("link", name=owner.customer_name).click()
    await window.page.wait_for_url(f"**/admin/servers?owner={owner.customer_id}")
    await expect(window.find(".list-foot")).to_contain_text(f"of {OWNERS}")
    await window.find("#chips").get_by_role("link", name="Stopped").click()
    await window.page.wait_for_url(f"**/admin/servers?state=stopped&owner={owner.customer_id}")
    stopped = [one for one in desk.panel.vendor.world.listed if one.owner_id == FIRST_USER and one.state == "complete"]
    wanted = sum(not one.running and not one.suspended for one in stopped)
    await expect(window.find("tbody tr")).to_have_count(wanted)
    await window.page.get_by_label("Show the servers of all customers").click()
    await window.page.wait_for_url("**/admin/servers?state=stopped")


async def test_whose_server_it_is_stands_on_a_phone_too(desk: Desk) -> None:
    _, server_id, name = await desk.other(running=True)
    window = await desk.window(desk.panel.staff, size=PHONE)
    await window.go(f"/admin/servers?q={name}")
    await expect(window.find("tbody").get_by_text(desk.panel.owner.customer_name)).to_be_visible()
    await window.link(name).click()
    await window.page.wait_for_url(f"**/admin/servers/{server_id}")
    await expect(window.find("main")).to_contain_text("Hypervisor")


async def test_staff_switch_a_customer_s_server(desk: Desk) -> None:
    _, server_id, name = await desk.server()
    customer = await desk.window(desk.panel.owner)
    await customer.go(f"/servers/{server_id}")
    await customer.live()
    window = await desk.window(desk.panel.staff, web=1)
    await window.go(f"/admin/servers/{server_id}")
    await window.button("Restart").click()
    await expect(window.find(".task h2")).to_have_text("Restart: done")
    await expect(customer.find(".task h2")).to_have_text("Restart: done")
    await expect(customer.find(".task")).to_contain_text(f"Requested by {desk.panel.staff.full_name}")
    await expect(customer.find("h1")).to_have_text(name)


async def test_a_dead_job_is_replayed_and_another_discarded(desk: Desk) -> None:
    async with desk.panel.database.transaction() as tx:
        replayed = await insert_dead.value(tx, "servers.mirror_all", "The vendor was away for an hour. " * 12)
        discarded = await insert_dead.value(tx, "servers.mirror", "Nobody knows that connection.")
    window = await desk.window(desk.panel.staff)
    await window.go("/admin/jobs")
    await expect(window.find("#navigation .count.hot")).to_have_text("2")
    await window.find(f"#dead-{replayed}").get_by_role("button", name="Replay").click()
    await expect(window.find(".toast")).to_contain_text("The job is queued again")
    await expect(window.find(f"#dead-{replayed}")).to_have_count(0)
    await window.find(f"#dead-{discarded}").get_by_role("button", name="Discard").click()
    dialog = window.find("dialog[open]")
    await expect(dialog).to_contain_text("servers.mirror")
    await dialog.get_by_role("button", name="Discard job").click()
    await expect(window.page.get_by_role("heading", name="No dead jobs")).to_be_visible()
    async with desk.panel.database.acquire() as db:
        assert await dead_left.value(db) == 0
    await window.find(".chips").get_by_role("link", name="Queued").click()
    await window.page.wait_for_url("**/admin/jobs?state=queued")
    await expect(window.find(".chips [aria-current]")).to_contain_text("Queued")
    await expect(window.find("#list")).to_contain_text("Mirror runs")


async def test_customers_do_not_get_in(desk: Desk) -> None:
    _, server_id, _ = await desk.other(running=True)
    window = await desk.window(desk.panel.owner)
    for path in ("/admin/servers", f"/admin/servers/{server_id}", "/admin/jobs"):
        assert (await window.go(path)).status == 403
        await expect(window.find("h1")).to_have_text("You may not see this")
        await expect(window.find("#navigation")).not_to_contain_text("Administration")
    await window.check(403, 403, 403)
