"""Companies to test with: one for tests that share its processes, one per test for those that end them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hostwright.app import App
from hostwright.core.db import Database
from hostwright.upstream.virtfusion.simulator import World
from tests.stack.installation import Installation, Stands, running_installation
from tests.stack.panel import FIRST_USER, MANY, PLAN, Panel, running_panel
from tests.support import databases
from tests.support.app import KeyClient, Makers, SignIn


@pytest.fixture(scope="session")
async def shared_dsn(cluster: str, template: str) -> AsyncIterator[str]:
    """A migrated database for all tests of this package: in random order it would be made several times otherwise."""
    name = await databases.copy_of(cluster, template)
    yield cluster.format(name=name)
    await databases.drop(cluster, name)


@pytest.fixture(scope="session")
async def shared(shared_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Panel]:
    """A company with forty servers more, whose panel runs in two web processes and two workers that log everything."""
    world = World(PLAN)
    for number in range(40):
        world.add(FIRST_USER, f"{MANY}{number:02}")
    folder = tmp_path_factory.mktemp("stack")
    async with running_panel(shared_dsn, folder, world=world, LOG_LEVEL="debug") as found:
        await found.mirror()
        await found.start(webs=2, workers=2)
        yield found


@pytest.fixture
def panel(shared: Panel) -> Panel:
    """The shared company; the vendor behaves, and has received nothing yet."""
    shared.vendor.faults([])
    shared.vendor.forget()
    return shared


@pytest.fixture
async def lonely(own_dsn: str, tmp_path: Path) -> AsyncIterator[Panel]:
    """A company of a test's own, mirrored, without processes."""
    async with running_panel(own_dsn, tmp_path) as found:
        await found.mirror()
        yield found


@pytest.fixture
async def house(database: Database, app: App, makers: Makers) -> AsyncIterator[Installation]:
    """An installation in this process, whose time is moved by hand. It begins six hours ago."""
    async with running_installation(database, app, makers) as found:
        yield found


@pytest.fixture
async def stands(house: Installation, api_key: KeyClient, sign_in: SignIn) -> Stands:
    """What the owner's program and browser see."""
    program = await api_key(house.owner, "read:servers", "write:servers")
    return Stands(house, program, await sign_in(house.owner))
