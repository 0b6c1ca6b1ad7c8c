"""`make screenshots`: the pictures of the documentation, taken of a demo in a temporary folder."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final, Literal

from playwright.async_api import Browser, Page

from tests.cli.programs import call, open_folder, running_demo
from tests.support.browser import running_chromium

FOLDER: Final = Path(__file__).parents[1] / "docs" / "screenshots"
WIDE: Final = (1440, 900)
PHONE: Final = (390, 844)

type Scheme = Literal["light", "dark"]


async def page_of(browser: Browser, url: str, account: dict[str, str], size: tuple[int, int], scheme: Scheme) -> Page:
    """Somebody's browser, signed in."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, device_scale_factor=1.5, locale="en-GB"
    )
    page = await context.new_page()
    await page.goto(f"{url}/sign-in")
    await page.fill("[name=username]", account["email"])
    await page.fill("[name=password]", account["password"])
    await page.click("button:has-text('Sign in')")
    await page.wait_for_url(lambda address: "/sign-in" not in address)
    return page


async def take(page: Page, url: str, path: str, name: str) -> None:
    """One picture, once fonts are there."""
    await page.goto(url + path)
    await page.evaluate("document.fonts.ready")
    await page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")
    print(f"docs/screenshots/{name}.png")


async def take_all(url: str, account: dict[str, str], server_id: int) -> None:
    """Every picture that the documentation shows."""
    async with running_chromium() as browser:
        wide: dict[Scheme, Page] = {
            scheme: await page_of(browser, url, account, WIDE, scheme) for scheme in ("light", "dark")
        }
        for scheme, page in wide.items():
            await take(page, url, "/servers", f"servers-{scheme}")
        await take(wide["light"], url, f"/servers/{server_id}", "server-detail")
        await take(await page_of(browser, url, account, PHONE, "light"), url, "/servers", "phone")


def main() -> None:
    """Start a demo, take the pictures, leave nothing else."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open_folder() as folder, running_demo(folder / "data") as demo:
        account = demo.file()["accounts"][1]
        servers = call(f"{demo.url}/api/user/servers?state=active", account["apiKey"])["items"]
        running = next(server for server in servers if server["power"] == "running")
        asyncio.run(take_all(demo.url, account, running["id"]))
        demo.stop()


if __name__ == "__main__":
    main()
