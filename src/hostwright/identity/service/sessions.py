"""Sessions: opened, listed, ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from hostwright.core.crypto import new_token, token_hash
from hostwright.core.db import Tx
from hostwright.core.events import emit
from hostwright.core.live import publish
from hostwright.identity import queries
from hostwright.identity.events import SessionsRevoked
from hostwright.identity.service.common import Client, idle_time

NONE: Final = 0
"""The id of no session."""


class NewSession(msgspec.Struct, frozen=True):
    """A session that was just made. The token is in the cookie and nowhere else."""

    id: int
    token: str

    def __repr__(self) -> str:
        """Without the token."""
        return f"NewSession(id={self.id})"


async def open_session(tx: Tx, user_id: int, client: Client, *, session_days: int) -> NewSession:
    """A new session; its token leaves this process only in the cookie."""
    token = new_token()
    agent = (client.user_agent or "")[:300] or None
    session_id = await queries.insert_session.value(
        tx, token_hash(token), user_id, timedelta(days=session_days), client.address, agent
    )
    return NewSession(session_id, token)


async def end_session(tx: Tx, session_id: int) -> None:
    """Sign out: the session is gone at once and its live streams close."""
    await queries.delete_session.run(tx, session_id)
    await publish(tx, f"session:{session_id}", "closed")


async def revoke_session(tx: Tx, user_id: int, session_id: int) -> bool:
    """End one of the user's own sessions; False when it is not theirs or already ended."""
    ended = await queries.revoke_session.maybe(tx, session_id, user_id)
    if ended is None:
        return False
    await publish(tx, f"session:{session_id}", "closed")
    await emit(tx, SessionsRevoked(user_id))
    return True


async def revoke_other_sessions(tx: Tx, user_id: int, session_id: int) -> int:
    """End every session of the user but this one, or all of them (`NONE`); returns how many."""
    ended = await queries.revoke_other_sessions.all(tx, user_id, session_id)
    for other in ended:
        await publish(tx, f"session:{other}", "closed")
    if ended:
        await emit(tx, SessionsRevoked(user_id))
    return len(ended)


async def forget_ended(tx: Tx, *, idle_hours: int) -> None:
    """Drop sessions that nobody can use any more, and old sign-in counts."""
    await queries.delete_ended_sessions.run(tx, idle_time(idle_hours))
    await queries.forget_old_attempts.run(tx)
