"""Making an API key, using it, and revoking it, at a desk and without JavaScript."""

from __future__ import annotations

import httpx
import pytest
from playwright.async_api import expect

from tests.browser.desk import PHONE, Desk, Window

pytestmark = pytest.mark.browser


async def make(window: Window, name: str) -> str:
    """Fill the form and read the key that is shown."""
    await window.find("#name").fill(name)
    await window.page.get_by_label("See your name, address and customer").check()
    await window.page.get_by_label("Expires").select_option(label="In 30 days")
    await window.find("#key-form").get_by_role("button", name="Create key").click()
    await expect(window.find(".notice strong")).to_have_text("Your new key is ready.")
    assert window.page.url == f"{window.url}/account/keys"
    return await window.find(".notice code").inner_text()


async def status(window: Window, key: str) -> int:
    """What the API says to the key."""
    async with httpx.AsyncClient(base_url=window.url) as program:
        return (await program.get("/api/me", headers={"Authorization": f"Bearer {key}"})).status_code


async def test_a_key_is_made_copied_and_revoked(desk: Desk) -> None:
    window = await desk.window(await desk.panel.makers.user())
    await window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await window.go("/account/keys")
    await window.link("Create key").click()
    key = await make(window, "nightly backup")
    await window.button("Copy key").click()
    await expect(window.find(".notice .copy")).to_have_attribute("data-done", "")
    assert await window.page.evaluate("navigator.clipboard.readText()") == key
    assert await status(window, key) == 200
    await window.button("Revoke nightly backup").click()
    await window.button("Keep key").click()
    assert await status(window, key) == 200
    await window.button("Revoke nightly backup").click()
    await window.button("Revoke key").click()
    await expect(window.find(".nothing h2")).to_have_text("No keys yet")
    assert await status(window, key) == 401
    await window.check()


async def test_a_key_is_made_without_javascript(desk: Desk) -> None:
    window = await desk.window(await desk.panel.makers.user(), scripts=False, size=PHONE)
    await window.go("/account/keys?add=1")
    await window.find("#key-form").get_by_role("button", name="Create key").click()
    await expect(window.page.get_by_role("alert")).to_contain_text("Choose at least one.")
    window.refusals.clear()
    assert await status(window, await make(window, "phone")) == 200
