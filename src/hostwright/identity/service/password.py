"""Changing one's own password."""

from __future__ import annotations

from typing import Final

import msgspec

from hostwright.core.crypto import Keyring
from hostwright.core.db import Database
from hostwright.core.errors import Conflict, FieldProblem, Invalid
from hostwright.core.passwords import Passwords
from hostwright.identity import policy, queries
from hostwright.identity.queries import account as sql
from hostwright.identity.schemas import PasswordChange, Viewer
from hostwright.identity.service.attempts import count_attempt
from hostwright.identity.service.auditing import note
from hostwright.identity.service.sessions import revoke_other_sessions

FREE_TRIES_PER_SESSION: Final = 5
"""Counted for the session, whatever address it comes from: who took one over cannot guess on from elsewhere, nor open
another without the password, nor make the owner wait in theirs."""


class PasswordChangedMeanwhile(Conflict):
    """Another change was stored between comparing the present password and storing this one."""

    code = "password_changed_meanwhile"
    default_message = "Your password was changed from elsewhere meanwhile. This change was not made."


def _check_new(viewer: Viewer, wanted: PasswordChange) -> None:
    if wanted.new_password == wanted.current_password:
        raise Invalid([FieldProblem("newPassword", "must differ from the present one")])
    problem = policy.password_problem(wanted.new_password, username=viewer.username, email=viewer.email)
    if problem is not None:
        raise Invalid([msgspec.structs.replace(problem, field="newPassword")])


async def change_password(
    database: Database, passwords: Passwords, keyring: Keyring, viewer: Viewer, wanted: PasswordChange
) -> int:
    """Store a new password and end every other session of the user; returns how many. API keys stay.

    Raises `Invalid`, `PasswordChangedMeanwhile`, or `TooManyRequests` with the growing wait.
    """
    _check_new(viewer, wanted)
    counter = keyring.mac("change-password", f"session {viewer.session_id}".encode())
    await count_attempt(database, counter, FREE_TRIES_PER_SESSION)
    async with database.acquire() as db:
        credential = await sql.credential_of.one(db, viewer.user_id)
    if not await passwords.verify_password(credential.password_hash, wanted.current_password):
        async with database.transaction() as tx:
            await note(tx, viewer, "user.change_password", outcome="refused")
        raise Invalid([FieldProblem("currentPassword", "is wrong")])
    hashed = await passwords.hash_password(wanted.new_password)
    async with database.transaction() as tx:
        if await sql.replace_password.maybe(tx, viewer.user_id, credential.password_hash, hashed) is None:
            raise PasswordChangedMeanwhile
        await queries.forget_attempts.run(tx, counter)
        ended = await revoke_other_sessions(tx, viewer.user_id, viewer.session_id or 0)
        await note(tx, viewer, "user.password_changed", detail={"sessions": ended})
    return ended
