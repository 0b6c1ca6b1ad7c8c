"""SQL of users, customers and members."""

from __future__ import annotations

from typing import Final

from hostwright.core.db import Command, Query, Scalar
from hostwright.identity.records import (
    Credential,
    CustomerRecord,
    MembershipRecord,
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
# Which of a name and an address somebody has already, in one statement: between two, somebody else may register.
taken = Scalar(
    str,
    """
    select f.field from (values
        (1, 'username', exists (select from users where lower(username) = lower($1))),
        (2, 'email', exists (select from users where lower(email) = lower($2)))
    ) as f (place, field, found) where f.found order by f.place
    """,
)
insert_user = Query(
    UserRecord,
    """
    insert into users as u (username, email, full_name, password_hash, role, language) values ($1, $2, $3, $4, $5, $6)
    on conflict do nothing returning """
    + USER,
)
set_password_hash = Command("update users set password_hash = $2 where id = $1")
set_disabled = Command(
    "update users set disabled_at = case when $2::boolean then now() end, disabled_reason = null where id = $1"
)
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
