"""Every statement of every module fits the migrated schema, and the rows that come back fit their records."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any, cast

import msgspec
import pytest

import hostwright
from hostwright.core.db import REGISTRY, Command, Database, Query, Scalar
from hostwright.core.db.check import problems
from tests.support.rows import RowDoesNotFit, watch


def every_module() -> list[str]:
    return [found.name for found in pkgutil.walk_packages(hostwright.__path__, "hostwright.")]


def mentioned(statement: Any) -> bool:
    return any(item is statement for item in REGISTRY)


async def test_every_statement_of_every_module_fits_the_schema(database: Database) -> None:
    modules = [import_module(name) for name in every_module() if not name.endswith("__main__")]
    statements = [
        value for module in modules for value in vars(module).values() if isinstance(value, Query | Scalar | Command)
    ]
    assert len(statements) > 100
    assert all(mentioned(statement) for statement in statements)
    connection = await database.connect()
    try:
        assert await problems(connection) == []
    finally:
        await connection.close()


class Row(msgspec.Struct, frozen=True):
    a: int
    b: str


rows = Query(Row, "select 1::int4 as a, nullif($1, 'nothing') as b")


async def test_a_null_in_a_field_without_one_is_found(database: Database) -> None:
    before = rows._fill
    watch(cast("Query[Any]", rows))
    try:
        async with database.acquire() as db:
            assert (await rows.one(db, "x")).b == "x"
            with pytest.raises(RowDoesNotFit, match=r"Row: Expected `str`, got `null` - at `\$\.b`"):
                await rows.one(db, "nothing")
    finally:
        rows._fill = before


async def test_rows_are_validated_in_every_test(database: Database) -> None:
    async with database.acquire() as db:
        with pytest.raises(RowDoesNotFit):
            await rows.one(db, "nothing")
