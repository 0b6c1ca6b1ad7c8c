"""Rows are filled by position without validation, so a NULL would land in a field that has none. Tests look at them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec

from hostwright.core.db import REGISTRY, Query
from hostwright.core.db import query as layer

SAMPLES: Final = 200
"""Rows that are looked at of each statement; later ones are filled at full speed again."""


class RowDoesNotFit(AssertionError):
    """A statement filled a record with a value that its type forbids."""


def validated(record: msgspec.Struct) -> None:
    """Compare every field with its type."""
    kind = type(record)
    values = {field: getattr(record, field) for field in kind.__struct_fields__}
    plain = msgspec.defstruct("Row", [(f.name, f.type) for f in msgspec.structs.fields(kind)])
    try:
        msgspec.convert(values, plain)
    except msgspec.ValidationError as error:
        message = f"{kind.__name__}: {error}"
        raise RowDoesNotFit(message) from error


def watch(query: Query[Any]) -> None:
    """Validate the first rows that ``query`` fills."""
    fill = cast("Callable[[Any], msgspec.Struct]", query._fill)
    left = SAMPLES

    def filled(row: Any) -> msgspec.Struct:
        nonlocal left
        record = fill(row)
        validated(record)
        left -= 1
        if left == 0:
            query._fill = fill
        return record

    query._fill = filled


def watch_all() -> Callable[[], None]:
    """Watch every statement there is and every one that is still to come; returns what ends it."""
    queries = [item for item in REGISTRY if isinstance(item, Query)]
    before = {id(item): item._fill for item in queries}
    for item in queries:
        watch(item)
    made = layer.Query.__init__

    def init(self: Query[Any], record: type[msgspec.Struct], sql: Any) -> None:
        made(self, record, sql)
        watch(self)

    layer.Query.__init__ = init

    def end() -> None:
        layer.Query.__init__ = made
        for item in queries:
            item._fill = before[id(item)]

    return end


async def until(check: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait for a condition, plain or awaitable."""
    async with asyncio.timeout(seconds):
        while True:
            found = check()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return
            await asyncio.sleep(0.02)
