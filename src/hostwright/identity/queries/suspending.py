"""SQL of keeping people out and letting them in again."""

from __future__ import annotations

from hostwright.core.db import Command, Query, Scalar
from hostwright.identity.queries.accounts import USER
from hostwright.identity.records import UserRecord

# Whether somebody can act as staff is looked at and changed by one at a time: two who suspend each other at once would
# leave nobody.
hold_staff = Scalar(int, "select 1 from pg_advisory_xact_lock(hashtextextended('identity.staff', 0))")
other_staff = Scalar(int, "select count(*) from users where role = 'admin' and disabled_at is null and id <> $1")
user_to_change = Query(UserRecord, "select " + USER + " from users u where u.id = $1")
suspend = Command("update users set disabled_at = now(), disabled_reason = $2 where id = $1 and disabled_at is null")
enable = Command(
    "update users set disabled_at = null, disabled_reason = null where id = $1 and disabled_at is not null"
)
