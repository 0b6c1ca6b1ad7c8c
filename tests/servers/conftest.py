"""A furnished house for each test."""

from __future__ import annotations

import pytest

from hostwright.core.db import Database

from .helpers import House


@pytest.fixture
async def house(database: Database) -> House:
    return await House(database).furnish()
