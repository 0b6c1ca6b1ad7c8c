"""Lines of the audit log about what a viewer did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from hostwright.audit import service as audit
from hostwright.core.db import Tx
from hostwright.identity.records import UserRecord
from hostwright.identity.schemas import Viewer


class About(msgspec.Struct, frozen=True):
    """What was changed: its kind, its id and how people call it."""

    kind: str
    id: int
    label: str

    @classmethod
    def user(cls, user: UserRecord) -> About:
        """Somebody who is not the viewer."""
        return cls("user", user.id, user.username)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """A line's detail about fields that differ, as the log's page shows them side by side; empty when none does."""
    names = [name for name in before if before[name] != after[name]]
    if not names:
        return {}
    return {"before": {name: before[name] for name in names}, "after": {name: after[name] for name in names}}


async def note(  # noqa: PLR0913  what differs from line to line
    tx: Tx,
    viewer: Viewer,
    action: str,
    about: About | None = None,
    *,
    outcome: Literal["done", "refused"] = "done",
    customer_id: int | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write one line with the rest of ``tx``; without ``about`` it is about the viewer themselves."""
    thing = about or About("user", viewer.user_id, viewer.username)
    await audit.record(
        tx,
        actor_id=viewer.user_id,
        actor_label=viewer.label,
        action=action,
        outcome=outcome,
        customer_id=customer_id,
        object_type=thing.kind,
        object_id=str(thing.id),
        object_label=thing.label,
        detail=detail,
        address=viewer.address,
        request_id=viewer.request_id,
    )
