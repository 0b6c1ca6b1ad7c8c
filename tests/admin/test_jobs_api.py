"""Staff see what waits, what runs and what was given up, run dead jobs again or forget them; everything is audited."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hostwright.core.db import Command, Database, Scalar
from hostwright.core.jobs import Job, Retry, Work, WorkPart, enqueue, runs
from hostwright.core.work import Worker
from tests.support.app import Client, Person, SignIn, problems, refused
from tests.support.rows import until

URL = "/api/admin/jobs"


class Order(msgspec.Struct, frozen=True):
    server_id: int


JOB = Job("tests.order", Order, max_attempts=1)

insert_dead = Scalar(
    int,
    """
    insert into dead_jobs (job_id, name, payload, attempts, error, died_at)
    values (1, $1, '{"server_id": 7}', 3, 'upstream_unavailable: away', now() - $2::interval) returning id
    """,
)
pick = Command("update pgqueuer set status = 'picked', updated = now() where id = (select max(id) from pgqueuer)")


@pytest.fixture
async def boss(sign_in: SignIn, staff: Person) -> Client:
    return await sign_in(staff)


async def dead(database: Database, name: str = "tests.order", minutes: int = 1) -> int:
    async with database.transaction() as tx:
        return await insert_dead.value(tx, name, timedelta(minutes=minutes))


async def put(database: Database, number: int, **options: Any) -> None:
    async with database.transaction() as tx:
        await enqueue(tx, JOB, Order(number), **options)


async def rows(database: Database, sql: str) -> list[Any]:
    async with database.acquire() as db:
        return list(await db.fetch(sql))


# --- lists ---


async def test_dead_ones_stand_first_and_newest_first(boss: Client, database: Database) -> None:
    old, new = await dead(database, minutes=60), await dead(database, minutes=1)
    answer = (await boss.get(URL)).json()
    assert [item["id"] for item in answer["items"]] == [new, old]
    first = answer["items"][0]
    assert first == {
        "id": new,
        "name": "tests.order",
        "state": "dead",
        "attempts": 3,
        "payload": {"server_id": 7},
        "error": "upstream_unavailable: away",
        "stateSince": first["stateSince"],
        "dueAt": None,
    }
    assert answer["statistics"] == {"queued": 0, "running": 0, "dead": 2}
    assert answer["pagination"] == {"page": 1, "pageSize": 20, "total": 2, "totalPages": 1}


async def test_queued_ones_stand_in_the_order_of_the_queue(boss: Client, database: Database) -> None:
    now = datetime.now(UTC)
    for number, minutes in ((1, 30), (2, 10), (3, 20)):
        await put(database, number, run_at=now + timedelta(minutes=minutes))
    answer = (await boss.get(URL, params={"state": "queued"})).json()
    assert [item["payload"]["server_id"] for item in answer["items"]] == [2, 3, 1]
    assert {item["state"] for item in answer["items"]} == {"queued"}
    assert all(item["error"] is None and item["dueAt"] for item in answer["items"])
    assert answer["statistics"] == {"queued": 3, "running": 0, "dead": 0}


async def test_running_ones(boss: Client, database: Database) -> None:
    await put(database, 5)
    async with database.transaction() as tx:
        await pick.run(tx)
    answer = (await boss.get(URL, params={"state": "running"})).json()
    assert [(item["state"], item["payload"]) for item in answer["items"]] == [("running", {"server_id": 5})]
    assert answer["statistics"] == {"queued": 0, "running": 1, "dead": 0}


async def test_pages_of_them(boss: Client, database: Database) -> None:
    ids = [await dead(database, minutes=minutes) for minutes in range(5)]
    first = (await boss.get(URL, params={"pageSize": 2})).json()
    last = (await boss.get(URL, params={"pageSize": 2, "page": 3})).json()
    past = (await boss.get(URL, params={"pageSize": 2, "page": 4})).json()
    assert [item["id"] for item in first["items"]] == ids[:2]
    assert [item["id"] for item in last["items"]] == ids[4:]
    assert past["items"] == []
    assert first["pagination"] == {"page": 1, "pageSize": 2, "total": 5, "totalPages": 3}
    assert set(problems(await boss.get(URL, params={"state": "odd", "page": 0, "pageSize": 0}))) == {
        "state",
        "page",
        "pageSize",
    }


async def test_an_empty_list(boss: Client) -> None:
    answer = (await boss.get(URL)).json()
    assert answer["items"] == []
    assert answer["pagination"]["totalPages"] == 0


# --- replay and discard ---


async def test_replay_puts_it_back_with_its_attempts_counted_anew(
    boss: Client, staff: Person, database: Database
) -> None:
    dead_id = await dead(database)
    answer = await boss.post(f"{URL}/{dead_id}/replay")
    assert (answer.status_code, answer.json()["id"]) == (202, dead_id)
    (job,) = await rows(database, "select entrypoint, convert_from(payload, 'UTF8') as payload, status from pgqueuer")
    assert (job["entrypoint"], job["status"]) == ("tests.order", "queued")
    assert msgspec.json.decode(job["payload"]) == {"server_id": 7}
    assert (await boss.get(URL)).json()["statistics"] == {"queued": 1, "running": 0, "dead": 0}
    assert await rows(database, "select 1 from job_starts") == []
    await audited(database, staff, "job.replayed", dead_id, answer.headers["x-request-id"])


async def audited(database: Database, staff: Person, action: str, dead_id: int, request_id: str) -> None:
    (line,) = await rows(database, "select * from audit_log")
    assert (line["action"], line["outcome"], line["actor_id"]) == (action, "done", staff.user_id)
    assert (line["object_type"], line["object_id"], line["object_label"]) == ("job", str(dead_id), "tests.order")
    assert (line["actor_label"], line["request_id"]) == (staff.full_name, request_id)


async def test_discard_forgets_it(boss: Client, staff: Person, database: Database) -> None:
    dead_id = await dead(database)
    answer = await boss.delete(f"{URL}/{dead_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await rows(database, "select 1 from pgqueuer") == []
    assert await rows(database, "select 1 from dead_jobs") == []
    await audited(database, staff, "job.discarded", dead_id, answer.headers["x-request-id"])


async def test_what_is_not_dead_any_more_is_not_there(boss: Client, database: Database) -> None:
    dead_id = await dead(database)
    assert (await boss.post(f"{URL}/{dead_id}/replay")).status_code == 202
    refused(await boss.post(f"{URL}/{dead_id}/replay"), 404, "not_found")
    refused(await boss.delete(f"{URL}/{dead_id}"), 404, "not_found")
    refused(await boss.post(f"{URL}/{dead_id + 1}/replay"), 404, "not_found")
    assert len(await rows(database, "select 1 from pgqueuer")) == 1
    assert len(await rows(database, "select 1 from audit_log")) == 1


async def test_of_many_at_once_one_replays(boss: Client, database: Database) -> None:
    dead_id = await dead(database)
    answers = await asyncio.gather(*(boss.post(f"{URL}/{dead_id}/replay") for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [202] + [404] * 5
    assert len(await rows(database, "select 1 from pgqueuer")) == 1


async def test_clients_see_and_change_nothing(sign_in: SignIn, owner: Person, database: Database) -> None:
    dead_id = await dead(database)
    ada = await sign_in(owner)
    refused(await ada.get(URL), 403, "forbidden")
    refused(await ada.post(f"{URL}/{dead_id}/replay"), 403, "forbidden")
    refused(await ada.delete(f"{URL}/{dead_id}"), 403, "forbidden")
    assert len(await rows(database, "select 1 from dead_jobs where replayed_at is null")) == 1
    assert await rows(database, "select 1 from audit_log") == []
    assert "/admin/jobs" not in (await ada.get("/servers")).text


# --- the whole way ---


async def test_a_job_dies_and_is_run_again_by_staff(boss: Client, database: Database) -> None:
    broken, done = True, asyncio.Event()

    async def handler(work: Work, payload: Order) -> None:
        if broken:
            raise Retry(0, "the vendor is away")
        assert (payload.server_id, work.attempt) == (12, 1)
        done.set()

    stop = asyncio.Event()
    worker = asyncio.create_task(Worker(database, [WorkPart(bindings=[runs(JOB, handler)])]).run(stop))

    async def died() -> bool:
        return bool((await boss.get(URL)).json()["items"])

    try:
        await put(database, 12)
        await until(died)
        (item,) = (await boss.get(URL)).json()["items"]
        assert (item["error"], item["attempts"]) == ("the vendor is away", 1)
        broken = False
        assert (await boss.post(f"{URL}/{item['id']}/replay")).status_code == 202
        await asyncio.wait_for(done.wait(), 10)
    finally:
        stop.set()
        await asyncio.wait_for(worker, 10)
    assert (await boss.get(URL)).json()["statistics"] == {"queued": 0, "running": 0, "dead": 0}
