"""One's own name and language."""

from __future__ import annotations

from msgspec import UNSET

from hostwright.audit import service as audit
from hostwright.core.db import Tx
from hostwright.core.errors import FieldProblem, Invalid
from hostwright.identity.queries import account as sql
from hostwright.identity.records import UserRecord
from hostwright.identity.schemas import ProfileChange, Viewer


async def change_profile(tx: Tx, viewer: Viewer, wanted: ProfileChange) -> UserRecord:
    """Store what ``wanted`` names, and nothing else (DEFECT-04). The customer keeps its own name.

    Raises `Invalid` for a name with characters that nobody sees: it could pass for somebody else's.
    """
    name = None if wanted.full_name is UNSET else wanted.full_name.strip()
    language = None if wanted.language is UNSET else wanted.language
    if name is not None and not (name and name.isprintable()):
        raise Invalid([FieldProblem("fullName", "may not be empty or hold invisible characters")])
    before = await sql.account_of.one(tx, viewer.user_id, lock=True)
    after = await sql.change_profile.one(tx, viewer.user_id, name, language)
    changes = {
        field: [old, new]
        for field, old, new in (
            ("name", before.full_name, after.full_name),
            ("language", before.language, after.language),
        )
        if old != new
    }
    if changes:
        await audit.record(
            tx,
            actor_id=viewer.user_id,
            actor_label=viewer.label,
            action="user.profile_changed",
            outcome="done",
            object_type="user",
            object_id=str(viewer.user_id),
            object_label=viewer.username,
            detail=changes,
            address=viewer.address,
            request_id=viewer.request_id,
        )
    return after
