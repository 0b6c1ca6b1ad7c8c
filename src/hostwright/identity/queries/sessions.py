"""SQL of sessions."""

from __future__ import annotations

from hostwright.core.db import Command, Query, Scalar
from hostwright.identity.records import (
    SessionRecord,
)

# Opening a session is signing in: it stands at the user, since ended sessions are deleted.
insert_session = Scalar(
    int,
    """
    with signed_in as (update users set last_sign_in_at = now() where id = $2)
    insert into sessions (token_hash, user_id, expires_at, address, user_agent)
    values ($1, $2, now() + $3::interval, $4, $5) returning id
    """,
)
touch_session = Command("update sessions set seen_at = now() where id = $1")
delete_session = Command("delete from sessions where id = $1")
sessions_of = Query(
    SessionRecord,
    """
    select id, created_at, seen_at, expires_at, address, user_agent from sessions
    where user_id = $1 and expires_at > now() and seen_at > now() - $2::interval order by seen_at desc, id desc
    """,
)
revoke_session = Scalar(int, "delete from sessions where id = $1 and user_id = $2 returning id")
revoke_other_sessions = Scalar(int, "delete from sessions where user_id = $1 and id <> $2 returning id")
delete_ended_sessions = Command("delete from sessions where expires_at < now() or seen_at < now() - $1::interval")
