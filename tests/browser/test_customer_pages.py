"""What customers do beside operating a server: notes, usage, activity, SSH keys, files."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import expect

from tests.browser.desk import PHONE, Desk, Window
from tests.browser.looks import complaints

pytestmark = pytest.mark.browser

SHIFTS = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) sum += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
})"""


def public_key() -> str:
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


async def sideways(window: Window) -> int:
    return await window.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("scripts", [True, False])
async def test_notes_from_the_first_to_none(desk: Desk, scripts: bool) -> None:
    _, server_id, _ = await desk.server()
    window = await desk.window(desk.panel.owner, scripts=scripts)
    await window.go(f"/servers/{server_id}/notes")
    await expect(window.page.get_by_role("heading", name="No notes yet")).to_be_visible()
    await window.link("Add note").click()
    await window.page.get_by_label("Text").fill("first line\nsecond <b>line</b>")
    await window.button("Save note").click()
    await expect(window.find("#title-error")).to_have_text("Fill this in.")
    await expect(window.page.get_by_label("Text")).to_have_value("first line\nsecond <b>line</b>")
    await window.page.get_by_label("Title").fill("Backups")
    await window.button("Save note").click()
    note = window.find("article.note")
    await expect(note.locator("h3")).to_have_text("Backups")
    await expect(note.locator(".note-text")).to_have_text("first line\nsecond <b>line</b>", use_inner_text=True)
    await window.link("Edit Backups").click()
    await window.page.get_by_label("Title").fill("Restores")
    await window.button("Save note").click()
    await expect(note.locator("h3")).to_have_text("Restores")
    await window.button("Delete Restores").click()
    await window.button("Delete note").click()
    await expect(window.page.get_by_role("heading", name="No notes yet")).to_be_visible()
    await window.check(422)


async def test_two_windows_on_one_note_lose_nothing(desk: Desk) -> None:
    _, server_id, _ = await desk.server()
    first, second = await desk.window(desk.panel.owner), await desk.window(desk.panel.owner, web=1, size=PHONE)
    await first.go(f"/servers/{server_id}/notes?add=1")
    await first.page.get_by_label("Title").fill("Plan")
    await first.button("Save note").click()
    for window in (first, second):
        await window.go(f"/servers/{server_id}/notes")
        await window.link("Edit Plan").click()
    await first.page.get_by_label("Text").fill("from the desk")
    await first.button("Save note").click()
    await expect(first.find(".note-text")).to_have_text("from the desk")
    await second.page.get_by_label("Text").fill("from the phone")
    await second.button("Save note").click()
    await expect(second.find(".error-summary")).to_be_focused()
    await expect(second.find(".note-stored")).to_contain_text("from the desk")
    await expect(second.page.get_by_label("Text")).to_have_value("from the phone")
    assert await complaints(second.page, "#notes") == []
    assert await sideways(second) == 0
    await second.button("Save anyway").click()
    await expect(second.find(".note-text")).to_have_text("from the phone")
    await second.check(409)


async def test_usage_fills_while_one_looks(desk: Desk) -> None:
    """Sampled by the worker, drawn without a reload, and nothing on the page moves meanwhile."""
    _, server_id, _ = await desk.server()
    window = await desk.window(desk.panel.owner)
    await window.go(f"/servers/{server_id}")
    await window.find("#tabs").get_by_role("link", name="Usage").click()
    await window.page.wait_for_url("**/usage")
    await expect(window.find("#usage-cpu canvas")).to_be_visible()
    await expect(window.find("#usage-live .tile-value").first).to_contain_text("%")
    await expect(window.find("#usage-status")).to_contain_text("Samples are taken every ten seconds")
    await window.go(f"/servers/{server_id}/usage")
    await expect(window.find("#usage-cpu canvas")).to_be_visible()
    assert await window.page.evaluate(SHIFTS) == 0
    drawn = await window.find("#usage-io canvas").evaluate("canvas => canvas.toDataURL()")
    await window.page.evaluate(
        "document.querySelector('#usage-io canvas').dataset.same = 'yes'; window.scrollTo(0, 100)"
    )
    # A second sample makes a rate: the tile says so, the canvas is the same one, with something else on it.
    await expect(window.find("#usage-live .tile").nth(2)).to_contain_text("MB/s", timeout=60_000)
    await expect(window.find("#usage-io canvas")).to_have_attribute("data-same", "yes")
    await window.page.wait_for_function(
        "drawn => document.querySelector('#usage-io canvas').toDataURL() !== drawn", arg=drawn, timeout=60_000
    )
    assert await window.page.evaluate("window.scrollY") == 100
    await window.find(".usage-figures summary").click()
    await expect(window.find("#usage-table tbody tr")).to_have_count(12)
    await window.link("7 d").click()
    await window.page.wait_for_url("**/usage?range=7d")
    await expect(window.link("7 d")).to_have_attribute("aria-current", "true")
    await window.check()


