"""A panel that is to be set up, and browsers that do it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from hostwright.core.clock import SystemClock
from hostwright.core.db import Database
from hostwright.setup.service import new_token
from tests.support.app import Client, MakeClient
from tests.support.simulator import RunningSimulator, running_simulator

PASSWORD = "tulip-anchor-breeze-9"
ADMIN = {"fullName": "Grace Hopper", "email": "grace@northwind.example", "username": "grace", "password": PASSWORD}
COMPANY = {"name": "Northwind", "brandColour": "#0EA5E9"}

type Enter = Callable[..., Awaitable[Client]]


@pytest.fixture
async def token(database: Database) -> str:
    """What the terminal shows."""
    async with database.transaction() as tx:
        return await new_token(tx, SystemClock())


@pytest.fixture
async def virtfusion() -> AsyncIterator[RunningSimulator]:
    """A VirtFusion to attach."""
    async with running_simulator() as found:
        yield found


@pytest.fixture
def entered(make_client: MakeClient, token: str) -> Enter:
    """A browser that has entered the token."""

    async def enter() -> Client:
        browser = await make_client()
        answer = await browser.post("/setup/token", data={"token": token})
        assert (answer.status_code, answer.headers["location"]) == (303, "/setup/admin")
        return browser

    return enter


async def with_csrf(browser: Client) -> Client:
    """Send the CSRF token along from now on."""
    browser.headers["X-CSRF-Token"] = browser.cookies["hw_csrf"]
    return browser


@pytest.fixture
async def admin(entered: Enter) -> Client:
    """The browser of the first admin, who has just been made."""
    browser = await entered()
    answer = await browser.post("/setup/admin", data=ADMIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/setup/company")
    return await with_csrf(browser)


@pytest.fixture
async def named(admin: Client) -> Client:
    """The same, once the company has a name."""
    answer = await admin.post("/setup/company", data=COMPANY)
    assert (answer.status_code, answer.headers["location"]) == (303, "/setup")
    return admin
