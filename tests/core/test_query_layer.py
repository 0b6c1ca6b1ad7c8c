"""The query layer's own promises."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

import msgspec
import pytest

from hostwright.core.db import REGISTRY, Command, Database, NoRow, Query, Scalar
from hostwright.core.db.check import problems
from hostwright.core.db.query import Query as AnyQuery


class Row(msgspec.Struct, frozen=True):
    a: int
    b: str | None
    at: datetime


rows = Query(Row, "select n::int4 as a, nullif('b', 'b') as b, now() as at from generate_series(1, $1::int) n")


async def test_a_statement_that_does_not_fit_is_found(database: Database) -> None:
    wrong = [
        Query(Row, "select 1::int8 as a, 2 as b, 'x' as c"),
        Scalar(int, "select 'x'"),
        Command("delete from nowhere"),
    ]
    connection = await database.connect()
    try:
        found = "\n".join(await problems(connection))
    finally:
        await connection.close()
        for item in wrong:
            REGISTRY.remove(cast("AnyQuery[Any]", item))
    for piece in ("b is int4", "column c where at is expected", "is text", "nowhere"):
        assert piece in found


async def test_rows_become_records(database: Database) -> None:
    async with database.transaction() as tx:
        assert [row.a for row in await rows.all(tx, 3)] == [1, 2, 3]
        assert (await rows.one(tx, 1)).b is None
        assert await rows.maybe(tx, 0) is None
        with pytest.raises(NoRow):
            await rows.one(tx, 0)
        assert [row.a async for row in rows.stream(tx, 1200)][-1] == 1200
