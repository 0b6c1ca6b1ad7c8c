"""A furnished house for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hostwright.app import App
from hostwright.core.db import Database
from tests.support.app import Makers, Person, SignIn
from tests.support.simulator import running_simulator

from .consoles import Theatre
from .helpers import House


@pytest.fixture
async def house(database: Database) -> House:
    return await House(database).furnish()


@pytest.fixture
async def theatre(
    app: App, database: Database, makers: Makers, owner: Person, sign_in: SignIn
) -> AsyncIterator[Theatre]:
    """A running server with a screen, and its owner's browser."""
    async with running_simulator() as vendor:
        yield await Theatre(app, database, makers, vendor, owner, await sign_in(owner)).furnish()
