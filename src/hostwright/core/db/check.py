"""Compares what PREPARE says of every registered statement with what its record says."""

from __future__ import annotations

import typing
from enum import StrEnum
from typing import Any, cast

import asyncpg
import msgspec

from hostwright.core.db.query import PG_TYPES, REGISTRY, Command, without_none


def fits(kind: Any, pg_type: str) -> bool:
    """Whether a column of ``pg_type`` (as `asyncpg.Type.name` writes it) can fill a field of ``kind``."""
    kind = without_none(kind)[0]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return pg_type in PG_TYPES[str]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return pg_type == "jsonb"
    if pg_type.endswith("[]"):
        return typing.get_origin(kind) in (list, tuple) and fits(typing.get_args(kind)[0], pg_type[:-2])
    key = cast("object", typing.get_origin(kind) or kind)
    return pg_type in PG_TYPES.get(key, frozenset())


async def problems(connection: asyncpg.Connection[Any]) -> list[str]:
    """One line per statement that the database refuses or that does not fit its record; empty when all is well.

    PREPARE does not report nullability: `filled_rows_convert` in the tests looks at real rows for that.
    """
    found: list[str] = []
    for item in REGISTRY:
        place = " ".join(item.sql.split())[:70]
        try:
            got = [(a.name, a.type.name) for a in (await connection.prepare(item.sql)).get_attributes()]
        except asyncpg.PostgresError as error:
            found.append(f"{error}: {place}")
            continue
        if isinstance(item, Command):
            continue
        if len(got) != len(item.columns):
            found.append(f"{len(got)} columns for {len(item.columns)} fields: {place}")
        for (name, pg_type), (field, kind) in zip(got, item.columns, strict=False):
            if field and name != field:
                found.append(f"column {name} where {field} is expected: {place}")
            if not fits(kind, pg_type):
                found.append(f"{name} is {pg_type}, the field {kind}: {place}")
    return found
