"""Getting in and out, and where one is signed in."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.desk import PHONE, Desk, Window
from tests.support.app import PASSWORD

pytestmark = pytest.mark.browser


async def sign_in(window: Window, name: str, password: str) -> None:
    await window.page.get_by_label("User name or e-mail address").fill(name)
    await window.page.get_by_label("Password", exact=True).fill(password)
    await window.button("Sign in").click()


async def test_a_wrong_password_says_so_and_the_right_one_leads_on_to_where_one_wanted(desk: Desk) -> None:
    person = await desk.panel.makers.user()
    window = await desk.window()
    await window.go("/account/sessions")
    assert window.page.url == f"{window.url}/sign-in?next=/account/sessions"
    await expect(window.page.get_by_label("User name or e-mail address")).to_be_focused()
    for name, password in ((person.username, "not the password"), ("nobody-of-that-name", PASSWORD)):
        await sign_in(window, name, password)
        summary = window.page.get_by_role("alert")
        await expect(summary).to_contain_text("The name or the password is wrong.")
        await expect(summary).to_be_focused()
        await expect(window.page.get_by_label("User name or e-mail address")).to_have_value(name)
        await expect(window.page.get_by_label("Password", exact=True)).to_have_value("")
    await window.check(422, 422)
    await sign_in(window, person.username, PASSWORD)
    await expect(window.find("h1")).to_have_text("Sessions")
    await expect(window.find("tbody tr")).to_have_count(1)


async def test_a_password_can_be_looked_at(desk: Desk) -> None:
    window = await desk.window()
    await window.go("/sign-in")
    field = window.page.get_by_label("Password", exact=True)
    await field.fill("a-secret")
    await window.button("Show password").click()
    await expect(field).to_have_attribute("type", "text")
    await expect(field).to_be_focused()
    await window.button("Hide password").click()
    await expect(field).to_have_attribute("type", "password")


async def test_a_visitor_makes_an_account(desk: Desk) -> None:
    window = await desk.window(size=PHONE)
    page = window.page
    await window.go("/sign-in")
    await window.link("Create an account").click()
    await page.get_by_label("Password", exact=True).fill("abc")
    await expect(page.get_by_text("Too short: use at least 8 characters.")).to_be_visible()
    await window.button("Create account").click()
    summary = page.get_by_role("alert")
    await expect(summary).to_contain_text("4 things need attention")
    await expect(summary.locator("li")).to_have_text(
        [
            "Your name: Fill this in.",
            "E-mail address: Use at least 3 characters.",
            "User name: Use at least 3 characters.",
            "Password: Use at least 8 characters.",
        ]
    )
    await summary.get_by_role("link", name="User name").click()
    await expect(page.get_by_label("User name")).to_be_focused()
    await page.get_by_label("User name").fill(desk.panel.owner.username)
    await page.get_by_label("Your name").fill("Niels Bohr")
    await page.get_by_label("E-mail address").fill("niels@example.com")
    await page.get_by_label("Password", exact=True).fill("copper-tulip-harbour")
    await expect(page.get_by_text("Good.")).to_be_visible()
    await window.button("Create account").click()
    await expect(summary).to_contain_text("User name: This name is taken. Choose another.")
    await expect(page.get_by_label("Your name")).to_have_value("Niels Bohr")
    await page.get_by_label("User name").fill("niels.bohr")
    await page.get_by_label("Password", exact=True).fill("copper-tulip-harbour")
    await window.button("Create account").click()
    await page.wait_for_url("**/servers")
    await expect(page.get_by_role("heading", name="No servers yet")).to_be_visible()
    await window.check(422, 422)


async def test_signing_out_ends_the_session(desk: Desk) -> None:
    window = await desk.window(await desk.panel.makers.user(full_name="Lise Meitner"))
    await window.go("/servers")
    await window.find(".account").click()
    await window.menu("Sign out").click()
    await window.page.wait_for_url("**/sign-in")
    await window.go("/servers")
    assert "/sign-in?next=/servers" in window.page.url
    await window.page.go_back()
    await expect(window.find("h1")).to_have_text("Sign in")


async def test_a_session_that_is_ended_elsewhere_closes_its_page(desk: Desk) -> None:
    person = await desk.panel.makers.user()
    here, there = await desk.window(person), await desk.window(person, web=1)
    await there.go("/servers")
    await there.live()
    await here.go("/account/sessions")
    await expect(here.find("tbody tr")).to_have_count(2)
    await here.find("tbody tr").filter(has_not=here.find(".tag")).get_by_role("button").click()
    await expect(here.find("tbody tr")).to_have_count(1)
    await expect(there.page).to_have_url(re.compile(r"/sign-in\?next=/servers$"))
    assert there.problems == []
    assert set(there.refusals) == {401}  # of the stream, which may be tried once more before the page has gone

    third = await desk.window(person)
    await third.go("/servers")
    await third.deafen()
    await here.page.reload()
    await here.button("Sign out everywhere else").first.click()
    await here.find("dialog[open] button[type=submit]").click()
    await expect(here.find("tbody tr")).to_have_count(1)
    await third.page.reload()
    assert "/sign-in" in third.page.url


async def test_theme_and_language_are_kept(desk: Desk) -> None:
    window = await desk.window(desk.panel.owner)
    root = window.find("html")
    await window.go("/servers")
    await expect(root).not_to_contain_class("dark")
    await window.button("Theme").click()
    await window.find("#theme-menu").get_by_text("Dark", exact=True).click()
    await expect(root).to_contain_class("dark")
    await window.page.reload()
    await expect(root).to_contain_class("dark")

    await window.find(".account").click()
    await window.find("#account-menu").get_by_text("Deutsch").click()
    await expect(root).to_have_attribute("lang", "de")
    await expect(window.page.get_by_label("Nach Name oder Adresse filtern")).to_be_visible()
    await window.go("/account/sessions")
    await expect(window.find("h1")).to_have_text("Sitzungen")
    await expect(root).to_contain_class("dark")


async def test_a_system_that_turns_dark_takes_the_page_along(desk: Desk) -> None:
    window = await desk.window()
    await window.go("/sign-in")
    await expect(window.find("html")).not_to_contain_class("dark")
    await window.page.emulate_media(color_scheme="dark")
    await expect(window.find("html")).to_contain_class("dark")
