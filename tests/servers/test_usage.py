"""Usage: sampled while somebody looks, rates without lies, gaps that stay gaps, thinned out with age."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from hostwright.core.clock import SystemClock
from hostwright.core.db import Database, Query, Scalar
from hostwright.core.providers import Power, ResourceSample
from hostwright.servers.queries.usage import LookRow, look_of
from hostwright.servers.schemas.usage import Range
from hostwright.servers.service.usage import look_at, store_sample, take_sample, tidy_samples, usage_of
from tests.support.app import App, Makers, Person, SignIn, problems, refused
from tests.support.simulator import RunningSimulator, running_simulator

from .helpers import HandClock
from .simulated import Place, settle

jobs = Scalar(int, "select count(*) from pgqueuer where entrypoint = 'servers.sample'")
count = Scalar(int, "select count(*) from server_samples where server_id = $1")
spans = Scalar(int, "select span from server_samples where server_id = $1 order by taken_at")


class KeptRow(msgspec.Struct, frozen=True):
    cpu_percent: float | None
    disk_read_bytes: int | None


kept_rows = Query(
    KeptRow, "select cpu_percent, disk_read_bytes from server_samples where server_id = $1 order by taken_at"
)
age_look = Scalar(
    int,
    """update server_looks set asked_at = asked_at - $2::interval, failing_since = failing_since - $2::interval
    where server_id = $1 returning server_id""",
)


def sample(
    cpu: float | None = 10.0, *, read: int | None = 0, written: int | None = 0, used: int | None = 512
) -> ResourceSample:
    return ResourceSample(
        power=Power.RUNNING,
        cpu_percent=cpu,
        memory_used_mib=used,
        memory_mib=2048,
        disk_read_bytes=read,
        disk_written_bytes=written,
        disk_used_gib=None,
        disk_gib=40.0,
    )


@pytest.fixture
async def vendor() -> AsyncIterator[RunningSimulator]:
    async with running_simulator() as found:
        yield found


@pytest.fixture
async def place(database: Database, makers: Makers, vendor: RunningSimulator, owner: Person) -> Place:
    return await settle(database, makers, vendor, owner)


async def put(database: Database, server_id: int, at: datetime, what: ResourceSample) -> None:
    async with database.transaction() as tx:
        assert await store_sample(tx, server_id, at, what)


async def look(database: Database, server_id: int) -> LookRow:
    async with database.acquire() as db:
        return await look_of.one(db, server_id)


async def asked(database: Database) -> int:
    async with database.acquire() as db:
        return await jobs.value(db)


async def run(app: App, place: Place) -> bool:
    assert app.providers is not None
    return await take_sample(app.services.database, app.providers, SystemClock(), place.server_id)


async def test_whoever_looks_it_is_sampled_once_in_ten_seconds(
    app: App, sign_in: SignIn, owner: Person, staff: Person, place: Place, database: Database
) -> None:
    ada, grace = await sign_in(owner), await sign_in(staff)
    addresses = [f"/servers/{place.server_id}/usage", f"/servers/{place.server_id}/usage/live?range=1h"] * 3
    answers = await asyncio.gather(
        *(ada.get(address) for address in addresses),
        grace.get(f"/admin/servers/{place.server_id}/usage"),
        grace.get(f"/api/admin/servers/{place.server_id}/usage"),
        ada.get(f"/api/user/servers/{place.server_id}/usage"),
    )
    assert {answer.status_code for answer in answers} == {200}
    assert await asked(database) == 1
    assert "No samples yet" in answers[0].text

    assert await run(app, place)
    found = (await ada.get(f"/api/user/servers/{place.server_id}/usage")).json()
    assert (found["range"], found["stepSeconds"], len(found["points"])) == ("1h", 30, 120)
    last = [point for point in found["points"] if point["cpuPercent"] is not None]
    assert len(last) == 1
    assert last[0]["memoryMib"] > 0
    assert last[0]["diskReadBytesPerSecond"] is None
    assert found["silentSince"] is None
    assert "Samples are taken every ten seconds" in (await ada.get(addresses[0])).text
    async with database.transaction() as tx:
        await age_look.value(tx, place.server_id, timedelta(seconds=10))
    await ada.get(addresses[1])
    assert await asked(database) == 1  # the first one still waits: a second would do nothing more
    assert (await look(database, place.server_id)).sampled_at is not None


async def test_nobody_else_reads_it_or_has_it_sampled(
    sign_in: SignIn, stranger: Person, place: Place, database: Database
) -> None:
    charles = await sign_in(stranger)
    refused(await charles.get(f"/api/user/servers/{place.server_id}/usage"), 404, "not_found")
    assert (await charles.get(f"/servers/{place.server_id}/usage")).status_code == 404
    assert (await charles.get(f"/servers/{place.server_id}/usage/live")).status_code == 404
    refused(await charles.get(f"/api/admin/servers/{place.server_id}/usage"), 403, "forbidden")
    assert await asked(database) == 0


async def test_a_job_that_comes_late_asks_nobody(app: App, place: Place, database: Database) -> None:
    async with database.transaction() as tx:
        assert await look_at(tx, place.server_id)
        await age_look.value(tx, place.server_id, timedelta(minutes=2))
    place.vendor.forget()
    assert not await run(app, place)
    assert place.vendor.requests(f"/servers/{place.external_id}") == []


@pytest.mark.parametrize("state", ["suspended", "building", "failed", "gone"])
async def test_only_active_servers_are_sampled(
    sign_in: SignIn, owner: Person, makers: Makers, database: Database, state: str
) -> None:
    server_id = await makers.server(owner.customer_id, state=state, power="unknown")
    ada = await sign_in(owner)
    page = await ada.get(f"/servers/{server_id}/usage")
    assert page.status_code == 200
    assert "No samples are taken in this state" in page.text
    assert await asked(database) == 0


async def test_a_vendor_that_is_away_leaves_the_history(
    app: App, sign_in: SignIn, owner: Person, place: Place, database: Database
) -> None:
    ada = await sign_in(owner)
    await put(database, place.server_id, datetime.now(UTC) - timedelta(minutes=5), sample(33.0))
    address = f"/servers/{place.server_id}/usage"
    await ada.get(address)
    place.vendor.faults([{"mode": "status", "status": 503}])
    assert not await run(app, place)
    first = (await look(database, place.server_id)).failing_since
    assert first is not None
    assert "has not answered since" not in (await ada.get(address)).text  # one lost call says nothing
    async with database.transaction() as tx:
        await age_look.value(tx, place.server_id, timedelta(minutes=1))
    page = (await ada.get(address)).text
    assert "VirtFusion has not answered since" in page
    assert "33\u00a0%" in page
    assert not await run(app, place)
    assert (await look(database, place.server_id)).failing_since == first - timedelta(minutes=1)
    place.vendor.faults([])
    api = (await ada.get(f"/api/user/servers/{place.server_id}/usage")).json()
    assert api["silentSince"] is not None


async def test_a_server_that_is_off_says_so(sign_in: SignIn, owner: Person, makers: Makers) -> None:
    server_id = await makers.server(owner.customer_id, power="stopped")
    page = (await (await sign_in(owner)).get(f"/servers/{server_id}/usage")).text
    assert "This server is off, so there is nothing to measure." in page


async def test_the_calls_of_a_connection_are_kept(app: App, place: Place, database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute("update connections set calls_per_minute = 6")
        await look_at(tx, place.server_id)
    assert await run(app, place)
    place.vendor.forget()
    assert not await run(app, place)
    assert place.vendor.requests() == []
    assert (await look(database, place.server_id)).failing_since is None


async def test_what_tells_nothing_is_not_kept(place: Place, database: Database) -> None:
    nothing = ResourceSample(Power.STOPPED, None, None, 2048, None, None, None, 40.0)
    async with database.transaction() as tx:
        assert not await store_sample(tx, place.server_id, datetime.now(UTC), nothing)
        assert await count.value(tx, place.server_id) == 0
        assert not await store_sample(tx, 10**12, datetime.now(UTC), sample())


async def test_a_vendor_that_counts_beyond_measure_breaks_nothing(place: Place, database: Database) -> None:
    now = datetime.now(UTC)
    for age in (20, 10):
        await put(database, place.server_id, now - timedelta(seconds=age), sample(1e30, read=2**70 - age, used=2**70))
    async with database.acquire() as db:
        found = await usage_of(db, place.server_id, Range.HOUR)
    seen = [point for point in found.points if point.cpu_percent is not None]
    assert {point.memory_used_mib for point in seen} == {float(2**62)}
    assert {point.read_rate for point in seen} <= {0.0, None}


async def test_rates_begin_anew_with_the_counters_and_gaps_stay_gaps(place: Place, database: Database) -> None:
    clock = HandClock()  # noon
    begin = clock.time - timedelta(minutes=30)
    for at, read, written in (
        (0, 0, 1_000),
        (10, 10_000, 1_000),
        (20, 30_000, 2_000),
        (30, 500, 100),  # started anew
        (40, 1_500, 100),
        (340, 900_000, 900_000),  # nobody looked for five minutes
        (350, 901_000, 900_000),
    ):
        await put(database, place.server_id, begin + timedelta(seconds=at), sample(read=read, written=written))
    async with database.acquire() as db:
        found = await usage_of(db, place.server_id, Range.HOUR, clock=clock)
    seen = {int((point.at - begin).total_seconds()): point for point in found.points if point.cpu_percent is not None}
    assert sorted(seen) == [0, 30, 330]
    assert (seen[0].read_rate, seen[0].write_rate) == (1_500.0, 50.0)
    assert (seen[30].read_rate, seen[30].write_rate) == (100.0, 0.0)
    assert (seen[330].read_rate, seen[330].write_rate) == (100.0, 0.0)
    assert all(rate is None or rate >= 0 for point in found.points for rate in (point.read_rate, point.write_rate))
    assert len(found.points) == 120
    assert found.points[-1].at == clock.time


@pytest.mark.parametrize(("wanted", "points"), [("1h", 120), ("6h", 180), ("24h", 144), ("7d", 168), ("30d", 180)])
async def test_every_range_is_whole(place: Place, database: Database, wanted: str, points: int) -> None:
    now = datetime.now(UTC)
    await put(database, place.server_id, now, sample(50.0))
    async with database.acquire() as db:
        found = await usage_of(db, place.server_id, Range(wanted))
    assert len(found.points) == points
    assert found.points[-1].cpu_percent == 50.0
    assert found.points[-1].at <= now < found.points[-1].at + found.step
    assert {later.at - earlier.at for earlier, later in zip(found.points, found.points[1:], strict=False)} == {
        found.step
    }


async def test_what_is_older_is_thinned_out_and_then_forgotten(place: Place, database: Database) -> None:
    clock = HandClock()
    ages = {
        "fresh": timedelta(minutes=30),
        "hours": timedelta(hours=5),
        "days": timedelta(days=3),
        "forgotten": timedelta(days=31),
    }
    async with database.transaction() as tx:
        for age in ages.values():
            await tx.execute(
                """insert into server_samples (server_id, taken_at, cpu_percent, memory_used_mib, disk_read_bytes)
                select $1, $2::timestamptz + n * interval '10 seconds', n, 100, n * 1000
                from generate_series(0, 119) n""",
                place.server_id,
                clock.time - age,
            )
    await tidy_samples(database, clock)
    async with database.acquire() as db:
        found = await spans.all(db, place.server_id)
        assert found == [600] * 2 + [60] * 20 + [10] * 120
        rows = await kept_rows.all(db, place.server_id)
    assert [(row.cpu_percent, row.disk_read_bytes) for row in rows[:2]] == [(29.5, 59_000), (89.5, 119_000)]
    assert (rows[2].cpu_percent, rows[2].disk_read_bytes) == (2.5, 5_000)
    await tidy_samples(database, clock)
    async with database.acquire() as db:
        assert await kept_rows.all(db, place.server_id) == rows


async def test_many_are_thinned_out_in_parts(place: Place, database: Database) -> None:
    clock = HandClock()
    async with database.transaction() as tx:
        await tx.execute(
            """insert into server_samples (server_id, taken_at, cpu_percent)
            select $1, $2::timestamptz + n * interval '30 seconds', 1 from generate_series(0, 22000) n""",
            place.server_id,
            clock.time - timedelta(days=12),
        )
    await tidy_samples(database, clock)
    async with database.acquire() as db:
        assert await count.value(db, place.server_id) == 1101
        assert set(await spans.all(db, place.server_id)) == {600}


async def test_a_bad_range(sign_in: SignIn, owner: Person, place: Place) -> None:
    ada = await sign_in(owner)
    assert set(problems(await ada.get(f"/api/user/servers/{place.server_id}/usage?range=2y"))) == {"range"}
    page = await ada.get(f"/servers/{place.server_id}/usage?range=<b>")
    assert page.status_code == 200
    assert "<b>" not in page.text


async def test_staff_read_the_traffic_of_any_server(
    sign_in: SignIn, owner: Person, staff: Person, place: Place
) -> None:
    grace = await sign_in(staff)
    theirs = (await (await sign_in(owner)).get(f"/api/user/servers/{place.server_id}/traffic")).json()
    assert theirs["periods"]
    found = (await grace.get(f"/api/admin/servers/{place.server_id}/traffic")).json()
    assert [(each["start"], each["limitGb"]) for each in found["periods"]] == [
        (each["start"], each["limitGb"]) for each in theirs["periods"]
    ]
    refused(await grace.get("/api/admin/servers/999999999/traffic"), 404, "not_found")
