"""The first run in a browser: step by step, in both themes, on a phone, in another language, and without scripts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, expect

from hostwright.core.clock import SystemClock
from hostwright.core.db import create_database
from hostwright.setup.service import new_token
from tests.browser.desk import PATIENCE_MS, PHONE, VIOLATIONS, WIDE, Scheme, Window
from tests.browser.looks import UNWRAPPED, complaints
from tests.support.simulator import RunningSimulator, running_simulator
from tests.support.stack import Web, running_stack

pytestmark = [pytest.mark.browser, pytest.mark.long]

FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
VIEWS: Final[tuple[tuple[tuple[int, int], Scheme], ...]] = ((WIDE, "light"), (PHONE, "dark"))
PAINTED = """async (dark) => {
  const frame = () => new Promise(requestAnimationFrame);
  while (document.documentElement.classList.contains("dark") !== dark) await frame();
  for (let count = 0; count < 3; count += 1) await frame();
}"""
PASSWORD = "tulip-anchor-breeze-9"


@pytest.fixture
async def panel(own_dsn: str, tmp_path: Path) -> AsyncIterator[Web]:
    """A panel that was just installed, with a worker."""
    async with running_stack(own_dsn, tmp_path) as stack:
        await stack.worker()
        yield await stack.web()


@pytest.fixture
async def token(own_dsn: str) -> str:
    """What the terminal shows."""
    database = await create_database(own_dsn, max_size=2)
    try:
        async with database.transaction() as tx:
            return await new_token(tx, SystemClock())
    finally:
        await database.close()


@pytest.fixture
async def virtfusion() -> AsyncIterator[RunningSimulator]:
    async with running_simulator() as found:
        yield found


@asynccontextmanager
async def window(
    chromium: Browser, web: Web, *, scripts: bool = True, language: str | None = None
) -> AsyncGenerator[Window]:
    context = await chromium.new_context(
        locale="en-US",
        viewport={"width": WIDE[0], "height": WIDE[1]},
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    if language:
        await context.add_cookies([{"name": "hw_lang", "value": language, "url": web.url}])
    if scripts:
        await context.add_init_script(VIOLATIONS)
    try:
        yield Window(context, await context.new_page(), web.url)
    finally:
        await context.close()


async def look(one: Window) -> None:
    """The page as it is: axe has nothing to say about it, light and wide or dark on a phone, and nothing sticks out."""
    for (width, height), scheme in VIEWS:
        await one.page.set_viewport_size({"width": width, "height": height})
        await one.page.emulate_media(color_scheme=scheme)
        await one.page.evaluate(PAINTED, scheme == "dark")
        assert await complaints(one.page, "html") == [], (one.page.url, width, scheme)
        assert await one.page.evaluate(FITS), (one.page.url, width)
    await one.page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})


@pytest.mark.timeout(400)
async def test_from_the_token_to_the_panel(
    chromium: Browser, panel: Web, token: str, virtfusion: RunningSimulator
) -> None:
    async with window(chromium, panel) as one:
        await one.go("/")
        await look(one)
        await one.find("#token").fill("AAAA-AAAA-AAAA")
        await one.button("Go on").click()
        await expect(one.find(".error-summary")).to_be_focused()
        await look(one)
        await one.find("#token").fill(token.lower())
        await one.button("Go on").click()

        await one.find("#fullName").fill("Grace Hopper")
        await one.find("#email").fill("grace@northwind.example")
        await one.find("#username").fill("grace")
        await one.find("#password").fill(PASSWORD)
        await look(one)
        await one.button("Create admin account").click()

        await one.find("#name").fill("Northwind")
        await one.find("#brandColour").fill("#ffe600")
        await expect(one.find("#preview rect[fill='#ffe600']").first).to_be_visible()
        await expect(one.find("#colourWell")).to_have_value("#ffe600")
        await look(one)
        await one.find("#brandColour").fill("#0e7490")
        await expect(one.find("#preview rect[fill='#0e7490']").first).to_be_visible()
        await one.button("Save and go on").click()

        await expect(one.find("#baseUrl")).to_be_visible()
        await expect(one.page).to_have_title("VirtFusion · Northwind")
        await look(one)
        await one.find("#baseUrl").fill(virtfusion.url)
        await one.find("#token").fill("wrong")
        await one.button("Test").click()
        await expect(one.find(".setup-areas li[data-ok=no]")).to_have_count(1)
        await look(one)
        virtfusion.faults([{"mode": "status", "status": 403, "path": "/packages"}])
        await one.find("#token").fill(virtfusion.token)
        await one.button("Attach").click()
        await expect(one.button("Attach anyway")).to_be_visible()
        await look(one)
        virtfusion.faults([])
        await one.button("Attach").click()

        await expect(one.find("#progress h1")).to_have_text("Your servers are here")
        await expect(one.find("#progress")).to_contain_text("12 servers found")
        await look(one)
        await one.button("Open the panel").click()
        await expect(one.page).to_have_title("All servers · Northwind")
        gone = await one.go("/setup")
        assert gone.status == 404
        await one.check(404, 422, 422)


async def test_every_word_is_translated(chromium: Browser, panel: Web, token: str) -> None:
    async with window(chromium, panel, language="qps") as one:
        await one.go("/setup")
        assert await one.page.evaluate(UNWRAPPED) == []
        await one.find("#token").fill(token)
        await one.find("form button[type=submit]").click()
        await one.find("#fullName").fill("Grace Hopper")
        assert await one.page.evaluate(UNWRAPPED) == []
        await one.find("#email").fill("grace@northwind.example")
        await one.find("#username").fill("grace")
        await one.find("#password").fill(PASSWORD)
        await one.find("form button[type=submit]").click()
        await one.find("#name").fill("Northwind")
        assert await one.page.evaluate(UNWRAPPED) == []
        await one.find("#company-form button[type=submit]").click()
        await one.find("#baseUrl").wait_for()
        assert await one.page.evaluate(UNWRAPPED) == []
        await one.find("button[value=later]").click()
        await one.find("#progress").wait_for()
        assert await one.page.evaluate(UNWRAPPED) == []


async def test_without_scripts(chromium: Browser, panel: Web, token: str, virtfusion: RunningSimulator) -> None:
    async with window(chromium, panel, scripts=False) as one:
        await one.go("/")
        await one.find("#token").fill(token)
        await one.button("Go on").click()
        await one.find("#fullName").fill("Grace Hopper")
        await one.find("#email").fill("grace@northwind.example")
        await one.find("#username").fill("grace")
        await one.find("#password").fill(PASSWORD)
        await one.button("Create admin account").click()
        await one.find("#name").fill("Northwind")
        await one.find("#brandColour").fill("#ffe600")
        await one.button("Look at the colour").click()
        await expect(one.find("#preview rect[fill='#ffe600']").first).to_be_visible()
        await one.button("Save and go on").click()
        await one.find("#baseUrl").fill(virtfusion.url)
        await one.find("#token").fill(virtfusion.token)
        await one.button("Test").click()
        await expect(one.find("#outcome")).to_contain_text("Everything works.")
        await one.button("Attach").click()
        await expect(one.find("#progress")).to_contain_text("12 servers found")  # the page fetches itself anew
        await one.button("Open the panel").click()
        await expect(one.page).to_have_title("All servers · Northwind")
