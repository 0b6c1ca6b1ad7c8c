"""Windows of people: a browser context each, at one of the web processes, that notes what goes wrong in it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final, Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, Response

from hostwright.core.crypto import Keyring
from hostwright.identity import service as identity
from hostwright.identity.access import csrf_token
from tests.stack.panel import FIRST_USER, Panel
from tests.support.app import HOME, KEYS, Person

WIDE: Final = (1440, 900)
PHONE: Final = (390, 844)
PATIENCE_MS: Final = 20_000
REFUSED: Final = "Failed to load resource"  # Chromium's words for an answer of 400 and more
STREAM_ENDED: Final = "htmx:sse:error"  # htmx says so when its stream cannot be had again
# Chromium says so seconds later where the style sheet was cached and the font was not, as after signing in, though the
# page fetches the font once and shows it. That a page uses what it preloads is looked at in `test_looks`.
PRELOADED: Final = "was preloaded using link preload but not used within a few seconds"
VIOLATIONS: Final = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`);
});
"""

# A function: a bare expression would be evaluated as text, which the policy forbids.
LISTENING: Final = "() => document.querySelector('#live')?._htmx?.sse?.status === 200"
NOTE: Final = """selector => {
  window.noted = [];
  const look = () => {
    const said = document.querySelector(selector)?.textContent;
    if (said && said !== noted.at(-1)) noted.push(said);
  };
  look();
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""

type Scheme = Literal["light", "dark"]


class Window:
    """One page of somebody. ``problems`` is what the browser complained about."""

    def __init__(self, context: BrowserContext, page: Page, url: str) -> None:
        self.context = context
        self.page = page
        self.url = url
        self.problems: list[str] = []
        self.refusals: list[int] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def _console(self, message: ConsoleMessage) -> None:
        expected = any(words in message.text for words in (REFUSED, STREAM_ENDED, PRELOADED))
        if message.type in {"error", "warning"} and not expected:
            self.problems.append(message.text)

    def _failed(self, request: Request) -> None:
        # A page that is left ends its stream and whatever it was fetching; one without scripts does not load them.
        if request.failure not in {"net::ERR_ABORTED", "csp"}:
            self.problems.append(f"{request.failure}: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.refusals.append(response.status)

    async def go(self, path: str) -> Response:
        """Open a page of ours."""
        found = await self.page.goto(self.url + path)
        assert found is not None
        return found

    def find(self, selector: str) -> Locator:
        """What matches a selector."""
        return self.page.locator(selector)

    def button(self, name: str) -> Locator:
        """The button with exactly this name."""
        return self.page.get_by_role("button", name=name, exact=True)

    def menu(self, name: str) -> Locator:
        """The line of the open menu with exactly this name."""
        return self.find(".menu:popover-open").get_by_text(name, exact=True)

    def link(self, name: str) -> Locator:
        """The link with exactly this name."""
        return self.page.get_by_role("link", name=name, exact=True)

    async def deafen(self) -> None:
        """From now on a page hears of no change: its stream never begins."""
        await self.page.route("**/events*", lambda route: route.fulfill(status=204))

    async def live(self) -> None:
        """Wait until the page hears of changes."""
        await self.page.wait_for_function(LISTENING)

    def fetched(self, part: str) -> list[str]:
        """From now on, the addresses from which a part of the page, named by its id, is fetched again."""
        found: list[str] = []

        def look(request: Request) -> None:
            if request.headers.get("hx-target", "").endswith(f"#{part}"):
                found.append(request.url)

        self.page.on("request", look)
        return found

    async def note(self, selector: str) -> None:
        """From now on note what an element says, however short."""
        await self.page.evaluate(NOTE, selector)

    async def noted(self) -> list[str]:
        """What it has said, one after the other."""
        return await self.page.evaluate("window.noted")

    async def check(self, *refusals: int) -> None:
        """Nothing went wrong but for answers with these statuses, which the test provoked."""
        assert self.problems == [], self.problems
        assert sorted(self.refusals) == sorted(refusals), self.refusals
        if not self.page.is_closed():
            assert await self.page.evaluate("window.violations ?? []") == []
        self.refusals.clear()


class Desk:
    """Opens windows for people."""

    def __init__(self, panel: Panel, browser: Browser) -> None:
        self.panel = panel
        self.browser = browser
        self.windows: list[Window] = []

    async def window(
        self,
        person: Person | None = None,
        *,
        web: int | str = 0,
        size: tuple[int, int] = WIDE,
        scheme: Scheme = "light",
        language: str | None = None,
        scripts: bool = True,
        calm: bool = False,
    ) -> Window:
        """A window of ``person``, who has signed in; ``web`` is the number of a web process or its URL."""
        url = web if isinstance(web, str) else self.panel.webs[web].url
        context = await self.browser.new_context(
            locale="en-US",
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce" if calm else "no-preference",
        )
        context.set_default_timeout(PATIENCE_MS)
        cookies = await self.cookies(person) if person else {}
        if language:
            cookies["hw_lang"] = language
        # Cookies do not know ports: the same ones serve at every web process.
        await context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
        if scripts:
            await context.add_init_script(VIOLATIONS)
        window = Window(context, await context.new_page(), url)
        self.windows.append(window)
        return window

    async def cookies(self, person: Person) -> dict[str, str]:
        """The cookies of somebody who has just signed in."""
        origin = identity.Client(HOME, HOME, "Mozilla/5.0 (X11; Linux x86_64) Chrome/147", "")
        async with self.panel.database.transaction() as tx:
            session = await identity.open_session(tx, person.user_id, origin, session_days=30)
        return {"hw_session": session.token, "hw_csrf": csrf_token(Keyring.parse(KEYS), session.token)}

    async def server(self) -> tuple[int, int, str]:
        """A running server of the owner that no other test has: the vendor's id, ours, its name."""
        external_id = self.panel.fresh()
        return external_id, await self.panel.server_id(external_id), self.panel.vendor.world.servers[external_id].name

    async def other(self, **wanted: Any) -> tuple[int, int, str]:
        """The owner's first server with these facts at the vendor."""
        found = next(
            one
            for one in self.panel.vendor.world.listed
            if one.owner_id == FIRST_USER and all(getattr(one, name) == value for name, value in wanted.items())
        )
        return found.id, await self.panel.server_id(found.id), found.name


@asynccontextmanager
async def opened_desk(panel: Panel, browser: Browser) -> AsyncGenerator[Desk]:
    """A desk whose windows are closed, and were all quiet, at the end."""
    desk = Desk(panel, browser)
    try:
        yield desk
        for window in desk.windows:
            assert window.problems == [], window.problems
    finally:
        for window in desk.windows:
            await window.context.close()
