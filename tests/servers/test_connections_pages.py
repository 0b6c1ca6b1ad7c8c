"""Staff attach, check, change, switch and remove control systems, over pages and the API, against a simulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from hostwright.core.db import Command, Database, Query, Scalar
from hostwright.core.limits import check_limit
from hostwright.servers.queries import connections_admin as admin
from hostwright.servers.service.common import call_budget
from hostwright.servers.service.connections_admin import usual_url
from hostwright.servers.views.connections_admin import spent_calls
from tests.support.app import NOWHERE, Client, Makers, Person, SignIn, problems, refused
from tests.support.simulator import RunningSimulator, running_simulator

API = "/api/admin/connections"
PAGES = "/admin/connections"


class Line(msgspec.Struct, frozen=True):
    action: str
    actor_label: str
    object_id: str | None
    detail: dict[str, Any]


audited = Query(Line, "select action, actor_label, object_id, detail from audit_log order by id")
queued = Scalar(str, "select entrypoint from pgqueuer order by entrypoint")
count = Scalar(int, "select count(*) from connections")
tokens = Scalar(bytes, "select token from connections order by id")
probed = Scalar(str, "select area || ':' || ok from connection_probes where connection_id = $1 order by position")
went_wrong = Command("update connections set last_error = 'VirtFusion is away.', last_error_at = now() where id = $1")


@pytest.fixture
async def vendor() -> AsyncIterator[RunningSimulator]:
    async with running_simulator() as found:
        yield found


@pytest.fixture
async def boss(sign_in: SignIn, staff: Person) -> Client:
    return await sign_in(staff)


def wish(vendor: RunningSimulator, **changes: Any) -> dict[str, Any]:
    return {"name": "Amsterdam", "baseUrl": vendor.url, "token": vendor.token, **changes}


def form(vendor: RunningSimulator, **changes: str) -> dict[str, str]:
    values = {
        "name": "Amsterdam",
        "baseUrl": vendor.url,
        "token": vendor.token,
        "callsPerMinute": "60",
        "verifyTls": "true",
    }
    return values | changes


async def lines(database: Database) -> list[Line]:
    async with database.acquire() as db:
        return await audited.all(db)


async def value(database: Database, query: Scalar[Any], *arguments: Any) -> Any:
    async with database.acquire() as db:
        return await query.value(db, *arguments)


async def every(database: Database, query: Scalar[Any], *arguments: Any) -> list[Any]:
    async with database.acquire() as db:
        return await query.all(db, *arguments)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://CP.example.com/", "https://cp.example.com"),
        ("https://cp.example.com/api/v1", "https://cp.example.com"),
        ("https://cp.example.com/api/v1/", "https://cp.example.com"),
        ("  http://192.0.2.1:8443/virtfusion/api/v1 ", "http://192.0.2.1:8443/virtfusion"),
        ("https://[2001:db8::1]:443/", "https://[2001:db8::1]:443"),
    ],
)
def test_an_address_is_kept_in_one_form(text: str, kept: str) -> None:
    assert usual_url(text) == kept


HOSTILE = [
    "ftp://cp.example.com",
    "cp.example.com",
    "javascript:alert(1)",
    "https://",
    "https://user:word@cp.example.com",
    "https://cp.example.com?x=1",
    "https://cp.example.com#x",
    "https://cp.example.com:99999",
    "https://cp.example.com\\@evil.example",
    "https://cp.example.com/\r\nX-A: b",
    "https://[::1",
    "https://é.example",
    "x" * 300,
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_wrong_address_is_refused_and_nothing_is_stored(
    boss: Client, database: Database, vendor: RunningSimulator, text: str
) -> None:
    answer = await boss.post(API, json=wish(vendor, baseUrl=text))
    assert list(problems(answer)) == ["baseUrl"]
    shown = await boss.post(PAGES, data=form(vendor, baseUrl=text))
    assert shown.status_code == 422
    assert "field-error" in shown.text
    assert await value(database, count) == 0
    assert vendor.requests() == []


async def test_a_new_connection_is_tested_saved_listed_and_audited(
    boss: Client, database: Database, staff: Person, vendor: RunningSimulator
) -> None:
    answer = await boss.post(API, json=wish(vendor, callsPerMinute=60))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["name"], made["baseUrl"], made["callsPerMinute"]) == ("Amsterdam", vendor.url, 60)
    assert (made["state"], made["enabled"], made["callsAtOnce"]) == ("waiting", True, 10)
    assert all(area["ok"] for area in made["areas"])
    assert vendor.token not in answer.text
    assert await every(database, queued) == ["servers.hypervisors", "servers.mirror"]
    assert vendor.token.encode() not in (await every(database, tokens))[0]
    written = (await lines(database))[-1]
    assert (written.action, written.actor_label, written.object_id) == (
        "connection.added",
        staff.full_name,
        str(made["id"]),
    )
    assert vendor.token not in str(written.detail)


async def test_a_wrong_token_is_not_saved_unless_one_insists(
    boss: Client, database: Database, vendor: RunningSimulator
) -> None:
    answer = await boss.post(API, json=wish(vendor, token="wrong"))
    error = refused(answer, 409, "connection_test_failed")
    assert error["message"].endswith("The connection was not saved; send saveAnyway to save it all the same.")
    assert await value(database, count) == 0
    assert (await boss.post(API, json=wish(vendor, token="wrong", saveAnyway=True))).status_code == 201
    assert await value(database, count) == 1


async def test_a_form_that_fails_says_why_and_never_shows_the_token(
    boss: Client, database: Database, vendor: RunningSimulator
) -> None:
    shown = await boss.post(PAGES, data=form(vendor, token="wrong-secret-token"))
    assert shown.status_code == 422
    assert "The test failed. Nothing was saved." in shown.text
    assert "Save although the test failed" in shown.text
    assert "wrong-secret-token" not in shown.text
    assert vendor.url in shown.text
    assert await value(database, count) == 0
    away = await boss.post(PAGES, data=form(vendor, baseUrl=NOWHERE, anyway="true"))
    assert away.status_code == 303
    page = await boss.get(away.headers["location"])
    assert "Compare the address with the one in your browser." in page.text


async def test_only_the_part_with_the_result_is_answered_to_htmx(boss: Client, vendor: RunningSimulator) -> None:
    headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "div#trial"}
    shown = await boss.post(PAGES, data=form(vendor, token="wrong"), headers=headers)
    assert shown.status_code == 422
    assert shown.text.lstrip().startswith('<div id="trial"')
    assert 'name="token"' not in shown.text, "what was typed stays where it was typed"


async def test_the_same_address_twice_is_warned_of(boss: Client, database: Database, vendor: RunningSimulator) -> None:
    assert (await boss.post(PAGES, data=form(vendor))).status_code == 303
    again = await boss.post(
        PAGES, data=form(vendor, baseUrl=f"{vendor.url.upper().replace('/VIRTFUSION', '/virtfusion')}/")
    )
    assert again.status_code == 422
    assert "This address is attached already." in again.text
    assert await value(database, count) == 1
    assert problems(await boss.post(API, json=wish(vendor))) == {"baseUrl": "is attached already"}
    assert (await boss.post(PAGES, data=form(vendor, twice="true"))).status_code == 303
    assert await value(database, count) == 2


async def test_two_who_attach_the_same_at_once_attach_it_once(
    boss: Client, database: Database, vendor: RunningSimulator
) -> None:
    answers = await asyncio.gather(*(boss.post(API, json=wish(vendor)) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 400, 400, 400]
    assert await value(database, count) == 1


async def attached(boss: Client, vendor: RunningSimulator) -> int:
    answer = await boss.post(API, json=wish(vendor))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_an_empty_token_keeps_the_stored_one(boss: Client, database: Database, vendor: RunningSimulator) -> None:
    number = await attached(boss, vendor)
    before = await every(database, tokens)
    page = await boss.get(f"{PAGES}/{number}/edit")
    assert vendor.token not in page.text
    changed = await boss.post(f"{PAGES}/{number}", data=form(vendor, token="", name="Paris"))
    assert changed.status_code == 303
    assert await every(database, tokens) == before
    read = (await boss.get(f"{API}/{number}")).json()
    assert (read["name"], read["callsPerMinute"]) == ("Paris", 60)
    assert (await lines(database))[-1].detail == {"replaced_access": False}


async def test_the_stored_token_goes_to_no_other_host(
    boss: Client, database: Database, vendor: RunningSimulator
) -> None:
    """Whoever may change an address must not thereby learn the token."""
    number = await attached(boss, vendor)
    async with running_simulator() as other:
        answer = await boss.patch(f"{API}/{number}", json={"baseUrl": other.url, "saveAnyway": True})
        assert problems(answer) == {"token": "is needed again, since the address changed"}
        shown = await boss.post(f"{PAGES}/{number}", data=form(other, token="", anyway="true"))
        assert shown.status_code == 422
        assert "the stored one goes to no other system" in shown.text
        assert other.requests() == []
        assert (await boss.get(f"{API}/{number}")).json()["baseUrl"] == vendor.url
        moved = await boss.patch(f"{API}/{number}", json={"baseUrl": other.url, "token": other.token})
        assert (moved.status_code, moved.json()["baseUrl"]) == (200, other.url)


async def test_of_two_who_change_it_the_second_is_told(boss: Client, vendor: RunningSimulator) -> None:
    number = await attached(boss, vendor)
    page = await boss.get(f"{PAGES}/{number}/edit")
    version = page.text.partition('name="version" value="')[2].partition('"')[0].replace("&#43;", "+")
    first = await boss.post(f"{PAGES}/{number}", data=form(vendor, token="", name="First", version=version))
    assert first.status_code == 303
    second = await boss.post(f"{PAGES}/{number}", data=form(vendor, token="", name="Second", version=version))
    assert second.status_code == 422
    assert "Somebody changed this connection meanwhile." in second.text
    assert (await boss.get(f"{API}/{number}")).json()["name"] == "First"


async def test_a_check_keeps_what_it_found_of_each_area(
    boss: Client, database: Database, vendor: RunningSimulator
) -> None:
    number = await attached(boss, vendor)
    vendor.faults([{"method": "GET", "path": "/packages", "mode": "status", "status": 403, "times": 99}])
    assert (await boss.post(f"{PAGES}/{number}/check")).status_code == 303
    found = dict(line.split(":") for line in await every(database, probed, number))
    assert {area for area, ok in found.items() if ok != "true"} == {"packages"}
    page = await boss.get(f"{PAGES}/{number}")
    assert "edit the token and allow reading and writing for: Packages." in page.text
    vendor.faults([])
    answer = await boss.post("/api/admin/virtfusion/test-connection", json={"connectionId": number})
    assert (answer.status_code, answer.json()["ok"], answer.json()["problem"]) == (200, True, None)
    assert all(line.endswith(":true") for line in await every(database, probed, number))


async def test_a_connection_can_be_tested_before_it_is_stored(
    boss: Client, database: Database, vendor: RunningSimulator
) -> None:
    path = "/api/admin/virtfusion/test-connection"
    good = await boss.post(path, json={"baseUrl": vendor.url, "token": vendor.token, "verifyTls": False})
    assert (good.status_code, good.json()["ok"]) == (200, True)
    bad = (await boss.post(path, json={"baseUrl": vendor.url, "token": "wrong"})).json()
    assert (bad["ok"], bad["areas"][0]["ok"]) == (False, False)
    away = (await boss.post(path, json={"baseUrl": NOWHERE, "token": "x"})).json()
    assert away["problem"] == "VirtFusion cannot be reached: the connection was refused."
    assert await value(database, count) == 0
    assert set(problems(await boss.post(path, json={}))) == {"baseUrl", "token"}
    assert set(problems(await boss.post(path, json={"connectionId": 1, "token": "x"}))) == {"connectionId"}
    refused(await boss.post(path, json={"connectionId": 999}), 404, "not_found")


async def test_off_means_that_nothing_is_asked_and_on_that_it_is_listed(
    boss: Client, database: Database, vendor: RunningSimulator
) -> None:
    number = await attached(boss, vendor)
    assert (await boss.post(f"{PAGES}/{number}/switch-off")).status_code == 303
    assert (await boss.post(f"{PAGES}/{number}/switch-off")).status_code == 303
    page = await boss.get(f"{PAGES}/{number}")
    assert "This connection is switched off." in page.text
    assert (await boss.get(f"{API}/{number}")).json()["state"] == "off"
    # A check says whether switching it on would help.
    tested = await boss.post("/api/admin/virtfusion/test-connection", json={"connectionId": number})
    assert tested.json()["ok"] is True
    assert (await boss.patch(f"{API}/{number}", json={"enabled": True})).json()["enabled"] is True
    told = [line.action for line in await lines(database) if line.action.startswith("connection.switched")]
    assert told == ["connection.switched_off", "connection.switched_on"]


async def test_one_that_carries_servers_cannot_be_removed(
    boss: Client, database: Database, makers: Makers, owner: Person
) -> None:
    number = await makers.connection(NOWHERE)
    await makers.server(owner.customer_id, state="gone", power="unknown")
    refused(await boss.delete(f"{API}/{number}"), 409, "connection_in_use")
    assert (await boss.post(f"{PAGES}/{number}/remove")).status_code == 409
    page = await boss.get(f"{PAGES}/{number}")
    assert "1 gone server" in page.text
    assert "remove-connection" not in page.text
    assert await value(database, count) == 1


async def test_one_that_carries_nothing_is_removed_with_its_token(
    boss: Client, database: Database, vendor: RunningSimulator
) -> None:
    number = await attached(boss, vendor)
    assert (await boss.delete(f"{API}/{number}")).status_code == 204
    assert await value(database, count) == 0
    assert (await lines(database))[-1].action == "connection.removed"
    refused(await boss.delete(f"{API}/{number}"), 404, "not_found")


async def test_the_budget_is_looked_at_without_spending_it(database: Database, makers: Makers) -> None:
    number = await makers.connection(NOWHERE)
    async with database.acquire() as db:
        facts = await admin.facts.one(db, number)
        assert spent_calls(facts) == (0, 100)
        budget = call_budget(number, facts.calls_per_minute)
        for _ in range(40):
            await check_limit(db, budget.key, per=budget.per, burst=budget.burst)
        seen = [spent_calls(await admin.facts.one(db, number))[0] for _ in range(3)]
    assert 30 <= seen[-1] <= seen[0] <= 40


async def test_the_list_says_what_is_wrong_in_words(
    boss: Client, database: Database, makers: Makers, owner: Person, sign_in: SignIn
) -> None:
    good = await makers.connection(NOWHERE, name="<b>Paris</b>")
    bad = await makers.connection(NOWHERE, name="Tokyo")
    async with database.transaction() as tx:
        await went_wrong.run(tx, bad)
    page = await boss.get(PAGES)
    assert "&lt;b&gt;Paris&lt;/b&gt;" in page.text
    assert "VirtFusion is away." in page.text
    states = {one["id"]: one["state"] for one in (await boss.get(API)).json()["items"]}
    assert states == {good: "waiting", bad: "problem"}
    stranger = await sign_in(owner)
    for path in (PAGES, f"{PAGES}/{bad}", f"{PAGES}/{bad}/edit", API):
        assert (await stranger.get(path)).status_code == 403


async def test_no_log_and_no_answer_holds_a_token(
    boss: Client, vendor: RunningSimulator, capsys: pytest.CaptureFixture[str]
) -> None:
    number = await attached(boss, vendor)
    answers: list[httpx.Response] = [
        await boss.get(PAGES),
        await boss.get(f"{PAGES}/{number}"),
        await boss.get(f"{PAGES}/{number}/edit"),
        await boss.get(API),
        await boss.post(f"{PAGES}/{number}", data=form(vendor, name="")),
    ]
    written = capsys.readouterr()
    assert all(vendor.token not in answer.text for answer in answers)
    assert vendor.token not in written.out + written.err


async def test_which_user_would_be_made(
    boss: Client, database: Database, makers: Makers, owner: Person, vendor: RunningSimulator
) -> None:
    number = await makers.connection(vendor.url, vendor.token)
    path = "/api/test-virtfusion-user"
    answer = await boss.post(path, json={"customerId": owner.customer_id})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["connectionId"], told["wouldCreate"], told["present"]) == (number, True, None)
    assert (told["user"]["name"], told["user"]["email"]) == (owner.full_name, owner.email)
    taken = next(iter(vendor.world.users.values()))
    answer = await boss.post(path, json={"customerId": owner.customer_id, "relationId": taken.ext_relation_id})
    assert (answer.json()["wouldCreate"], answer.json()["present"]["externalId"]) == (False, taken.id)
    assert {one.method for one in vendor.requests()} == {"GET"}
    refused(await boss.post(path, json={"customerId": 10**9}), 404, "not_found")
    refused(await boss.post(path, json={"customerId": owner.customer_id, "connectionId": 10**9}), 404, "not_found")
