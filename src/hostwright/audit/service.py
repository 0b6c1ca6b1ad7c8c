"""Writing and reading the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from hostwright.audit import queries
from hostwright.audit.records import AuditRow, Outcome
from hostwright.core.db import LARGEST_ID, Db, Query, Tx
from hostwright.core.logs import redacted
from hostwright.core.scope import OwnedBy, Scope
from hostwright.core.text import containing

LAST_CHARACTER: Final = "\U0010ffff"


class AuditPage(msgspec.Struct, frozen=True):
    """Lines, newest first; pass ``next`` as ``before`` to go on, None at the end."""

    rows: list[AuditRow]
    next: int | None


class AuditFilter(msgspec.Struct, frozen=True):
    """Which lines are wanted. ``action`` is how it begins, ``end`` is not included; None and "" ask for nothing."""

    actor_id: int | None = None
    action: str = ""
    object_type: str = ""
    object_id: str = ""
    customer_id: int | None = None
    outcome: Outcome | None = None
    start: datetime | None = None
    end: datetime | None = None
    text: str = ""

    @property
    def pattern(self) -> str | None:
        """``text`` as a pattern that finds it anywhere."""
        return containing(self.text) if self.text else None


async def record(  # noqa: PLR0913  each is a column
    tx: Tx,
    *,
    actor_id: int | None,
    actor_label: str,
    action: str,
    outcome: Literal["done", "refused", "failed"],
    customer_id: int | None = None,
    object_type: str | None = None,
    object_id: str | None = None,
    object_label: str | None = None,
    detail: Mapping[str, Any] | None = None,
    address: str | None = None,
    request_id: str | None = None,
) -> None:
    """Write one line with the rest of ``tx``. A refusal needs a transaction of its own, or it is rolled back with it.

    ``detail`` loses whatever is named like a secret.
    """
    await queries.insert.run(
        tx,
        actor_id,
        actor_label,
        action,
        outcome,
        customer_id,
        object_type,
        object_id,
        object_label,
        redacted(detail or {}),
        address,
        request_id,
    )


def _page(rows: list[AuditRow], limit: int) -> AuditPage:
    return AuditPage(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


async def entries(db: Db, scope: Scope, *, before: int | None = None, limit: int = 50) -> AuditPage:
    """Lines that the caller may see, newest first."""
    below = LARGEST_ID if before is None else before
    if isinstance(scope, OwnedBy):
        return _page(await queries.of_customer.all(db, scope.customer_id, below, limit + 1), limit)
    return _page(await queries.everything.all(db, below, limit + 1), limit)


async def entries_of_object(
    db: Db, scope: Scope, object_type: str, object_id: str, *, before: int | None = None, limit: int = 50
) -> AuditPage:
    """Lines about one object that the caller may see, newest first."""
    below = LARGEST_ID if before is None else before
    if isinstance(scope, OwnedBy):
        rows = await queries.of_object_for_customer.all(db, object_type, object_id, scope.customer_id, below, limit + 1)
    else:
        rows = await queries.of_object.all(db, object_type, object_id, below, limit + 1)
    return _page(rows, limit)


def _statement(wanted: AuditFilter) -> Query[AuditRow]:
    """The statement that begins with what leaves the fewest lines."""
    if wanted.object_type and wanted.object_id:
        return queries.found_by_object
    if wanted.actor_id is not None:
        return queries.found_by_actor
    if wanted.customer_id is not None:
        return queries.found_of_customer
    return queries.found_by_text if wanted.text else queries.found


async def search(db: Db, wanted: AuditFilter, *, before: int | None = None, limit: int = 50) -> AuditPage:
    """Lines of everybody, newest first: for staff."""
    rows = await _statement(wanted).all(
        db,
        LARGEST_ID if before is None else before,
        limit + 1,
        wanted.actor_id,
        wanted.action or None,
        wanted.action + LAST_CHARACTER,
        wanted.object_type or None,
        wanted.object_id or None,
        wanted.customer_id,
        wanted.outcome,
        wanted.start,
        wanted.end,
        wanted.pattern,
    )
    return _page(rows, limit)


async def entries_about_user(db: Db, user_id: int, *, limit: int = 10) -> list[AuditRow]:
    """The latest of what a user did and of what was done with the account: for staff."""
    return await queries.about_user.all(db, user_id, limit)
