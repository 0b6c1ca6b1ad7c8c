"""Pages to look at, and what is looked for in each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from playwright.async_api import Page

from tests.browser.desk import Desk, Window

AXE: Final = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RUN: Final = """async (part) => {
  const values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const found = await axe.run(part, { runOnly: { type: "tag", values }, resultTypes: ["violations"] });
  return found.violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target} ${node.failureSummary}`));
}"""
CALM: Final = """() => Promise.allSettled(
  document.getAnimations()
    .filter((one) => one.effect.getComputedTiming().iterations !== Infinity)
    .map((one) => one.finished)
)"""
UNWRAPPED: Final = r"""() => {
  const kept = (element) => element?.closest("[translate=no], script, style, template, [hidden]");
  const words = (text) => /\p{L}/u.test(text) && !text.includes("⟦") && !text.includes("⟧");
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const sentences = new Set();
  while (walker.nextNode()) sentences.add(walker.currentNode.parentElement);
  for (const element of sentences) {
    if (kept(element)) continue;
    const texts = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    const own = texts.map((node) => node.data).join("");
    if (words(own)) found.push(own.trim());
  }
  for (const name of ["aria-label", "placeholder", "title", "alt", "data-empty", "data-hint"]) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      const text = element.getAttribute(name);
      if (words(text) && !kept(element)) found.push(`${name}: ${text}`);
    }
  }
  const title = document.title.split(" · ")[0];
  if (words(title) && !document.querySelector("h1[translate=no]")) found.push(`title: ${title}`);
  return found;
}"""

type Step = Callable[[Window], Awaitable[None]]


class Look(msgspec.Struct, frozen=True):
    """A page of somebody, what was done on it before it is looked at, and which ``part`` has changed by that."""

    name: str
    path: str
    who: str = "owner"
    status: int = 200
    step: Step | None = None
    refusals: tuple[int, ...] = ()
    part: str = "html"


async def _palette(window: Window) -> None:
    await window.page.keyboard.press("Control+k")
    await window.find("#palette [role=menuitem]").first.wait_for()


async def _row_menu(window: Window) -> None:
    await window.find("tbody .c-menu button").first.click()
    await window.find(".menu:popover-open").get_by_text("Open").wait_for()


async def _reset(window: Window) -> None:
    await window.button("More actions").click()
    await window.menu("Reset password").click()
    await window.find("dialog[open] h2").wait_for()


async def _wrong(window: Window) -> None:
    await window.find("form button[type=submit]").click()
    await window.find(".error-summary").wait_for()


async def _refused(window: Window) -> None:
    await window.find("main form button[type=submit]").click()
    await window.find(".error-summary").wait_for()


async def _drawn(window: Window) -> None:
    await window.find("canvas").first.wait_for()


async def _connected(window: Window) -> None:
    await window.find("#console-state[data-s=running]").wait_for()


async def _typing(window: Window) -> None:
    await _connected(window)
    await window.find("button[commandfor=console-text]").first.click()
    await window.find("dialog[open] h2").wait_for()


async def _picked(window: Window) -> None:
    for number in range(2):
        await window.find(".c-pick input").nth(number).check()
    await window.find("#bulk").wait_for()


async def _asked(window: Window, what: str) -> None:
    await window.button("More actions").click()
    await window.menu(what).click()
    await window.find("dialog[open] h2").wait_for()


async def _rename(window: Window) -> None:
    await _asked(window, "Rename")


async def _key_refused(window: Window) -> None:
    await window.find("#key-form button[type=submit]").click()
    await window.find(".error-summary").wait_for()


async def _made(window: Window) -> None:
    await window.find("#name").fill("nightly backup")
    await window.find("input[name=scopes]").first.check()
    await window.find("#key-form button[type=submit]").click()
    await window.find(".notice .copy").wait_for()


async def _suspend(window: Window) -> None:
    await _asked(window, "Suspend")


async def _throttle(window: Window) -> None:
    await _asked(window, "Limit processor")


async def _suspend_user(window: Window) -> None:
    await window.find("button[command=show-modal][commandfor=suspend-user]").click()
    await window.find("dialog[open] h2").wait_for()


async def _opened(window: Window) -> None:
    await window.find(".audit-line summary").first.click()
    await window.find(".audit-line[open] dl").wait_for()


LOOKS: Final = [
    Look("sign-in", "/sign-in", "nobody"),
    Look("sign-in-refused", "/sign-in", "nobody", step=_wrong, refusals=(422,)),
    Look("register", "/register", "nobody"),
    Look("register-refused", "/register", "nobody", step=_wrong, refusals=(422,)),
    Look("servers", "/servers"),
    Look("servers-none", "/servers", "newcomer"),
    Look("servers-no-match", "/servers?q=no-such-name"),
    Look("row-menu", "/servers", step=_row_menu, part="tbody tr:first-child"),
    Look("palette", "/servers", step=_palette, part="#palette"),
    Look("running", "/servers/{running}"),
    Look("reset-dialog", "/servers/{running}", step=_reset, part="dialog[open]"),
    Look("suspended", "/servers/{suspended}"),
    Look("building", "/servers/{building}"),
    Look("failed", "/servers/{failed}"),
    Look("traffic", "/servers/{running}/traffic", step=_drawn),
    Look("activity", "/servers/{running}/activity"),
    Look("activity-none", "/servers/{running}/activity?type=network&from=2020-01-01&to=2020-01-31"),
    Look("usage", "/servers/{running}/usage", step=_drawn),
    Look("usage-suspended", "/servers/{suspended}/usage", step=_drawn),
    Look("notes", "/servers/{running}/notes"),
    Look("note-add", "/servers/{running}/notes?add=1"),
    Look("ssh-keys", "/servers/keys"),
    Look("ssh-key-add", "/servers/keys?add=1"),
    Look("ssh-keys-none", "/servers/keys", "newcomer"),
    Look("console", "/servers/{running}/console", step=_connected),
    Look("console-text", "/servers/{running}/console", step=_typing, part="dialog[open]"),
    Look("console-suspended", "/servers/{suspended}/console"),
    Look("admin-console", "/admin/servers/{running}/console", "staff", step=_connected),
    Look("picked", "/servers", step=_picked, part="#list"),
    Look("rename-dialog", "/servers/{running}", step=_rename, part="dialog[open]"),
    Look("reinstall", "/servers/{running}/reinstall"),
    Look("reinstall-suspended", "/servers/{suspended}/reinstall"),
    Look("bulk", "/servers/bulk?action=restart&id={running}&id={suspended}"),
    Look("bulk-none", "/servers/bulk"),
    Look("admin-picked", "/admin/servers", "staff", step=_picked, part="#list"),
    Look("suspend-dialog", "/admin/servers/{running}", "staff", step=_suspend, part="dialog[open]"),
    Look("throttle-dialog", "/admin/servers/{running}", "staff", step=_throttle, part="dialog[open]"),
    Look("admin-suspended", "/admin/servers/{suspended}", "staff"),
    Look("admin-bulk", "/admin/servers/bulk?action=suspend&id={running}&id={suspended}", "staff"),
    Look("change-owner", "/admin/servers/{running}/owner", "staff"),
    Look("upstream", "/admin/servers/{running}/upstream", "staff"),
    Look("sessions", "/account/sessions", "newcomer"),
    Look("profile", "/account/profile"),
    Look("password", "/account/password"),
    Look("password-refused", "/account/password", step=_refused, refusals=(422,)),
    Look("api-keys-none", "/account/keys", "newcomer"),
    Look("api-key-add", "/account/keys?add=1", "staff"),
    Look("api-key-refused", "/account/keys?add=1", "newcomer", step=_key_refused, refusals=(422,)),
    Look("api-key-made", "/account/keys?add=1", step=_made),
    Look("admin-servers", "/admin/servers", "staff"),
    Look("admin-server", "/admin/servers/{running}", "staff"),
    Look("connections", "/admin/connections", "staff"),
    Look("connection-new", "/admin/connections/new", "staff"),
    Look("hypervisors", "/admin/hypervisors", "staff"),
    Look("owners", "/admin/owners", "staff"),
    Look("owners-links", "/admin/owners/links", "staff"),
    Look("addresses", "/admin/addresses", "staff"),
    Look("addresses-found", "/admin/addresses?address=203.0.113.0/24&reason=looks", "staff"),
    Look("jobs", "/admin/jobs", "staff"),
    Look("users", "/admin/users", "staff"),
    Look("users-no-match", "/admin/users?q=no-such-name", "staff"),
    Look("user", "/admin/users/{person}", "staff"),
    Look("suspend-user", "/admin/users/{person}", "staff", step=_suspend_user, part="dialog[open]"),
    Look("audit", "/admin/audit", "staff"),
    Look("audit-open", "/admin/audit", "staff", step=_opened, part="#list"),
    Look("not-found", "/servers/999999999", status=404, refusals=(404,)),
    Look("forbidden", "/admin/jobs", status=403, refusals=(403,)),
    Look("nowhere", "/no/such/page", "nobody", status=404, refusals=(404,)),
    Look("styleguide", "/styleguide", "staff", step=_drawn),
]


async def address(desk: Desk, look: Look) -> str:
    """The path with ids filled in."""
    wanted: dict[str, dict[str, Any]] = {
        "running": {"running": True, "suspended": False},
        "suspended": {"suspended": True},
        "building": {"state": "queued"},
        "failed": {"state": "failed"},
    }
    ids = {name: (await desk.other(**facts))[1] for name, facts in wanted.items() if f"{{{name}}}" in look.path}
    return look.path.format(**ids, person=desk.panel.owner.user_id)


async def complaints(page: Page, part: str) -> list[str]:
    """What axe-core has to say about a part of the page as it is now, once nothing moves any more."""
    await page.evaluate(CALM)
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    return await page.evaluate(RUN, part)
