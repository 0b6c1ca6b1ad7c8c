"""SQL of API keys."""

from __future__ import annotations

from typing import Final

from hostwright.core.db import Command, Query, Scalar
from hostwright.identity.records import (
    KeyRecord,
    OwnKey,
)

OWN: Final = """
    select k.id, k.prefix, k.name, k.scopes, k.customer_id, c.name as customer_name, k.created_at, k.expires_at,
           k.last_used_at, k.expires_at is not null and k.expires_at <= now() as expired, t.role is not null as member
    from api_keys k
    join customers c on c.id = k.customer_id
    left join members t on t.customer_id = k.customer_id and t.user_id = k.user_id
"""

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
# All that have not ended, and the latest of those that have: nobody clears these away.
keys_of = Query(
    OwnKey,
    OWN
    + """
    where k.user_id = $1 and k.revoked_at is null order by expired, k.created_at desc, k.id desc limit 100
    """,
)
own_key = Query(OwnKey, OWN + "where k.id = $1 and k.user_id = $2 and k.revoked_at is null")
live_keys = Scalar(
    int,
    """
    select count(*) from api_keys
    where user_id = $1 and revoked_at is null and (expires_at is null or expires_at > now())
    """,
)
