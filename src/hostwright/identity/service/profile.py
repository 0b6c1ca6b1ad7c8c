"""One's own name and language."""

from __future__ import annotations

from msgspec import UNSET

from hostwright.core.db import Tx
from hostwright.core.errors import FieldProblem, Invalid
from hostwright.identity.queries import account as sql
from hostwright.identity.records import UserRecord
from hostwright.identity.schemas import ProfileChange, Viewer
from hostwright.identity.service.auditing import changes, note


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
    detail = changes(
        {"name": before.full_name, "language": before.language}, {"name": after.full_name, "language": after.language}
    )
    if detail:
        await note(tx, viewer, "user.profile_changed", detail=detail)
    return after
