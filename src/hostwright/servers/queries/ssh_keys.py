"""Whose account at which control system a person's keys are kept in."""

from __future__ import annotations

import msgspec

from hostwright.core.db import Command, Query, Scalar


class AccountRow(msgspec.Struct, frozen=True):
    """A customer's account at a connected control system."""

    connection_id: int
    connection_name: str
    external_user_id: int
    calls_per_minute: int


_ACCOUNTS = """select c.id as connection_id, c.name as connection_name, a.external_user_id, c.calls_per_minute
    from compute_accounts a join connections c on c.id = a.connection_id where """

accounts_of = Query(AccountRow, _ACCOUNTS + "a.customer_id = $1 order by c.name, c.id")
account_at = Query(AccountRow, _ACCOUNTS + "a.customer_id = $1 and c.id = $2")
accounts_of_user = Query(
    AccountRow,
    _ACCOUNTS
    + """a.customer_id in (select m.customer_id from members m where m.user_id = $1)
    order by c.name, c.id, a.customer_id""",
)
user_known = Scalar(int, "select id from users where id = $1")
# A claim on a key that is being added: given back when it is known that nothing was done.
give_back = Command("delete from rate_limits where key = $1")
