"""The audit store: who did what, read by scope and cursor; it only grows, and it holds no secrets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from hostwright.audit import queries
from hostwright.audit.records import Outcome
from hostwright.audit.service import entries, entries_of_object, record
from hostwright.core.db import Command, Database, Query, create_database
from hostwright.core.scope import OwnedBy, Staff
from tests.support.app import Client, Makers, Person, refused
from tests.support.databases import as_app

EVERYTHING = Staff("audit.read")
UPSERT = """
insert into audit_log (id, actor_label, action, outcome) values (1, 'x', 'y', 'done')
on conflict (id) do update set action = 'z'
"""


async def write(database: Database, number: int, **changes: Any) -> None:
    line: dict[str, Any] = {
        "actor_id": 1,
        "actor_label": "Ada",
        "action": "server.boot",
        "outcome": "done",
        "customer_id": number % 2,
        "object_type": "server",
        "object_id": "9",
        "detail": {"attempt": number},
    }
    async with database.transaction() as tx:
        await record(tx, **line | changes)


async def test_it_is_read_newest_first_by_cursor(database: Database) -> None:
    for number in range(5):
        await write(database, number)
    async with database.acquire() as db:
        page = await entries(db, EVERYTHING, limit=3)
        rest = await entries(db, EVERYTHING, before=page.next, limit=3)
    assert [row.detail["attempt"] for row in page.rows] == [4, 3, 2]
    assert [row.detail["attempt"] for row in rest.rows] == [1, 0]
    assert (page.next, rest.next) == (page.rows[-1].id, None)


async def test_lines_that_come_meanwhile_do_not_move_the_cursor(database: Database) -> None:
    for number in range(4):
        await write(database, number)
    async with database.acquire() as db:
        page = await entries(db, EVERYTHING, limit=2)
    await write(database, 9)
    async with database.acquire() as db:
        rest = await entries(db, EVERYTHING, before=page.next, limit=2)
    assert [row.detail["attempt"] for row in (*page.rows, *rest.rows)] == [3, 2, 1, 0]


async def test_a_customer_sees_only_their_own_lines(database: Database) -> None:
    for number in range(5):
        await write(database, number)
    async with database.acquire() as db:
        assert [row.detail["attempt"] for row in (await entries(db, OwnedBy(1))).rows] == [3, 1]
        assert len((await entries_of_object(db, OwnedBy(0), "server", "9")).rows) == 3
        assert len((await entries_of_object(db, EVERYTHING, "server", "9")).rows) == 5
        assert (await entries_of_object(db, EVERYTHING, "server", "8")).rows == []
        assert (await entries(db, OwnedBy(7))).rows == []


async def test_secrets_are_taken_out_of_the_detail(database: Database) -> None:
    detail = {"password": "kV7-tulip", "nested": {"api_key": "kV7-tulip"}, "url": "https://x?token=kV7-tulip", "n": 1}
    await write(database, 0, detail=detail)
    async with database.acquire() as db:
        (row,) = (await entries(db, EVERYTHING)).rows
        (stored,) = await db.fetch("select detail::text as text from audit_log")
    assert "tulip" not in stored["text"]
    assert row.detail["n"] == 1
    assert row.detail["password"] == "[hidden]"


async def test_the_outcome_is_one_of_three(database: Database) -> None:
    for number, outcome in enumerate(Outcome):
        await write(database, number, outcome=outcome.value)
    with pytest.raises(asyncpg.CheckViolationError):
        await write(database, 9, outcome="perhaps")


async def test_it_is_written_with_the_rest_or_not_at_all(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as tx:
            await record(tx, actor_id=1, actor_label="Ada", action="x.y", outcome="done")
            raise ZeroDivisionError
    async with database.acquire() as db:
        assert (await entries(db, EVERYTHING)).rows == []


async def test_a_refusal_stands_although_the_request_is_rolled_back(
    client: Client, owner: Person, database: Database
) -> None:
    answer = await client.post("/api/auth/login", json={"username": owner.username, "password": "wrong-password"})
    refused(answer, 401, "wrong_credentials")
    async with database.acquire() as db:
        (row,) = (await entries(db, EVERYTHING)).rows
    assert (row.action, row.outcome, row.actor_id) == ("user.sign_in", Outcome.REFUSED, owner.user_id)
    assert row.request_id == answer.headers["x-request-id"]


async def test_lines_outlive_whom_they_are_about(makers: Makers, database: Database) -> None:
    person = await makers.user(full_name="Ada Lovelace")
    await write(database, 0, actor_id=person.user_id, actor_label="Ada Lovelace")
    async with database.transaction() as tx:
        await tx.execute(f"delete from users where id = {person.user_id}")
    async with database.acquire() as db:
        (row,) = (await entries(db, EVERYTHING)).rows
    assert (row.actor_id, row.actor_label) == (person.user_id, "Ada Lovelace")


@pytest.fixture
async def as_application(dsn: str) -> AsyncIterator[Database]:
    found = await create_database(as_app(dsn))
    yield found
    await found.close()


@pytest.mark.parametrize(
    "sql",
    [
        "update audit_log set action = 'z'",
        "delete from audit_log",
        "truncate audit_log",
        UPSERT,
    ],
)
async def test_the_application_adds_lines_and_changes_none(
    database: Database, as_application: Database, sql: str
) -> None:
    await write(as_application, 0, action="x.y")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with as_application.transaction() as tx:
            await tx.execute(sql)
    async with database.acquire() as db:
        assert [row.action for row in (await entries(db, EVERYTHING)).rows] == ["x.y"]


def test_the_store_offers_no_way_to_change_a_line() -> None:
    statements = [value.sql for value in vars(queries).values() if isinstance(value, Query | Command)]
    assert len(statements) == 11
    assert all(sql.split()[0] in {"insert", "select"} for sql in statements)
