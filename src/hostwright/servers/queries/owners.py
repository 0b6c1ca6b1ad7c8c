"""Servers without an owner in the panel, customers without servers, and what ties the two."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from hostwright.core.db import Command, Db, Query, Scalar
from hostwright.core.paging import Page
from hostwright.core.providers import ServerState


class UnownedRow(msgspec.Struct, frozen=True):
    """A user at a vendor who has servers and is no customer yet. ``external_owner_id`` 0: the vendor does not say who.

    ``names`` are some of the servers.
    """

    connection_id: int
    connection_name: str
    external_owner_id: int
    servers: int
    names: list[str]


class OwnedRow(msgspec.Struct, frozen=True):
    """One server of a user at a vendor."""

    id: int
    external_id: int
    name: str
    state: ServerState
    customer_id: int | None
    primary_ipv4: str | None


class AccountRow(msgspec.Struct, frozen=True):
    """A customer's user at a vendor."""

    id: int
    connection_id: int
    connection_name: str
    customer_id: int
    customer_name: str
    customer_number: int
    external_user_id: int
    external_relation_id: int | None
    created_at: datetime


class CandidateRow(msgspec.Struct, frozen=True):
    """A customer to link. ``linked``: it has a user at this connection already."""

    id: int
    number: int
    name: str
    email: str | None
    linked: bool


class CustomerFacts(msgspec.Struct, frozen=True):
    """A customer and the person who owns it; None when nobody does."""

    id: int
    number: int
    name: str
    email: str | None
    full_name: str | None


# Grouped along the index, so that a page ends when it is full. Keyset: the last of the page before.
_UNOWNED: Final = """select g.connection_id, c.name as connection_name, g.owner as external_owner_id, g.servers,
        array(select s.name from servers s where s.connection_id = g.connection_id and s.customer_id is null
            and s.state <> 'gone' and s.external_owner_id = g.owner
            order by s.name, s.id limit 3) as names
    from (select s.connection_id, s.external_owner_id as owner, count(*) as servers from servers s
        where s.customer_id is null and s.state <> 'gone' and s.external_owner_id is not null
        and (s.connection_id, s.external_owner_id) > ($1::bigint, $2::bigint)
        group by s.connection_id, s.external_owner_id
        order by s.connection_id, s.external_owner_id limit $3) g
    join connections c on c.id = g.connection_id order by g.connection_id, g.owner"""
unowned = Query(UnownedRow, _UNOWNED)
unsaid = Query(
    UnownedRow,
    """select s.connection_id, c.name as connection_name, 0::bigint as external_owner_id, count(*) as servers,
        (array_agg(s.name order by s.name, s.id))[1:3] as names
    from servers s join connections c on c.id = s.connection_id
    where s.customer_id is null and s.state <> 'gone' and s.external_owner_id is null
    group by s.connection_id, c.name order by c.name, s.connection_id""",
)
unowned_total = Scalar(
    int, "select coalesce(sum(n), 0)::bigint from server_counts where customer_id = 0 and state <> 'gone'"
)

_OWNED: Final = "select s.id, s.external_id, s.name, s.state, s.customer_id, s.primary_ipv4 "
_OF_USER: Final = "from servers s where s.connection_id = $1 and s.external_owner_id = $2 and s.state <> 'gone'"
_OF_NOBODY: Final = """from servers s where s.connection_id = $1 and s.external_owner_id is null
    and s.customer_id is null and s.state <> 'gone'"""
of_user = Query(OwnedRow, _OWNED + _OF_USER + " order by s.name, s.id limit $3 offset $4")
of_user_total = Scalar(int, "select count(*) " + _OF_USER)
_of_nobody = Query(OwnedRow, _OWNED + _OF_NOBODY + " order by s.name, s.id limit $2 offset $3")
_of_nobody_total = Scalar(int, "select count(*) " + _OF_NOBODY)
any_of_user = Scalar(
    int,
    "select s.external_id from servers s where s.connection_id = $1 and s.external_owner_id = $2 "
    "order by s.state = 'gone', s.id limit 1",
)

ACCOUNT: Final = """select a.id, a.connection_id, c.name as connection_name, a.customer_id, u.name as customer_name,
    u.number as customer_number, a.external_user_id, a.external_relation_id, a.created_at
    from compute_accounts a join connections c on c.id = a.connection_id join customers u on u.id = a.customer_id """
account = Query(AccountRow, ACCOUNT + "where a.id = $1")
account_of_user = Query(AccountRow, ACCOUNT + "where a.connection_id = $1 and a.external_user_id = $2")
account_of_customer = Query(AccountRow, ACCOUNT + "where a.connection_id = $1 and a.customer_id = $2")
idle_accounts = Query(
    AccountRow,
    ACCOUNT
    + """where a.id > $1 and not exists (select from servers s where s.customer_id = a.customer_id
        and s.connection_id = a.connection_id and s.state <> 'gone')
    order by a.id limit $2""",
)
accounts = Query(AccountRow, ACCOUNT + "where a.id > $1 and lower(u.name) like $3 order by a.id limit $2")
accounts_total = Scalar(int, "select count(*) from compute_accounts")

_OWNER: Final = """left join lateral (select p.email, p.full_name from members m join users p on p.id = m.user_id
        where m.customer_id = u.id and m.role = 'owner' order by p.id limit 1) o on true """
# Each way of finding by its own index; all of it in one statement.
candidates = Query(
    CandidateRow,
    """select u.id, u.number, u.name, o.email, exists (select from compute_accounts a
        where a.connection_id = $1 and a.customer_id = u.id) as linked
    from customers u """
    + _OWNER
    + """where u.id in (
        select id from customers where number = $3
        union (select id from customers where lower(name) like $2 limit 200)
        union (select m.customer_id from users p join members m on m.user_id = p.id and m.role = 'owner'
            where lower(p.email) like $2 limit 200)
    ) order by u.name, u.id limit 10""",
)
customer_facts = Query(
    CustomerFacts, "select u.id, u.number, u.name, o.email, o.full_name from customers u " + _OWNER + "where u.id = $1"
)

delete_account = Command("delete from compute_accounts where id = $1")
abandoned = Scalar(
    int,
    """with theirs as (
        select id from servers where connection_id = $1 and customer_id = $2 order by id for update
    )
    update servers s set customer_id = null from theirs t where s.id = t.id returning s.id""",
)
username_like = Scalar(
    str,
    "select lower(username) from users where lower(username) like $1 order by length(username), username limit 1000",
)


async def unowned_page(db: Db, after: tuple[int, int], limit: int) -> list[UnownedRow]:
    """Users at vendors who are no customers yet, by connection and number, after that one."""
    return await unowned.all(db, *after, limit)


async def servers_of(db: Db, connection_id: int, external_user_id: int, page: Page) -> tuple[list[OwnedRow], int]:
    """A page of the servers of a user at a vendor, by name, and how many there are. 0: whose owner is not told."""
    if external_user_id == 0:
        rows = await _of_nobody.all(db, connection_id, page.limit, page.offset)
        return rows, await _of_nobody_total.value(db, connection_id)
    rows = await of_user.all(db, connection_id, external_user_id, page.limit, page.offset)
    return rows, await of_user_total.value(db, connection_id, external_user_id)
