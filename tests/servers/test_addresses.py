"""Who had this address then: exact, in a network, at a moment, over a time; and who asked."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

import msgspec
import pytest

from hostwright.core.db import Command, Database, Query, Scalar
from hostwright.core.errors import Invalid
from hostwright.servers.queries.addresses import Held
from hostwright.servers.service.addresses import read_question
from tests.support.app import Client, KeyClient, Makers, Person, SignIn, problems

API = "/api/admin/addresses"
PAGE = "/admin/addresses"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
insert = Scalar(
    int,
    """insert into server_addresses (server_id, address, version, customer_id, first_seen_at, last_seen_at, released_at)
    values ($1, $2, $3, $4, $5, $5, $6) returning id""",
)
many = Command(
    """insert into server_addresses (server_id, address, version, customer_id, first_seen_at, last_seen_at)
    select $1, '10.' || (n / 65536) || '.' || (n / 256 % 256) || '.' || (n % 256), 4, null, now(), now()
    from generate_series(0, 99999) n"""
)


class Line(msgspec.Struct, frozen=True):
    action: str
    actor_label: str
    object_id: str | None
    detail: dict[str, Any]


audited = Query(Line, "select action, actor_label, object_id, detail from audit_log order by id")


class History:
    """A server that changed hands, one that is gone, one with a subnet."""

    def __init__(self, database: Database, makers: Makers, ada: Person, charles: Person) -> None:
        self.database = database
        self.makers = makers
        self.ada = ada
        self.charles = charles

    async def furnish(self) -> History:
        self.moved = await self.makers.server(self.charles.customer_id, "moved")
        self.gone = await self.makers.server(self.ada.customer_id, "<b>gone</b>", state="gone", power="unknown")
        self.six = await self.makers.server(self.ada.customer_id, "six")
        await self.held(self.moved, "192.0.2.7", self.ada.customer_id, 100, 50)
        await self.held(self.moved, "192.0.2.7", self.charles.customer_id, 50, None)
        await self.held(self.gone, "192.0.2.8", self.ada.customer_id, 90, 10)
        await self.held(self.gone, "192.0.20.8", None, 90, 10)
        await self.held(self.six, "2001:db8:7::/64", self.ada.customer_id, 60, None)
        await self.held(self.six, "no address at all", self.ada.customer_id, 60, None)
        return self

    async def held(self, server: int, address: str, customer: int | None, since: int, until: int | None) -> None:
        """``since`` and ``until`` in days before now."""
        async with self.database.transaction() as tx:
            released = None if until is None else self.ago(until)
            await insert.value(tx, server, address, 6 if ":" in address else 4, customer, self.ago(since), released)

    @staticmethod
    def ago(days: float) -> datetime:
        return datetime.now(UTC) - timedelta(days=days)

    async def lines(self) -> list[Line]:
        async with self.database.acquire() as db:
            return await audited.all(db)


@pytest.fixture
async def history(database: Database, makers: Makers, owner: Person, stranger: Person) -> History:
    return await History(database, makers, owner, stranger).furnish()


@pytest.fixture
async def boss(sign_in: SignIn, staff: Person) -> Client:
    return await sign_in(staff)


async def ask(boss: Client, address: str, **more: str) -> list[dict[str, Any]]:
    answer = await boss.get(API, params={"address": address, "reason": "abuse 4711", **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_who_had_it_at_a_moment(boss: Client, history: History) -> None:
    then = await ask(boss, "192.0.2.7", at=f"{history.ago(70):%Y-%m-%dT%H:%M:%SZ}")
    assert [(one["customerId"], one["until"] is None) for one in then] == [(history.ada.customer_id, False)]
    now = await ask(boss, "192.0.2.7", at=f"{history.ago(0.01):%Y-%m-%d %H:%M}")
    assert [(one["customerId"], one["until"]) for one in now] == [(history.charles.customer_id, None)]
    assert await ask(boss, "192.0.2.7", at="2020-01-01") == []


async def test_on_the_day_it_changed_hands_both_had_it(boss: Client, history: History) -> None:
    day = await ask(boss, "192.0.2.7", at=f"{history.ago(50):%Y-%m-%d}")
    assert [one["customerId"] for one in day] == [history.charles.customer_id, history.ada.customer_id]


async def test_over_a_period_and_ever(boss: Client, history: History) -> None:
    early = await ask(boss, "192.0.2.7", to=f"{history.ago(60):%Y-%m-%d}")
    assert [one["customerId"] for one in early] == [history.ada.customer_id]
    late = await ask(boss, "192.0.2.7", **{"from": f"{history.ago(40):%Y-%m-%d}"})
    assert [one["customerId"] for one in late] == [history.charles.customer_id]
    assert len(await ask(boss, "192.0.2.7")) == 2
    assert await ask(boss, "192.0.2.70") == [], "an address is no text that begins alike"


async def test_a_network_finds_what_is_in_it(boss: Client, history: History) -> None:
    found = await ask(boss, "192.0.2.0/24")
    assert [one["address"] for one in found] == ["192.0.2.7", "192.0.2.8", "192.0.2.7"]
    assert [one["address"] for one in await ask(boss, "192.0.0.0/16")].count("192.0.20.8") == 1
    assert [one["serverState"] for one in await ask(boss, "192.0.2.8/32")] == ["gone"]


@pytest.mark.parametrize("asked", ["2001:db8:7::1", "2001:DB8:7:0:ffff::5", "2001:db8:7::/64", "2001:db8::/32"])
async def test_an_address_within_a_subnet_finds_who_has_the_subnet(boss: Client, history: History, asked: str) -> None:
    assert [(one["address"], one["serverName"]) for one in await ask(boss, asked)] == [("2001:db8:7::/64", "six")]
    assert await ask(boss, "2001:db8:8::1") == []


async def test_every_look_is_written_down_with_its_reason(boss: Client, history: History, staff: Person) -> None:
    await ask(boss, "192.0.2.7", reason="  abuse\n4711 ")
    await boss.get(PAGE, params={"address": "192.0.2.0/24", "reason": "court order"})
    await boss.get(f"{PAGE}.csv", params={"address": "192.0.2.7", "reason": "file"})
    assert [(line.action, line.actor_label, line.object_id) for line in await history.lines()] == [
        ("address.looked_up", staff.full_name, "192.0.2.7"),
        ("address.looked_up", staff.full_name, "192.0.2.0/24"),
        ("address.looked_up", staff.full_name, "192.0.2.7"),
    ]
    assert [line.detail["reason"] for line in await history.lines()] == ["abuse 4711", "court order", "file"]
    assert [line.detail["found"] for line in await history.lines()] == [2, 3, 2]


async def test_without_a_reason_nothing_is_told(boss: Client, history: History) -> None:
    answer = await boss.get(API, params={"address": "192.0.2.7"})
    assert set(problems(answer)) == {"reason"}
    shown = await boss.get(PAGE, params={"address": "192.0.2.7", "at": "2026-01-01", "reason": "  "})
    assert shown.status_code == 422
    assert "Say why you ask." in shown.text
    assert "moved" not in shown.text
    blank = await boss.get(PAGE, params={"address": "192.0.2.7"})
    assert (blank.status_code, "moved" in blank.text) == (200, False), "only the form, filled in"
    assert 'value="192.0.2.7"' in blank.text
    assert await history.lines() == []


HOSTILE = [
    "",
    "300.1.2.3",
    "192.0.2",
    "192.0.2.7;drop table servers",
    "fe80::1%eth0",
    "::ffff:192.0.2.7/33333",
    "192.0.2.7/-1",
    "0.0.0.0/0",
    "10.0.0.0/8",
    "2001:db8::/16",
    "\x00",
    "' or 1=1 --",
    "1" * 60,
    "１９２.0.2.7",  # noqa: RUF001  digits that are none of an address
]


@pytest.mark.parametrize("address", HOSTILE)
async def test_what_is_no_address_is_refused(boss: Client, history: History, address: str) -> None:
    answer = await boss.get(API, params={"address": address, "reason": "x"})
    assert set(problems(answer)) == {"address"}
    assert (await boss.get(PAGE, params={"address": address, "reason": "x"})).status_code == 422
    assert await history.lines() == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"at": "2031-01-01"}, "at"),
        ({"at": "yesterday"}, "at"),
        ({"at": "0001-01-01T00:00:00+23:59"}, "at"),
        ({"at": "2026-02-30"}, "at"),
        ({"from": "2031-01-01"}, "from"),
        ({"from": "2026-03-01", "to": "2026-02-01"}, "to"),
        ({"reason": "x" * 301}, "reason"),
    ],
)
def test_times_that_make_no_sense_are_refused(values: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_question({"address": "192.0.2.7", "reason": "x", **values}, NOW)
    assert [problem.field for problem in caught.value.problems] == [field]


def test_times_are_read_in_utc_and_a_day_is_whole() -> None:
    def held(**values: str) -> Held:
        return read_question({"address": " 192.0.2.7 ", "reason": "x", **values}, NOW).held

    moment = datetime(2026, 1, 31, 14, 5, tzinfo=UTC)
    assert held(at="2026-01-31 14:05") == Held("192.0.2.7", moment, moment)
    assert held(at="2026-01-31T15:05+01:00") == Held("192.0.2.7", moment, moment)
    day = held(at="2026-01-31")
    assert day.start == datetime(2026, 1, 31, tzinfo=UTC)
    assert day.end == datetime(2026, 2, 1, tzinfo=UTC) - timedelta(microseconds=1)
    assert held(at="2026-11-24").end == NOW, "today ends now"
    assert held(to="2027-01-01") == Held("192.0.2.7", None, NOW)


async def test_the_page_and_its_file(boss: Client, history: History) -> None:
    query = {"address": "192.0.2.0/24", "reason": "abuse & <b>more</b>"}
    page = await boss.get(PAGE, params=query)
    assert page.status_code == 200
    assert "&lt;b&gt;gone&lt;/b&gt;" in page.text
    assert "<b>more</b>" not in page.text
    answer = await boss.get(f"{PAGE}.csv", params=query)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(line["address"], line["server"]) for line in lines] == [
        ("192.0.2.7", "moved"),
        ("192.0.2.8", "<b>gone</b>"),
        ("192.0.2.7", "moved"),
    ]
    assert lines[0]["until"] == ""


async def test_customers_see_nothing_of_it(
    sign_in: SignIn, api_key: KeyClient, history: History, staff: Person
) -> None:
    ada = await sign_in(history.ada)
    query = {"address": "192.0.2.7", "reason": "x"}
    for path in (API, PAGE, f"{PAGE}.csv"):
        assert (await ada.get(path, params=query)).status_code == 403
    program = await api_key(history.ada, "read:servers")
    assert (await program.get(API, params=query)).status_code == 403
    assert (await (await api_key(staff, "write:servers")).get(API, params=query)).status_code == 403
    assert await history.lines() == []
    assert len((await (await api_key(staff, "read:servers")).get(API, params=query)).json()["items"]) == 2


@pytest.mark.long
async def test_100_000_addresses_cost_no_more(boss: Client, database: Database, history: History) -> None:
    async def fastest() -> float:
        took: list[float] = []
        for _ in range(5):
            begun = perf_counter()
            assert len(await ask(boss, "192.0.2.7")) == 2
            took.append(perf_counter() - begun)
        return min(took)

    few = await fastest()
    async with database.transaction() as tx:
        await many.run(tx, history.moved)
        await tx.execute("analyze server_addresses")
    assert len(await ask(boss, "10.1.134.0/23")) == 20
    assert await fastest() < 3 * few + 0.05
