"""Checked SQL: module-level `Query`, `Scalar` and `Command` objects whose columns a test compares with the database."""

from __future__ import annotations

import types
import typing
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Final, LiteralString, Protocol, cast
from uuid import UUID

import msgspec

from hostwright.core.errors import NotFound

LARGEST_ID: Final = 2**63 - 1
"""What fits a bigint."""

if TYPE_CHECKING:
    import asyncpg

REGISTRY: list[Query[Any] | Scalar[Any] | Command] = []

type Columns = list[tuple[str, Any]]


class NoRow(NotFound):
    """`one` found nothing; shown as 404."""


class Db(Protocol):
    """Anything that can read: a pooled connection, inside a transaction or not."""

    async def fetch(self, query: str, *args: object) -> list[asyncpg.Record]: ...
    async def fetchrow(self, query: str, *args: object) -> asyncpg.Record | None: ...


class Tx(Db, Protocol):
    """An open transaction."""

    async def execute(self, query: str, *args: object) -> str: ...
    async def executemany(self, command: str, args: Iterable[Sequence[object]]) -> None: ...
    def cursor(self, query: str, *args: object, prefetch: int | None = None) -> Any: ...
    async def copy_records_to_table(
        self, table_name: str, *, records: Iterable[Sequence[object]], columns: Sequence[str]
    ) -> str: ...


def without_none(annotation: Any) -> tuple[Any, bool]:
    """The type without ``| None``, and whether None was allowed."""
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        rest = [part for part in typing.get_args(annotation) if part is not type(None)]
        return (rest[0] if len(rest) == 1 else annotation), True
    if isinstance(annotation, typing.NewType):
        return annotation.__supertype__, False
    return annotation, False


def _nullable[T](make: Callable[[Any], T]) -> Callable[[Any], T | None]:
    return lambda value: None if value is None else make(value)


def _converter(kind: Any) -> Callable[[Any], Any] | None:
    """How one column becomes a field, or None when asyncpg's value is already right."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        # A dictionary of members is twice as quick as calling the enum.
        return {member.value: member for member in kind}.__getitem__
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return msgspec.json.Decoder(kind).decode
    if typing.get_origin(kind) in (dict, list, tuple):
        return _from_array_or_json(cast("Any", kind))
    return None


def _from_array_or_json(kind: Any) -> Callable[[Any], Any]:
    """Arrays come as lists, jsonb as its bytes: decoding those by the field's type is five times as quick as later."""
    decode = msgspec.json.Decoder(kind).decode
    return lambda value: decode(value) if isinstance(value, bytes) else msgspec.convert(value, kind)


@cache
def _compiled(record: type[msgspec.Struct]) -> tuple[Callable[[asyncpg.Record], Any], Columns]:
    """A compiled function from row to record, and the columns it expects. Lists have hundreds of statements each."""
    columns: Columns = []
    parts: list[str] = []
    scope: dict[str, Any] = {"record": record}
    for at, field in enumerate(msgspec.structs.fields(record)):
        kind, optional = without_none(field.type)
        columns.append((field.name, kind))
        convert = _converter(kind)
        if convert is None:
            parts.append(f"v{at}")
            continue
        scope[f"c{at}"] = _nullable(convert) if optional else convert
        parts.append(f"c{at}(v{at})")
    if any("(" in part for part in parts):
        names = ", ".join(f"v{at}" for at in range(len(columns)))
        source = f"lambda r: (lambda {names}: record({', '.join(parts)}))(*r)"
    else:
        source = "lambda r: record(*r)"
    # The source holds nothing but the numbered names made above.
    return eval(source, scope), columns  # noqa: S307


def _filler[R: msgspec.Struct](record: type[R]) -> tuple[Callable[[asyncpg.Record], R], Columns]:
    return _compiled(record)


class Query[R: msgspec.Struct]:
    """Rows as records, filled by position."""

    def __init__(self, record: type[R], sql: LiteralString) -> None:
        self.record = record
        self.sql: str = sql
        self._fill, self.columns = _filler(record)
        REGISTRY.append(self)

    def _text(self, *, lock: bool) -> str:
        return self.sql + " for update" if lock else self.sql

    async def all(self, db: Db, *args: object, lock: bool = False) -> list[R]:
        """Every row, in the order of the statement."""
        fill = self._fill
        return [fill(row) for row in await db.fetch(self._text(lock=lock), *args)]

    async def maybe(self, db: Db, *args: object, lock: bool = False) -> R | None:
        """The first row or None; ``lock`` takes it ``for update``."""
        row = await db.fetchrow(self._text(lock=lock), *args)
        return None if row is None else self._fill(row)

    async def one(self, db: Db, *args: object, lock: bool = False) -> R:
        """The first row; raises `NoRow` (404) when there is none; ``lock`` takes it ``for update``."""
        row = await db.fetchrow(self._text(lock=lock), *args)
        if row is None:
            raise NoRow
        return self._fill(row)

    async def stream(self, tx: Tx, *args: object) -> AsyncIterator[R]:
        """Rows through a cursor, 500 at a time, for results that should not stand in memory."""
        async for row in tx.cursor(self.sql, *args, prefetch=500):
            yield self._fill(row)


class Scalar[T]:
    """One value."""

    def __init__(self, kind: type[T], sql: LiteralString) -> None:
        self.kind = kind
        self.sql: str = sql
        self.columns: Columns = [("", without_none(kind)[0])]
        REGISTRY.append(self)

    async def value(self, db: Db, *args: object) -> T:
        """The first column of the first row; raises `NoRow` when there is none."""
        row = await db.fetchrow(self.sql, *args)
        if row is None:
            raise NoRow
        return cast("T", row[0])

    async def maybe(self, db: Db, *args: object) -> T | None:
        """The first column of the first row, or None when there is none."""
        row = await db.fetchrow(self.sql, *args)
        return None if row is None else cast("T", row[0])

    async def all(self, db: Db, *args: object) -> list[T]:
        """The first column of every row."""
        return [cast("T", row[0]) for row in await db.fetch(self.sql, *args)]


class Command:
    """A write without rows."""

    def __init__(self, sql: LiteralString) -> None:
        self.sql: str = sql
        self.columns: Columns = []
        REGISTRY.append(self)

    async def run(self, tx: Tx, *args: object) -> int:
        """Carry it out; returns how many rows it touched."""
        return int((await tx.execute(self.sql, *args)).rpartition(" ")[2])

    async def many(self, tx: Tx, rows: Iterable[Sequence[object]]) -> None:
        """Carry it out once per row of arguments, pipelined."""
        await tx.executemany(self.sql, rows)


PG_TYPES: dict[object, frozenset[str]] = {
    int: frozenset({"int2", "int4", "int8"}),
    str: frozenset({"text", "varchar", "bpchar", "name"}),
    bool: frozenset({"bool"}),
    float: frozenset({"float4", "float8"}),
    bytes: frozenset({"bytea"}),
    Decimal: frozenset({"numeric"}),
    UUID: frozenset({"uuid"}),
    datetime: frozenset({"timestamptz"}),
    date: frozenset({"date"}),
    timedelta: frozenset({"interval"}),
    dict: frozenset({"jsonb"}),
    list: frozenset({"jsonb"}),
}
