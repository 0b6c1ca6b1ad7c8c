"""One's own profile and password in the browser."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.desk import Desk
from tests.support.app import PASSWORD

pytestmark = pytest.mark.browser


async def test_a_profile_is_saved_in_another_language(desk: Desk) -> None:
    window = await desk.window(await desk.panel.makers.user(full_name="Emmy Noether"))
    await window.go("/servers")
    await window.find(".account").click()
    await window.menu("Profile").click()
    await window.page.wait_for_url("**/account/profile")
    await window.page.get_by_label("Your name").fill("\u200b")
    await window.button("Save profile").click()
    summary = window.page.get_by_role("alert")
    await expect(summary).to_contain_text("Your name: Use letters that can be seen.")
    await expect(summary).to_be_focused()
    await window.page.get_by_label("Your name").fill("Amalie Emmy Noether")
    await window.page.get_by_label("Language", exact=True).select_option("de")
    await window.button("Save profile").click()
    await window.page.wait_for_url("**/account/profile?saved=1")
    await expect(window.find("html")).to_have_attribute("lang", "de")
    await expect(window.page.get_by_role("status").filter(has_text="Ihr Profil ist gespeichert.")).to_be_visible()
    await expect(window.find(".account")).to_contain_text("Amalie Emmy Noether")
    await window.check(422)


async def test_a_new_password_signs_the_other_window_out(desk: Desk) -> None:
    person = await desk.panel.makers.user()
    here, there = await desk.window(person, scripts=False), await desk.window(person, web=1)
    await there.go("/servers")
    await there.live()
    await here.go("/account/password")
    await here.page.get_by_label("Present password").fill(PASSWORD)
    await here.page.get_by_label("New password").fill("copper-tulip-harbour")
    await here.button("Change password").click()
    await expect(here.find(".notice")).to_contain_text("Your password is changed.")
    await there.page.wait_for_url("**/sign-in?next=/servers")
    assert {*there.refusals} == {401}  # of its stream, once or twice
