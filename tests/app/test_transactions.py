"""A request's transaction commits before its answer, a request holds one connection, and a full pool says so."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from hostwright.core.db import Database, Db, Tx
from hostwright.core.errors import Conflict
from hostwright.web.inject import Injected, Unit
from hostwright.web.openapi import get_op, post_op
from tests.support.app import Client, MakeApp, MakeClient, Person, SignIn

TABLES = """
create table parents (id int primary key);
create table late (id int, parent int references parents deferrable initially deferred);
grant select, insert on parents, late to app
"""


class Answer(msgspec.Struct):
    id: int


@post_op("/api/tests/late", op="testLate", summary="Fails when it commits", tag="Tests", status=201)
async def late(tx: Injected[Tx]) -> Answer:
    await tx.execute("insert into late values (1, 99)")
    return Answer(1)


@post_op("/api/tests/good", op="testGood", summary="Commits", tag="Tests", status=201)
async def good(tx: Injected[Tx]) -> Answer:
    await tx.execute("insert into late values (2, null)")
    return Answer(2)


@post_op("/api/tests/unspeakable", op="testUnspeakable", summary="Cannot be encoded", tag="Tests")
async def unspeakable(tx: Injected[Tx]) -> Any:
    await tx.execute("insert into late values (3, null)")
    return {"answer": object()}


@post_op("/api/tests/refused", op="testRefused", summary="Refuses afterwards", tag="Tests")
async def refused(tx: Injected[Tx]) -> Answer:
    await tx.execute("insert into late values (4, null)")
    raise Conflict


@get_op("/api/tests/pid", op="testPid", summary="Which connections", tag="Tests")
async def pid(db: Injected[Db], unit: Injected[Unit]) -> list[int]:
    again = await unit.connection()
    rows = [await each.fetchrow("select pg_backend_pid() as pid") for each in (db, again)]
    await db.fetch("select pg_sleep(0.01)")
    return [row["pid"] for row in rows if row is not None]


HANDLERS = (late, good, unspeakable, refused, pid)


@pytest.fixture
async def tables(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute(TABLES)


@pytest.fixture
async def caller(tables: None, owner: Person, make_app: MakeApp, sign_in: SignIn) -> Client:
    return await sign_in(owner, app=await make_app(*HANDLERS))


async def rows(database: Database) -> list[int]:
    async with database.acquire() as db:
        return [row["id"] for row in await db.fetch("select id from late order by id")]


async def test_a_commit_that_fails_is_a_500_and_not_a_201(caller: Client, database: Database) -> None:
    answer = await caller.post("/api/tests/late")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "late" not in answer.text
    assert await rows(database) == []


async def test_the_commit_comes_before_the_answer(caller: Client, database: Database) -> None:
    answer = await caller.post("/api/tests/good")
    assert (answer.status_code, answer.json()) == (201, {"id": 2})
    assert await rows(database) == [2]


async def test_an_answer_that_cannot_be_encoded_rolls_back(caller: Client, database: Database) -> None:
    answer = await caller.post("/api/tests/unspeakable")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert await rows(database) == []


async def test_a_refusal_after_a_write_rolls_back(caller: Client, database: Database) -> None:
    answer = await caller.post("/api/tests/refused")
    assert answer.status_code == 409
    assert await rows(database) == []


async def test_a_failed_transaction_does_not_follow_its_connection(
    tables: None, owner: Person, make_app: MakeApp, sign_in: SignIn
) -> None:
    caller = await sign_in(owner, app=await make_app(*HANDLERS, pool_size=2))
    for path in ("late", "unspeakable", "refused"):
        for _ in range(4):
            await caller.post(f"/api/tests/{path}")
    statuses = [(await caller.post("/api/tests/good")).status_code for _ in range(4)]
    assert statuses == [201] * 4


async def test_two_connections_serve_thirty_two_callers(
    tables: None,
    owner: Person,
    make_app: MakeApp,
    sign_in: SignIn,
) -> None:
    app = await make_app(*HANDLERS, pool_size=2)
    caller = await sign_in(owner, app=app)
    async with asyncio.timeout(20):
        reads = [caller.get("/api/tests/pid") for _ in range(16)]
        writes = [caller.post("/api/tests/good") for _ in range(16)]
        answers = await asyncio.gather(*reads, *writes)
    assert [answer.status_code for answer in answers] == [200] * 16 + [201] * 16
    pids = [answer.json() for answer in answers[:16]]
    assert all(first == second for first, second in pids), "a request holds one connection"
    assert len({first for first, _ in pids}) <= 2


async def test_refusals_give_their_connection_back(
    owner: Person,
    make_app: MakeApp,
    make_client: MakeClient,
) -> None:
    app = await make_app(pool_size=2)
    nobody = await make_client(app=app, headers={"Authorization": "Bearer hw_nothing-that-exists"})
    for _ in range(5):
        answers = await asyncio.gather(*(nobody.get("/api/user/servers") for _ in range(8)))
        assert [answer.status_code for answer in answers] == [401] * 8
    assert app.services.database.pool.get_idle_size() == app.services.database.pool.get_size()


async def test_a_full_pool_says_so_in_both_shapes(
    owner: Person,
    make_app: MakeApp,
    sign_in: SignIn,
) -> None:
    app = await make_app(pool_size=2)
    caller = await sign_in(owner, app=app)
    held = [await app.services.database.take() for _ in range(2)]
    program, page = await asyncio.gather(caller.get("/api/user"), caller.get("/servers"))
    for connection in held:
        await app.services.database.give(connection)
    assert program.status_code == 503
    assert program.headers["retry-after"] == "5"
    error = program.json()["error"]
    assert (error["code"], error["status"]) == ("database_busy", 503)
    assert error["requestId"] == program.headers["x-request-id"]
    assert page.status_code == 503
    assert page.headers["content-type"].startswith("text/html")
    assert (await caller.get("/api/user")).status_code == 200
