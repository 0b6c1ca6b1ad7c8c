"""Growing delays: per account and address together, and per address. A stranger cannot lock anybody out."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from hostwright.app import App
from hostwright.core.db import Command, Database
from tests.support.app import PASSWORD, Client, MakeApp, MakeClient, Makers, Person, refused

HERE, ELSEWHERE = "203.0.113.5", "198.51.100.7"

pass_time = Command("update sign_in_failures set next_at = next_at - $1::interval, last_at = last_at - $1::interval")


@pytest.fixture
async def ada(makers: Makers) -> Person:
    return await makers.user("ada")


@pytest.fixture
async def here(make_client: MakeClient) -> Client:
    return await make_client(HERE)


async def attempt(client: Client, name: str = "ada", password: str = "wrong-password", **headers: str) -> int:
    answer = await client.post("/api/auth/login", json={"username": name, "password": password}, headers=headers)
    return answer.status_code


async def refusal(client: Client, name: str = "ada") -> httpx.Response:
    answer = await client.post("/api/auth/login", json={"username": name, "password": PASSWORD})
    refused(answer, 429, "rate_limited")
    return answer


async def later(database: Database, **time: float) -> None:
    async with database.transaction() as tx:
        await pass_time.run(tx, timedelta(**time))


async def test_five_are_free_then_each_waits_twice_as_long(here: Client, ada: Person, database: Database) -> None:
    assert [await attempt(here) for _ in range(5)] == [401] * 5
    waits: list[int] = []
    for _ in range(10):
        waits.append(int((await refusal(here)).headers["retry-after"]))
        await later(database, seconds=waits[-1])
        assert await attempt(here) == 401
    wanted = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    # A wait is told as it is when it is asked for: on a busy machine some seconds of it have passed.
    assert [want - wait in range(5) for want, wait in zip(wanted, waits, strict=True)] == [True] * 10, waits


async def test_the_right_password_waits_as_well(here: Client, ada: Person, database: Database) -> None:
    """Otherwise the wait would tell whether the password was right."""
    for _ in range(5):
        await attempt(here)
    assert await attempt(here, password=PASSWORD) == 429
    async with database.acquire() as db:
        assert await db.fetch("select 1 from sessions") == []
    await later(database, seconds=1)
    assert await attempt(here, password=PASSWORD) == 200


async def test_a_stranger_elsewhere_locks_nobody_out(make_client: MakeClient, ada: Person, database: Database) -> None:
    stranger = await make_client(ELSEWHERE)
    for _ in range(12):
        await attempt(stranger)
        await later(database, milliseconds=500)
    assert await attempt(stranger) == 429
    assert await attempt(await make_client(HERE), password=PASSWORD) == 200


async def test_a_good_sign_in_forgets_the_failures_here(here: Client, ada: Person, database: Database) -> None:
    for _ in range(4):
        await attempt(here)
    assert await attempt(here, password=PASSWORD) == 200
    here.cookies.clear()
    assert [await attempt(here) for _ in range(5)] == [401] * 5
    assert await attempt(here) == 429


async def test_good_sign_ins_do_not_use_up_the_address(here: Client, ada: Person) -> None:
    for _ in range(35):
        assert await attempt(here, password=PASSWORD) == 200
        here.cookies.clear()


async def test_an_address_may_fail_thirty_times_over_all_names(
    here: Client, make_client: MakeClient, ada: Person
) -> None:
    assert [await attempt(here, f"name-{number}") for number in range(30)] == [401] * 30
    assert await attempt(here, "one-more") == 429
    assert await attempt(here, "ada", PASSWORD) == 429
    assert await attempt(await make_client(ELSEWHERE), "ada", PASSWORD) == 200


async def test_a_name_that_does_not_exist_is_counted_like_one_that_does(here: Client, ada: Person) -> None:
    for name in ("ada", "nobody", "nobody@example.com"):
        assert [await attempt(here, name) for _ in range(6)] == [401] * 5 + [429]


async def test_case_makes_no_other_account(here: Client, ada: Person) -> None:
    names = ("ada", "ADA", "Ada", "aDa", "adA")
    assert [await attempt(here, name) for name in names] == [401] * 5
    assert await attempt(here, "AdA") == 429


async def test_an_hour_forgives(here: Client, ada: Person, database: Database) -> None:
    for _ in range(5):
        await attempt(here)
    await later(database, minutes=61)
    assert [await attempt(here) for _ in range(5)] == [401] * 5
    assert await attempt(here) == 429


async def test_many_at_once_do_not_slip_through(here: Client, ada: Person) -> None:
    statuses = await asyncio.gather(*(attempt(here) for _ in range(25)))
    assert 5 <= statuses.count(401) <= 7  # one more for each second that it takes on a busy machine
    assert statuses.count(429) == 25 - statuses.count(401)


async def test_two_processes_share_the_count(make_app: MakeApp, make_client: MakeClient, ada: Person) -> None:
    clients = [await make_client(HERE, app=await make_app()) for _ in range(2)]
    assert [await attempt(clients[number % 2]) for number in range(5)] == [401] * 5
    assert [await attempt(client) for client in clients] == [429, 429]


async def test_an_ipv6_host_counts_as_its_network(make_client: MakeClient, ada: Person) -> None:
    neighbours = [await make_client(f"2001:db8:1:2::{number:x}") for number in range(1, 7)]
    assert [await attempt(client) for client in neighbours] == [401] * 5 + [429]
    assert await attempt(await make_client("2001:db8:1:3::1")) == 401


async def test_a_forwarded_address_counts_only_from_a_trusted_proxy(
    here: Client, make_app: MakeApp, make_client: MakeClient, ada: Person
) -> None:
    spoofed = [await attempt(here, **{"X-Forwarded-For": f"192.0.2.{number}"}) for number in range(6)]
    assert spoofed == [401] * 5 + [429]
    behind: App = await make_app(trusted_proxies=("10.0.0.0/8",))
    proxy = await make_client("10.0.0.9", app=behind)
    real = [await attempt(proxy, "bob", **{"X-Forwarded-For": f"192.0.2.{number}"}) for number in range(6)]
    assert real == [401] * 6
    pretended = [
        await attempt(proxy, "eve", **{"X-Forwarded-For": f"192.0.2.{number}, 198.51.100.1"}) for number in range(6)
    ]
    assert pretended == [401] * 5 + [429]


async def test_the_form_waits_too(here: Client, ada: Person) -> None:
    pages = [await here.post("/sign-in", data={"username": "ada", "password": "wrong-password"}) for _ in range(6)]
    assert [page.status_code for page in pages] == [422] * 5 + [429]
    assert "Too many tries" in pages[-1].text
    assert 'value="ada"' in pages[-1].text


async def test_counts_name_nobody_in_clear(here: Client, ada: Person, database: Database) -> None:
    await attempt(here)
    async with database.acquire() as db:
        keys = [bytes(row["key"]) for row in await db.fetch("select key from sign_in_failures")]
    assert [len(key) for key in keys] == [32, 32]
    assert all(b"ada" not in key and HERE.encode() not in key for key in keys)


async def test_a_name_written_in_many_ways_is_one_account(here: Client, makers: Makers) -> None:
    await makers.user("ismini")
    forms = ["ismini", "ISMINI", "Ismini", "isminI", "IsMiNi"]
    assert [await attempt(here, name) for name in forms] == [401] * 5
    for name in ("iSMINI", "ismini@example.com"):
        await refusal(here, name)
