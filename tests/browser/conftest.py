"""One company, two web processes, one worker and one Chromium for all browser tests; contexts of its own for each."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from hostwright.upstream.virtfusion.simulator import World, WorldPlan
from tests.browser.desk import Desk, opened_desk
from tests.stack.panel import FIRST_USER, Panel, running_panel
from tests.support import databases
from tests.support.browser import running_chromium

OWNERS = 76  # four pages, and enough for every test to stop one of its own
PLAN = WorldPlan(servers=88, users=4, first_users=(OWNERS, 2), speed=20.0, build_minutes=600)
LONG = "a-name-without-a-single-space-that-goes-on-and-on-until-it-is-longer-than-any-phone-is-wide"
LONG_HOST = LONG.replace("name", "host")  # not the name: what looks for that finds one server
NAMES = (
    LONG,
    "Größenwahn-Überwachung ß ñ ø",
    "🚀 rocket 🧑‍🚀 server",
    "خادم الإنتاج الرئيسي",
    '<b>bold</b> & "quoted"',
)
PATIENCE_MS = 20_000


@pytest.fixture(scope="session")
async def browser_dsn(cluster: str, template: str) -> AsyncIterator[str]:
    """A migrated database for all browser tests. Of the session: in random order a package begins several times."""
    name = await databases.copy_of(cluster, template)
    yield cluster.format(name=name)
    await databases.drop(cluster, name)


@pytest.fixture(scope="session")
async def company(browser_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Panel]:
    """A company whose first customer has four pages of servers, in every state, no two of the same name."""
    world = World(PLAN)
    for one in world.servers.values():
        one.name = f"{one.name}-{one.id}"
    odd = [one for one in world.servers.values() if one.owner_id == FIRST_USER and one.running][-len(NAMES) :]
    for one, name in zip(odd, NAMES, strict=True):
        one.name, one.hostname = name, f"{LONG_HOST}.example"
    async with running_panel(browser_dsn, tmp_path_factory.mktemp("browser"), world=world) as found:
        await found.mirror()
        await found.start(webs=2, workers=1)
        yield found


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser itself."""
    expect.set_options(timeout=PATIENCE_MS)
    async with running_chromium() as found:
        yield found


@pytest.fixture
async def desk(company: Panel, chromium: Browser) -> AsyncIterator[Desk]:
    """Opens windows. At the end none of them may have complained about a script or the content security policy."""
    company.vendor.faults([])
    async with opened_desk(company, chromium) as found:
        yield found
    company.vendor.faults([])
