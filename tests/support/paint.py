"""How soon a page shows something, and whether anything moves afterwards, in a real Chromium."""

from __future__ import annotations

from statistics import median
from typing import Final
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page

from tests.support.browser import running_chromium

TIMES: Final = 5
WATCH: Final = """
window.seen = { paint: 0, shift: 0, moved: [] };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (entry.name === "first-contentful-paint") seen.paint = entry.startTime;
}).observe({ type: "paint", buffered: true });
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    seen.shift += entry.value;
    for (const source of entry.sources) seen.moved.push(source.node?.outerHTML?.slice(0, 100) ?? "");
  }
}).observe({ type: "layout-shift", buffered: true });
"""
"""An init script: `window.seen` has the first contentful paint in ms, the layout shift, and what moved."""
SETTLED: Final = """async () => {
  await document.fonts.ready;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await new Promise((done) => requestIdleCallback(done, { timeout: 2000 }));
  return seen.paint > 0;
}"""


async def settled(page: Page) -> None:
    """Wait until a page that was opened with `WATCH` has its fonts and nothing more to do."""
    await page.wait_for_function(SETTLED)


async def _once(browser: Browser, url: str, cookies: dict[str, str]) -> tuple[float, float]:
    """One visit with empty caches."""
    context = await browser.new_context(locale="en-US", viewport={"width": 1440, "height": 900})
    try:
        await context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
        await context.add_init_script(WATCH)
        page = await context.new_page()
        answer = await page.goto(url)
        assert answer is not None
        assert answer.ok, f"{url}: {answer.status}"
        await settled(page)
        seen = await page.evaluate("seen")
        return float(seen["paint"]), float(seen["shift"])
    finally:
        await context.close()


async def first_paint(url: str, cookie: str, *, browser: Browser | None = None) -> tuple[float, float]:
    """First contentful paint in milliseconds (median of five visits with empty caches) and the largest layout shift.

    ``cookie`` is a ``Cookie`` header's value. A browser is started when none is given; its first visit does not count.
    """
    if browser is None:
        async with running_chromium() as found:
            return await first_paint(url, cookie, browser=found)
    pairs = [pair.strip().partition("=") for pair in cookie.split(";") if "=" in pair]
    cookies = {name: value for name, _, value in pairs}
    parts = urlsplit(url)
    await _once(browser, f"{parts.scheme}://{parts.netloc}/sign-in", {})
    visits = [await _once(browser, url, cookies) for _ in range(TIMES)]
    return median(paint for paint, _ in visits), max(shift for _, shift in visits)
