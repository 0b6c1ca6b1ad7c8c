"""SQL of who calls, asked once per request."""

from __future__ import annotations

from hostwright.core.db import Query
from hostwright.identity.records import (
    KeyCaller,
    SessionCaller,
    Standing,
)

# Who calls, by cookie: session, user and customers in one statement. $2 is the idle time.
session_caller = Query(
    SessionCaller,
    """
    select s.id as session_id, s.seen_at, u.id as user_id, u.username, u.email, u.full_name, u.role, u.language,
           u.disabled_at is not null as disabled, m.customer_ids, m.customer_names, m.member_roles
    from sessions s
    join users u on u.id = s.user_id
    left join lateral (
        select array_agg(c.id order by c.id) as customer_ids, array_agg(c.name order by c.id) as customer_names,
               array_agg(t.role order by c.id) as member_roles
        from members t join customers c on c.id = t.customer_id where t.user_id = u.id
    ) m on true
    where s.token_hash = $1 and s.expires_at > now() and s.seen_at > now() - $2::interval
    """,
)
# Who calls, by key, and the key's limit of 100 a minute (one each 600 ms, 100 at once), in one statement.
key_caller = Query(
    KeyCaller,
    """
    with caller as materialized (
        select k.id as key_id, k.scopes, k.last_used_at, u.id as user_id, u.username, u.email, u.full_name, u.role,
               u.language, u.disabled_at is not null as disabled, c.id as customer_id, c.name as customer_name,
               t.role as member_role
        from api_keys k
        join users u on u.id = k.user_id
        join customers c on c.id = k.customer_id
        left join members t on t.customer_id = k.customer_id and t.user_id = k.user_id
        where k.key_hash = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
    ), spent as (
        insert into rate_limits as r (key, tat)
        select 'key:' || key_id, clock_timestamp() + interval '600 ms' from caller
        on conflict (key) do update set tat = greatest(r.tat, clock_timestamp()) + interval '600 ms'
        where r.tat <= clock_timestamp() + interval '600 ms' * 99
        returning extract(epoch from tat - clock_timestamp())::float8 as ahead
    )
    select caller.*, (select ahead from spent) as ahead from caller
    """,
)
# Whether a stream that began some time ago may go on. $3 is the idle time.
standing = Query(
    Standing,
    """
    select u.role, t.role as member_role from sessions s
    join users u on u.id = s.user_id and u.disabled_at is null
    join members t on t.user_id = u.id and t.customer_id = $2
    where s.id = $1 and s.expires_at > now() and s.seen_at > now() - $3::interval
    """,
)
