"""`make screenshots`: starts the demo in a throwaway folder and takes the pictures of the documentation."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from playwright.async_api import Browser, Page

from tests.support.browser import running_chromium
from tests.support.stack import free_port

FOLDER: Final = Path(__file__).parents[1] / "docs" / "screenshots"
PATIENCE: Final = 120.0
LARGEST: Final = 150_000  # bytes
BOOTS: Final = 4.0  # seconds that a simulated screen takes to its prompt


class Picture(msgspec.Struct, frozen=True):
    """A picture of a page; ``server`` opens a running one first, ``tab`` one of its tabs, and waits for ``text``."""

    name: str
    scheme: Literal["light", "dark"]
    width: int
    height: int
    server: bool = False
    tab: str = ""
    text: str = ""


PICTURES: Final = (
    Picture("servers-light", "light", 1200, 720),
    Picture("servers-dark", "dark", 1200, 720),
    Picture("server-detail", "light", 1200, 720, server=True),
    Picture("console", "dark", 1200, 720, server=True, tab="Console", text="Connected to"),
    Picture("reinstall", "light", 1200, 720, server=True, tab="/reinstall", text="to choose from"),
    Picture("phone", "dark", 390, 720),
)


def started(data: Path, port: int) -> subprocess.Popen[bytes]:
    """The demo, once it is ready."""
    demo = subprocess.Popen(
        [sys.executable, "-m", "hostwright.cli", "demo", "--port", str(port), "--data", str(data)],
        stdout=subprocess.DEVNULL,
    )
    limit = time.monotonic() + PATIENCE
    while not (data / "demo.json").exists():
        if demo.poll() is not None or time.monotonic() > limit:
            message = "the demo did not start"
            raise RuntimeError(message)
        time.sleep(0.2)
    return demo


async def sign_in(page: Page, url: str, account: dict[str, Any]) -> None:
    """Through the form, once the web pages answer."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        answer = await page.request.get(f"{url}/health/ready", fail_on_status_code=False)
        if answer.ok:
            break
        await asyncio.sleep(0.2)
    await page.goto(f"{url}/sign-in")
    await page.fill("#username", account["email"])
    await page.fill("#password", account["password"])
    await page.click("form button[type=submit]")
    await page.wait_for_url("**/servers")


async def take(browser: Browser, url: str, account: dict[str, Any], picture: Picture) -> None:
    """One picture, in a window of its own."""
    context = await browser.new_context(
        locale="en-US",
        viewport={"width": picture.width, "height": picture.height},
        color_scheme=picture.scheme,
        reduced_motion="reduce",
    )
    page = await context.new_page()
    await sign_in(page, url, account)
    if picture.server:
        await page.locator("tbody tr", has=page.locator('[data-s="running"]')).locator(".row-link").first.click()
        await page.wait_for_url("**/servers/*")
    if picture.tab.startswith("/"):
        await page.goto(page.url + picture.tab)
    elif picture.tab:
        await page.get_by_role("link", name=picture.tab, exact=True).click()
    if picture.text:
        await page.get_by_text(picture.text).first.wait_for()
    if picture.name == "console":
        await asyncio.sleep(BOOTS)
    await page.evaluate("document.fonts.ready.then(() => document.activeElement.blur())")
    path = FOLDER / f"{picture.name}.png"
    await page.screenshot(path=path)
    await context.close()
    size = path.stat().st_size
    print(f"{path.relative_to(FOLDER.parents[1])}  {size / 1000:.0f} kB")
    assert size <= LARGEST, "too large for a page that shows four of them"


async def take_all(url: str, account: dict[str, Any]) -> None:
    """Every picture."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with running_chromium() as browser:
        for picture in PICTURES:
            await take(browser, url, account, picture)


def main() -> None:
    """Take them, and leave nothing running."""
    with tempfile.TemporaryDirectory(prefix="hostwright-demo-", ignore_cleanup_errors=True) as folder:
        data, port = Path(folder) / "data", free_port()
        demo = started(data, port)
        try:
            found = json.loads((data / "demo.json").read_bytes())
            client = next(account for account in found["accounts"] if account["role"] == "client")
            asyncio.run(take_all(found["url"], client))
        finally:
            demo.send_signal(signal.SIGTERM)
            demo.wait(15)


if __name__ == "__main__":
    main()
