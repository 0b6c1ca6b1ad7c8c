"""What staff do with connections, hypervisors, owners and address history, in a browser."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from hostwright.core.crypto import Keyring
from hostwright.core.db import Command, Scalar
from hostwright.servers.service.hypervisors import sync_hypervisors
from hostwright.upstream.factory import connection_providers
from tests.browser.desk import PHONE, WIDE, Desk, Window
from tests.browser.looks import complaints
from tests.support.app import KEYS, config_of

pytestmark = pytest.mark.browser

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
connection_of = Scalar(int, "select id from connections order by id limit 1")
named = Scalar(int, "select id from connections where name = $1")
linked_to = Scalar(int, "select customer_id from compute_accounts where connection_id = $1 and external_user_id = $2")
remove = Command("delete from connections where id = $1")
address_of = Scalar(str, "select address from server_addresses where released_at is null order by id limit 1")


async def both_ways(window: Window, part: str = "html") -> None:
    """No complaint and nothing sideways, wide and light, then narrow and dark."""
    assert await complaints(window.page, part) == []
    await window.page.emulate_media(color_scheme="dark")
    await window.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert await complaints(window.page, part) == []
    assert await window.page.evaluate(SIDEWAYS) <= 0
    await window.page.emulate_media(color_scheme="light")
    await window.page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})


async def value[T](desk: Desk, query: Scalar[T], *arguments: object) -> T:
    async with desk.panel.database.acquire() as db:
        return await query.value(db, *arguments)


async def test_a_connection_is_checked_and_what_is_missing_is_said(desk: Desk) -> None:
    number = await value(desk, connection_of)
    window = await desk.window(desk.panel.staff)
    await window.go(f"/admin/connections/{number}")
    desk.panel.vendor.faults([{"method": "GET", "path": "/packages", "mode": "status", "status": 403, "times": 9}])
    await window.button("Check now").click()
    await expect(window.find(".areas [data-ok=false]")).to_have_count(1)
    await expect(window.find("main")).to_contain_text("for: Packages.")
    await both_ways(window)
    desk.panel.vendor.faults([])
    await window.button("Check now").click()
    await expect(window.find(".areas [data-ok=false]")).to_have_count(0)
    await expect(window.find(".areas li")).to_have_count(8)
    await window.check()


async def test_a_connection_that_does_not_work_is_not_saved_and_the_token_stays_typed(desk: Desk) -> None:
    window = await desk.window(desk.panel.staff)
    await window.go("/admin/connections/new")
    await window.find("#name").fill("Nowhere")
    await window.find("#baseUrl").fill("http://127.0.0.1:9")
    await window.find("#token").fill("a-secret-token")
    await window.button("Test and add").click()
    await expect(window.find("#trial")).to_contain_text("The test failed. Nothing was saved.")
    assert await window.find("#token").input_value() == "a-secret-token"
    await both_ways(window)
    await window.page.get_by_label("Save although the test failed").check()
    await window.button("Test and add").click()
    await expect(window.find("h1")).to_have_text("Nowhere")
    number = await value(desk, named, "Nowhere")
    await window.button("Switch off").click()
    await window.find("dialog[open] button[type=submit]").click()
    await expect(window.find("main")).to_contain_text("This connection is switched off.")
    await window.button("Remove connection").click()
    await expect(window.find("dialog[open] button[type=submit]")).to_be_disabled()
    await window.find("dialog[open] input[name=confirm]").fill("Nowhere")
    await window.find("dialog[open] button[type=submit]").click()
    await window.page.wait_for_url("**/admin/connections")
    await expect(window.find(f"#connection-{number}")).to_have_count(0)
    await window.check(422)


async def test_without_scripts_a_connection_is_added_too(desk: Desk) -> None:
    window = await desk.window(desk.panel.staff, scripts=False)
    await window.go("/admin/connections/new")
    await window.find("#name").fill("Plain")
    await window.find("#baseUrl").fill("http://127.0.0.1:9")
    await window.find("#token").fill("a-secret-token")
    await window.find("main form button[type=submit]").click()
    await expect(window.find("#trial")).to_contain_text("The test failed. Nothing was saved.")
    assert await window.find("#token").input_value() == "", "the page never shows a token"
    assert await window.find("#name").input_value() == "Plain"
    await window.find("#token").fill("a-secret-token")
    await window.page.get_by_label("Save although the test failed").check()
    await window.find("main form button[type=submit]").click()
    await expect(window.find("h1")).to_have_text("Plain")
    async with desk.panel.database.transaction() as tx:
        await remove.run(tx, await named.value(tx, "Plain"))
    await window.check(422)


async def test_hypervisors_and_who_is_on_one(desk: Desk) -> None:
    number = await value(desk, connection_of)
    config = config_of(desk.panel.database.dsn)
    async with connection_providers(config, desk.panel.database, Keyring.parse(KEYS)) as providers:
        outcome = await sync_hypervisors(desk.panel.database, providers, number, limited=False)
    assert outcome.error is None
    window = await desk.window(desk.panel.staff)
    await window.go("/admin/hypervisors")
    await expect(window.find(".hypervisor")).not_to_have_count(0)
    await both_ways(window)
    await window.button("List anew").click()
    await expect(window.find(".toast")).to_be_visible()
    await window.find(".hypervisor .row-link").first.click()
    await window.page.wait_for_url("**/admin/hypervisors/*")
    await expect(window.find("main")).to_contain_text("Who is on it")
    await both_ways(window)
    await window.check()


async def test_a_user_is_linked_and_unlinked(desk: Desk) -> None:
    number = await value(desk, connection_of)
    customer = await desk.panel.makers.user(full_name="Edsger Dijkstra", customer_name="Shortest Paths")
    vendor_user = max(one.owner_id for one in desk.panel.vendor.world.listed)
    window = await desk.window(desk.panel.staff)
    await window.go("/admin/owners")
    await both_ways(window)
    await window.link(f"User {vendor_user}").click()
    await expect(window.find("h1")).to_have_text(desk.panel.vendor.world.users[vendor_user].name)
    await window.find("#q").fill("shortest pa")
    await window.button("Find").click()
    await window.page.wait_for_url("**?q=shortest*")
    await both_ways(window)
    await window.button("Link to Shortest Paths").click()
    await expect(window.find("dialog[open]")).to_contain_text("Shortest Paths gets")
    await window.find("dialog[open] button[type=submit]").click()
    await expect(window.find("main")).to_contain_text("Linked customer")
    assert await value(desk, linked_to, number, vendor_user) == customer.customer_id
    await both_ways(window)
    await window.button("Unlink").click()
    await window.find("dialog[open] button[type=submit]").click()
    await expect(window.find("main")).to_contain_text("Create customer from it")
    await window.check()


async def test_who_had_an_address(desk: Desk) -> None:
    address = await value(desk, address_of)
    window = await desk.window(desk.panel.staff)
    await window.go("/admin/addresses")
    await window.find("#address").fill(address)
    await window.button("Look it up").click()
    await expect(window.find("#reason")).to_have_value("")
    await window.find("#reason").fill("abuse 4711")
    await window.button("Look it up").click()
    await expect(window.find("tbody")).to_contain_text(address)
    await expect(window.find("tbody")).to_contain_text("today")
    await both_ways(window)
    async with window.page.expect_download() as download:
        await window.link("Download CSV").click()
    assert (await download.value).suggested_filename.startswith("address-history-")
    await window.check()


MISSED = """() => {
  document.querySelector("#live-resync").dataset.resync = "";
  document.dispatchEvent(new CustomEvent("htmx:sse:after:message"));
}"""


async def test_a_page_whose_question_is_in_the_audit_log_is_not_asked_again_by_itself(desk: Desk) -> None:
    window = await desk.window(desk.panel.staff)
    await window.go("/admin/addresses?address=203.0.113.0/24&reason=resync")
    await window.live()
    sent: list[str] = []
    window.page.on("request", lambda request: sent.append(request.url))
    await window.page.evaluate(MISSED)
    await window.go("/admin/connections")
    assert not any("resync" in url for url in sent)
    await window.live()
    async with window.page.expect_response(lambda answer: answer.url.endswith("/admin/connections")):
        await window.page.evaluate(MISSED)
    await expect(window.find("main")).to_have_count(1)
