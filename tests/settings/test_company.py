"""Name and colour: kept in the database, shown by every process without a request, and the environment goes before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from hostwright.core.db import Database, Scalar
from hostwright.core.live import Hub
from hostwright.settings.records import Company
from hostwright.settings.service import followed, set_company
from hostwright.web.brand import BrandFiles
from tests.support.app import Client, MakeApp, MakeClient
from tests.support.stack import until

rows = Scalar(int, "select count(*) from company")


@pytest.fixture
async def hub(database: Database) -> AsyncIterator[Hub]:
    found = Hub(database.connect)
    found.start()
    await asyncio.wait_for(found.listening.wait(), 10)
    yield found
    await found.stop()


async def change(database: Database, name: str, colour: str) -> None:
    async with database.transaction() as tx:
        await set_company(tx, name=name, brand_colour=colour)


async def test_a_change_is_heard_of(database: Database, hub: Hub) -> None:
    shown: list[Company] = []
    async with followed(database, hub, shown.append):
        assert shown == [Company(None, None)]

        async def reading() -> bool:
            return hub.readers("company") == 1

        await until(reading)
        await change(database, "Northwind", "#0EA5E9")
        await change(database, "Southwind", "#22c55e")

        async def told() -> bool:
            return shown[-1] == Company("Southwind", "#22c55e")

        await until(told, 10)
    assert hub.readers("company") == 0
    async with database.acquire() as db:
        assert await rows.value(db) == 1


async def test_a_change_that_is_rolled_back_is_not_heard_of(database: Database, hub: Hub) -> None:
    shown: list[Company] = []
    async with followed(database, hub, shown.append):
        with pytest.raises(LookupError):
            async with database.transaction() as tx:
                await set_company(tx, name="Northwind", brand_colour="#0ea5e9")
                raise LookupError
        await change(database, "Southwind", "#22c55e")

        async def told() -> bool:
            return len(shown) > 1

        await until(told, 30)
    assert Company("Northwind", "#0ea5e9") not in shown


async def test_pages_show_it_at_the_next_start_and_soon_after_a_change(
    database: Database, make_app: MakeApp, make_client: MakeClient
) -> None:
    await change(database, "Northwind <Ltd>", "#0ea5e9")
    client = await make_client(app=await make_app())
    page = (await client.get("/sign-in")).text
    assert "· Northwind &lt;Ltd&gt;</title>" in page
    assert "/brand/0ea5e9-" in page
    await change(database, "Southwind", "#22c55e")

    async def follows() -> bool:
        text = (await client.get("/sign-in")).text
        return "· Southwind</title>" in text and "/brand/22c55e-" in text

    await until(follows, 30)


async def test_the_environment_goes_before(database: Database, make_app: MakeApp, make_client: MakeClient) -> None:
    await change(database, "Northwind", "#0ea5e9")
    client = await make_client(app=await make_app(company_name="Eastwind"))
    page = (await client.get("/sign-in")).text
    assert "· Eastwind</title>" in page
    assert "/brand/0ea5e9-" in page


async def test_every_process_serves_every_companys_files(client: Client) -> None:
    """A page of a process that heard of a change earlier asks one that did not."""
    files = BrandFiles.of("#b91c1c", "Ünique")
    sheet, icon = await client.get(files.sheet_url), await client.get(files.icon_url)
    assert (sheet.status_code, sheet.text) == (200, files.sheet)
    assert (icon.status_code, icon.text) == (200, files.icon)
    assert "immutable" in sheet.headers["cache-control"]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("b91c1c-0000000000.css", 200),
        ("b91c1c.css", 404),
        ("B91C1C-0000000000.css", 404),
        ("b91c1c-ff-0000000000.svg", 404),
    ],
)
async def test_names_that_no_page_has(client: Client, name: str, status: int) -> None:
    answer = await client.get(f"/brand/{name}")
    assert answer.status_code == status
    assert "immutable" not in answer.headers["cache-control"]
