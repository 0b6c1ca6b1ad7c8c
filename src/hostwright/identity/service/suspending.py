"""Staff keep somebody out, let them in again, or end their sessions."""

from __future__ import annotations

from hostwright.core.db import Tx
from hostwright.core.errors import Conflict, Forbidden
from hostwright.identity import queries
from hostwright.identity.queries import suspending as statements
from hostwright.identity.records import Role, UserRecord
from hostwright.identity.schemas import Viewer
from hostwright.identity.service.auditing import About, note
from hostwright.identity.service.sessions import NONE, revoke_other_sessions


class OwnAccount(Conflict):
    """Whoever suspends themselves would have nobody to ask."""

    code = "own_account"
    default_message = "You cannot suspend your own account. Nothing was changed."


class LastAdmin(Conflict):
    """Without an administrator nobody could let anybody in."""

    code = "last_admin"
    default_message = "This is the last administrator who can sign in. Nothing was changed."


async def suspend_user(tx: Tx, staff: Viewer, user_id: int, reason: str) -> UserRecord:
    """Keep somebody out: their sessions end now, their keys are refused at the next call. Locks the user.

    An account that is suspended already stays as it is, its reason too. Raises `NoRow`, `OwnAccount`, `LastAdmin`,
    and `Forbidden` when the caller was suspended meanwhile.
    """
    if user_id == staff.user_id:
        raise OwnAccount
    await _hold(tx, staff)
    user = await statements.user_to_change.one(tx, user_id, lock=True)
    if user.role is Role.ADMIN and not await statements.other_staff.value(tx, user_id):
        raise LastAdmin
    if not await statements.suspend.run(tx, user_id, reason):
        return user
    ended = await revoke_other_sessions(tx, user_id, NONE)
    await note(tx, staff, "user.suspended", About.user(user), detail={"reason": reason, "sessions": ended})
    return await queries.user_by_id.one(tx, user_id)


async def enable_user(tx: Tx, staff: Viewer, user_id: int) -> UserRecord:
    """Let somebody in again; their keys work again too. Locks the user. Raises `NoRow`, `Forbidden` as above."""
    await _hold(tx, staff)
    user = await statements.user_to_change.one(tx, user_id, lock=True)
    if not await statements.enable.run(tx, user_id):
        return user
    await note(tx, staff, "user.enabled", About.user(user))
    return await queries.user_by_id.one(tx, user_id)


async def end_sessions_of(tx: Tx, staff: Viewer, user_id: int) -> int:
    """Sign somebody out everywhere, but not out of the session that asks; returns how many sessions ended."""
    user = await statements.user_to_change.one(tx, user_id, lock=True)
    kept = staff.session_id if user_id == staff.user_id else None
    ended = await revoke_other_sessions(tx, user_id, kept or NONE)
    await note(tx, staff, "user.sessions_ended", About.user(user), detail={"sessions": ended})
    return ended


async def _hold(tx: Tx, staff: Viewer) -> None:
    """One at a time from here on, and only who may sign in at this moment: somebody else may have been quicker."""
    await statements.hold_staff.value(tx)
    caller = await queries.user_by_id.one(tx, staff.user_id)
    if caller.disabled_at is not None or caller.role is not Role.ADMIN:
        raise Forbidden
