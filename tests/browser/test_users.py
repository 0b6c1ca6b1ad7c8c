"""Staff keep somebody out, and the audit log says so."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.desk import Desk

pytestmark = pytest.mark.browser


async def test_suspended_with_a_reason_and_let_in_again(desk: Desk) -> None:
    person = await desk.panel.makers.user(full_name="Katherine Johnson")
    theirs = await desk.window(person)
    await theirs.go("/servers")
    window = await desk.window(desk.panel.staff, web=1)
    await window.go(f"/admin/users?q={person.username}")
    await window.link("Katherine Johnson").click()
    await window.button("Suspend").click()
    await window.find("dialog[open]").get_by_label("Reason").fill("Chargeback 4711")
    await window.find("dialog[open]").get_by_role("button", name="Suspend user").click()
    await expect(window.find("main .notice")).to_contain_text("Chargeback 4711")
    await theirs.page.goto(theirs.page.url)
    await theirs.page.wait_for_url("**/sign-in**")
    line = window.find(".audit-line").filter(has_text="user.suspended")
    await line.locator("summary").click()
    await expect(line.locator("dl")).to_contain_text("Chargeback 4711")
    await window.button("Enable").click()
    await window.find("dialog[open]").get_by_role("button", name="Enable user").click()
    await expect(window.find("main .state").first).to_have_text("Active")
