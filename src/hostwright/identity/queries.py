"""SQL of the identity feature."""

from __future__ import annotations

from typing import Final

from hostwright.core.db import Command, Query, Scalar
from hostwright.identity.records import (
    Credential,
    CustomerRecord,
    FailureRow,
    KeyCaller,
    KeyRecord,
    MembershipRecord,
    SessionCaller,
    SessionRecord,
    Standing,
    UserRecord,
)

USER: Final = (
    "u.id, u.username, u.email, u.full_name, u.role, u.language, u.disabled_at, u.email_verified_at, u.created_at"
)

CREDENTIAL: Final = "id as user_id, password_hash, disabled_at is not null as disabled"

user_by_id = Query(UserRecord, "select " + USER + " from users u where u.id = $1")
user_by_name = Query(
    UserRecord, "select " + USER + " from users u where lower(u.username) = lower($1) or lower(u.email) = lower($1)"
)
username_taken = Scalar(bool, "select exists (select from users where lower(username) = lower($1))")
email_taken = Scalar(bool, "select exists (select from users where lower(email) = lower($1))")
insert_user = Query(
    UserRecord,
    """
    insert into users as u (username, email, full_name, password_hash, role, language) values ($1, $2, $3, $4, $5, $6)
    on conflict do nothing returning """
    + USER,
)
set_password_hash = Command("update users set password_hash = $2 where id = $1")
set_disabled = Command("update users set disabled_at = case when $2::boolean then now() end where id = $1")

credential_by_username = Query(
    Credential,
    "select " + CREDENTIAL + " from users where lower(username) = lower($1)",
)
credential_by_email = Query(
    Credential,
    "select " + CREDENTIAL + " from users where lower(email) = lower($1)",
)

insert_customer = Query(
    CustomerRecord, "insert into customers (name) values ($1) returning id, number, name, created_at"
)
insert_member = Command("insert into members (customer_id, user_id, role) values ($1, $2, $3)")
first_membership = Query(
    MembershipRecord,
    """
    select c.id, c.name, t.role from members t join customers c on c.id = t.customer_id
    where t.user_id = $1 order by c.id limit 1
    """,
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

insert_session = Scalar(
    int,
    """
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
revoke_all_sessions = Scalar(int, "delete from sessions where user_id = $1 returning id")
delete_ended_sessions = Command("delete from sessions where expires_at < now() or seen_at < now() - $1::interval")

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

# A sign-in is counted as failed before the password is looked at, so that many at once cannot slip through; a good one
# takes its count back. The first $2 are free, then the wait doubles from one second up to $3 seconds; an hour forgives.
# No row: it has to wait.
count_attempt = Query(
    FailureRow,
    """
    insert into sign_in_failures as f (key, failures, last_at, next_at)
    values ($1, 1, clock_timestamp(), clock_timestamp())
    on conflict (key) do update set
        failures = case when f.last_at < clock_timestamp() - interval '1 hour' then 1 else f.failures + 1 end,
        last_at = clock_timestamp(),
        next_at = clock_timestamp() + case
            when f.last_at < clock_timestamp() - interval '1 hour' or f.failures + 1 < $2::int then interval '0'
            else least(power(2, least(f.failures + 1 - $2::int, 20)), $3::float8) * interval '1 second' end
    where f.next_at <= clock_timestamp()
    returning failures, greatest(0, extract(epoch from next_at - clock_timestamp()))::float8 as wait
    """,
)
attempt_wait = Scalar(
    float,
    "select greatest(0, extract(epoch from next_at - clock_timestamp()))::float8 from sign_in_failures where key = $1",
)
forget_attempts = Command("delete from sign_in_failures where key = $1")
take_attempt_back = Command(
    "update sign_in_failures set failures = greatest(failures - 1, 0), next_at = clock_timestamp() where key = $1"
)
forget_old_attempts = Command("delete from sign_in_failures where last_at < now() - interval '1 day'")
