"""Users as staff look for them, with what other features know of them."""

from __future__ import annotations

from typing import Final, LiteralString

import msgspec

from hostwright.admin.records import UserCounts, UserCustomer, UserKey, UserRow
from hostwright.admin.schemas import UserFilter, UserSort
from hostwright.core.db import Db, Query, Scalar
from hostwright.core.paging import Page
from hostwright.core.text import containing

LINKED: Final = """exists (select from members m join compute_accounts a on a.customer_id = m.customer_id
    where m.user_id = u.id)"""
# Looked up row by row, for the rows of a page only.
COLUMNS: Final = (
    """u.id, u.username, u.email, u.full_name, u.role, u.language, u.disabled_at, u.disabled_reason,
    u.email_verified_at, u.created_at, u.last_sign_in_at,
    (select count(*) from sessions s where s.user_id = u.id and s.expires_at > now()) as sessions,
    (select count(*) from members m join servers s on s.customer_id = m.customer_id and s.state <> 'gone'
        where m.user_id = u.id) as servers,
    (select c.name from members m join customers c on c.id = m.customer_id where m.user_id = u.id
        order by c.id limit 1) as customer_name, """
    + LINKED
    + " as linked"
)
ORDERS: Final[dict[UserSort, tuple[LiteralString, LiteralString]]] = {
    UserSort.USERNAME: ("lower(u.username), u.id", "lower(u.username) desc, u.id desc"),
    UserSort.EMAIL: ("lower(u.email), u.id", "lower(u.email) desc, u.id desc"),
    UserSort.FULL_NAME: ("lower(u.full_name), u.id", "lower(u.full_name) desc, u.id desc"),
    UserSort.CREATED: ("u.created_at, u.id", "u.created_at desc, u.id desc"),
}
FILTERS: Final[dict[UserFilter, LiteralString]] = {
    UserFilter.ALL: "true",
    UserFilter.ACTIVE: "u.disabled_at is null",
    UserFilter.INACTIVE: "u.disabled_at is not null",
    UserFilter.ADMIN: "u.role = 'admin'",
    UserFilter.MIGRATED: LINKED,
}
RARE: Final = 2000
"""As many are sorted in no time; more are met soon enough along the order."""

type Key = tuple[UserFilter, UserSort, bool]

# Each filter and order is a statement of its own, so that its plan can follow the index of the order.
_ids: Final[dict[Key, Scalar[int]]] = {
    (wanted, sort, down): Scalar(
        int, "select u.id from users u where " + where + " order by " + orders[down] + " limit $1 offset $2"
    )
    for wanted, where in FILTERS.items()
    for sort, orders in ORDERS.items()
    for down in (False, True)
}
_rare: Final[dict[Key, Scalar[int]]] = {
    (wanted, sort, down): Scalar(
        int,
        "with found as materialized (select id, username, email, full_name, created_at, role, disabled_at from users"
        " where searched like $3) select u.id from found u where "
        + where
        + " order by "
        + orders[down]
        + " limit $1 offset $2",
    )
    for wanted, where in FILTERS.items()
    for sort, orders in ORDERS.items()
    for down in (False, True)
}
_frequent: Final[dict[Key, Scalar[int]]] = {
    (wanted, sort, down): Scalar(
        int,
        "select u.id from users u where "
        + where
        + " and u.searched like $3 order by "
        + orders[down]
        + " limit $1 offset $2",
    )
    for wanted, where in FILTERS.items()
    for sort, orders in ORDERS.items()
    for down in (False, True)
}
_matches: Final[dict[UserFilter, Scalar[int]]] = {
    wanted: Scalar(int, "select count(*) from users u where " + where + " and u.searched like $1")
    for wanted, where in FILTERS.items()
}
_rows: Final[dict[tuple[UserSort, bool], Query[UserRow]]] = {
    (sort, down): Query(
        UserRow, "select " + COLUMNS + " from users u where u.id = any($1::bigint[]) order by " + orders[down]
    )
    for sort, orders in ORDERS.items()
    for down in (False, True)
}
counts = Query(
    UserCounts,
    """
    select count(*) as total, count(*) filter (where u.disabled_at is null) as active,
        count(*) filter (where u.role = 'admin') as admins,
        (select count(*) from (
            select from compute_accounts a join members m on m.customer_id = a.customer_id group by m.user_id
        ) l) as migrated
    from users u
    """,
)
one = Query(UserRow, "select " + COLUMNS + " from users u where u.id = $1")
customers_of = Query(
    UserCustomer,
    """
    select c.id, c.number, c.name, m.role,
        (select count(*) from servers s where s.customer_id = c.id and s.state <> 'gone') as servers,
        exists (select from compute_accounts a where a.customer_id = c.id) as linked
    from members m join customers c on c.id = m.customer_id where m.user_id = $1 order by c.id
    """,
)
keys_of = Query(
    UserKey,
    """
    select k.id, k.prefix, k.name, c.name as customer_name, k.scopes, k.created_at, k.expires_at, k.last_used_at,
        k.revoked_at
    from api_keys k join customers c on c.id = k.customer_id
    where k.user_id = $1 order by k.revoked_at nulls first, k.id desc limit 100
    """,
)


class Wanted(msgspec.Struct, frozen=True):
    """Which users, in which order."""

    filter: UserFilter = UserFilter.ALL
    sort: UserSort = UserSort.CREATED
    down: bool = True
    search: str = ""

    @property
    def pattern(self) -> str:
        """``search`` as a pattern that finds it anywhere."""
        return containing(self.search)


class Users(msgspec.Struct, frozen=True):
    """A page of users, how many match, and the figures of all."""

    rows: list[UserRow]
    total: int
    counts: UserCounts


async def user_page(db: Db, wanted: Wanted, page: Page) -> Users:
    """A page of users, with the figures of all."""
    figures = await counts.one(db)
    return Users(*await find_users(db, wanted, page, figures), figures)


async def find_users(db: Db, wanted: Wanted, page: Page, figures: UserCounts) -> tuple[list[UserRow], int]:
    """A page of users and how many match. A text that many have is met along the order, one that few have is sorted."""
    key = (wanted.filter, wanted.sort, wanted.down)
    if not wanted.search:
        total = _total(wanted.filter, figures)
        ids = await _ids[key].all(db, page.limit, page.offset)
    else:
        total = await _matches[wanted.filter].value(db, wanted.pattern)
        found = _rare if total <= RARE else _frequent
        ids = await found[key].all(db, page.limit, page.offset, wanted.pattern)
    rows = await _rows[wanted.sort, wanted.down].all(db, ids) if ids else []
    return rows, total


def _total(wanted: UserFilter, figures: UserCounts) -> int:
    match wanted:
        case UserFilter.ALL:
            return figures.total
        case UserFilter.ACTIVE:
            return figures.active
        case UserFilter.INACTIVE:
            return figures.total - figures.active
        case UserFilter.ADMIN:
            return figures.admins
        case UserFilter.MIGRATED:
            return figures.migrated
