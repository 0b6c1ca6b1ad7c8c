"""People end sessions of their own; the audit log says which."""

from __future__ import annotations

from hostwright.core.db import Tx
from hostwright.identity.schemas import Viewer
from hostwright.identity.service.auditing import note
from hostwright.identity.service.sessions import end_session, revoke_other_sessions, revoke_session


async def sign_out(tx: Tx, viewer: Viewer) -> None:
    """End the session that asks; a key has none."""
    if viewer.session_id is None:
        return
    await end_session(tx, viewer.session_id)
    await note(tx, viewer, "user.signed_out")


async def end_own_session(tx: Tx, viewer: Viewer, session_id: int) -> bool:
    """End one of the viewer's sessions; False when it is not theirs or already ended."""
    if not await revoke_session(tx, viewer.user_id, session_id):
        return False
    await note(tx, viewer, "user.session_ended", detail={"session": session_id})
    return True


async def end_own_other_sessions(tx: Tx, viewer: Viewer) -> int:
    """End every session of the viewer but the one that asks; returns how many."""
    ended = await revoke_other_sessions(tx, viewer.user_id, viewer.session_id or 0)
    if ended:
        await note(tx, viewer, "user.sessions_ended", detail={"sessions": ended})
    return ended
