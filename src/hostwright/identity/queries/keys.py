"""SQL of API keys."""

from __future__ import annotations

from hostwright.core.db import Command, Query
from hostwright.identity.records import (
    KeyRecord,
)

insert_key = Query(
    KeyRecord,
    """
    insert into api_keys (key_hash, prefix, name, user_id, customer_id, scopes, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7)
    returning id, prefix, name, scopes, created_at, expires_at, last_used_at
    """,
)
touch_key = Command("update api_keys set last_used_at = now() where id = $1")
revoke_key = Command("update api_keys set revoked_at = now() where id = $1 and user_id = $2 and revoked_at is null")
