"""SQL of one's own profile and password."""

from __future__ import annotations

from hostwright.core.db import Query, Scalar
from hostwright.identity.queries.accounts import CREDENTIAL, USER
from hostwright.identity.records import AccountRecord, Credential, UserRecord

account_of = Query(AccountRecord, "select " + USER + ", u.last_sign_in_at from users u where u.id = $1")
# None keeps what is there.
change_profile = Query(
    UserRecord,
    """
    update users as u set full_name = coalesce($2, u.full_name), language = coalesce($3, u.language)
    where u.id = $1 returning """
    + USER,
)
credential_of = Query(Credential, "select " + CREDENTIAL + " from users where id = $1")
# Only in place of the hash that the present password was compared with. No row: somebody was quicker.
replace_password = Scalar(
    int, "update users set password_hash = $3 where id = $1 and password_hash = $2 and disabled_at is null returning id"
)
# Holds the account for a sign-in that compared this hash: whoever changes the password, or disables the account, comes
# before it and is seen, or after it and ends the new session.
held_credential = Scalar(
    int, "select id from users where id = $1 and password_hash = $2 and disabled_at is null for no key update"
)