async def test_usage_of_a_vendor_that_is_away(desk: Desk) -> None:
    external_id, server_id, _ = await desk.server()
    window = await desk.window(desk.panel.owner, size=PHONE)
    await window.go(f"/servers/{server_id}/usage")
    await expect(window.find("#usage-status")).to_contain_text("Last sample", timeout=60_000)
    desk.panel.vendor.faults([{"mode": "status", "status": 503, "path": f"/servers/{external_id}"}])
    async with desk.panel.database.transaction() as tx:
        await tx.execute("update server_looks set failing_since = now() - interval '1 minute'")
    await expect(window.find("#usage-status")).to_contain_text("VirtFusion has not answered since", timeout=60_000)
    await expect(window.find("#usage-cpu canvas")).to_be_visible()
    assert await sideways(window) == 0
    await window.check()


async def test_activity_by_kind_and_day_stays_filtered_when_something_happens(desk: Desk) -> None:
    _, server_id, _ = await desk.server()
    window = await desk.window(desk.panel.owner)
    await window.go(f"/servers/{server_id}/activity")
    await window.link("Power").click()
    await window.page.wait_for_url("**/activity?type=power")
    await expect(window.find("#activity")).to_contain_text("Nothing of this kind happened in these days.")
    await window.live()
    await window.button("Restart").click()
    await expect(window.find("#activity li")).to_have_count(1)
    await expect(window.find("#activity li").first).to_contain_text("Restart")
    assert window.page.url.endswith("?type=power")
    await window.page.get_by_label("From").fill("2020-01-01")
    await window.page.wait_for_url("**/activity?type=power&from=2020-01-01*")
    await expect(window.find("#activity li")).to_have_count(1)
    await window.page.get_by_label("to", exact=True).fill("2020-01-02")
    await expect(window.find("#activity li")).to_have_count(0)
    await expect(window.page.get_by_label("From")).to_have_value("2020-01-01")
    await window.link("Show everything").click()
    await expect(window.find("#activity li")).to_have_count(2)
    await window.check()


@pytest.mark.parametrize("scripts", [True, False])
async def test_keys_are_added_and_deleted(desk: Desk, scripts: bool) -> None:
    window = await desk.window(desk.panel.owner, scripts=scripts)
    name = f"laptop {scripts}"
    await window.go("/servers/keys")
    await expect(window.find('.side-link[aria-current="page"]')).to_have_text("SSH keys")
    await window.link("Add key").first.click()
    await window.page.get_by_label("Public key").fill("-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0")
    await window.button("Add key").click()
    await expect(window.find("#publicKey-error")).to_contain_text("treat it as exposed")
    await expect(window.page.get_by_label("Public key")).to_have_value("")
    assert "c2VjcmV0" not in await window.page.content()
    await window.page.get_by_label("Public key").fill(f"{public_key()} ada@{scripts}")
    await window.page.get_by_label("Name").fill(name)
    await window.button("Add key").click()
    line = window.find(".key-line").filter(has_text=name)
    await expect(line).to_contain_text("Ed25519 256")
    await expect(line).to_contain_text("SHA256:")
    await window.button(f"Delete {name}").click()
    await window.button("Delete key").click()
    await expect(line).to_have_count(0)
    await window.check(422)


async def test_files_are_downloaded_with_the_filter_of_the_page(desk: Desk, tmp_path: Path) -> None:
    window = await desk.window(desk.panel.owner)
    await window.go("/servers?state=running&sort=-name")
    async with window.page.expect_download() as started:
        await window.link("Download CSV").click()
    file = tmp_path / "servers.csv"
    await (await started.value).save_as(file)
    rows = list(csv.DictReader(StringIO(file.read_text(encoding="utf-8-sig"))))
    assert len(rows) > 20
    assert {row["power"] for row in rows} == {"running"}
    assert rows[0]["name"] == await window.find("tbody .row-link").first.inner_text()
    _, server_id, _ = await desk.server()
    for path in ("traffic", "activity"):
        await window.go(f"/servers/{server_id}/{path}")
        async with window.page.expect_download() as started:
            await window.link("CSV").click()
        assert (await started.value).suggested_filename.startswith(f"server-{server_id}-{path}-")
    await window.check()


PAGES = ["usage", "notes", "notes?add=1", "activity", "traffic", "/servers/keys", "/servers/keys?add=1"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_pass_axe_and_fit_a_phone(desk: Desk, path: str, scheme: str) -> None:
    _, server_id, _ = await desk.other(running=True, suspended=False)
    window = await desk.window(desk.panel.owner, size=PHONE, scheme="dark" if scheme == "dark" else "light")
    await window.go(path if path.startswith("/") else f"/servers/{server_id}/{path}")
    assert await complaints(window.page, "html") == []
    assert await sideways(window) == 0
    await window.check()
