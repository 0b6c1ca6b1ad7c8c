"""The API for staff: users."""

from litestar import Controller
from litestar.params import FromPath, JSONBody
from msgspec import structs

from hostwright.admin.api.parameters import (
    FilterWanted,
    PageNumber,
    PageSize,
    SortDirection,
    SortField,
    UserSearch,
)
from hostwright.admin.queries import users as statements
from hostwright.admin.queries.users import Wanted, user_page
from hostwright.admin.records import UserRow
from hostwright.admin.schemas import (
    AdminUserCustomer,
    AdminUserDetail,
    AdminUserKey,
    AdminUserList,
    AdminUserRead,
    AdminUserSession,
    SortOrder,
    StatusChange,
    UserFilter,
    UserSort,
    UserStatistics,
)
from hostwright.core.config import Config
from hostwright.core.db import Db, Tx
from hostwright.core.errors import FieldProblem, Invalid
from hostwright.core.paging import DEFAULT_PAGE_SIZE, Page, pagination
from hostwright.core.text import storable
from hostwright.identity.queries import sessions_of
from hostwright.identity.schemas import StaffViewer
from hostwright.identity.service import idle_time
from hostwright.identity.service.suspending import enable_user, suspend_user
from hostwright.web.inject import Injected
from hostwright.web.openapi import get_op, patch_op

SCOPE = "admin:users"
TAG = "Users (staff)"


def _read(row: UserRow) -> AdminUserRead:
    return AdminUserRead(
        id=row.id,
        username=row.username,
        email=row.email,
        full_name=row.full_name,
        role=row.role,
        language=row.language,
        enabled=row.disabled_at is None,
        suspended_at=row.disabled_at,
        suspend_reason=row.disabled_reason,
        email_verified=row.email_verified_at is not None,
        created_at=row.created_at,
        last_sign_in_at=row.last_sign_in_at,
        session_count=row.sessions,
        server_count=row.servers,
        linked=row.linked,
    )


async def _detail(db: Db, config: Config, user_id: int) -> AdminUserDetail:
    row = await statements.one.one(db, user_id)
    customers = await statements.customers_of.all(db, user_id)
    sessions = await sessions_of.all(db, user_id, idle_time(config.session_idle_hours))
    keys = await statements.keys_of.all(db, user_id)
    return AdminUserDetail(
        **structs.asdict(_read(row)),
        customers=[
            AdminUserCustomer(one.id, one.number, one.name, one.role, one.servers, one.linked) for one in customers
        ],
        sessions=[
            AdminUserSession(one.id, one.created_at, one.seen_at, one.address, one.user_agent) for one in sessions
        ],
        api_keys=[
            AdminUserKey(
                one.id,
                one.prefix,
                one.name,
                one.customer_name,
                one.scopes,
                one.created_at,
                one.expires_at,
                one.last_used_at,
                one.revoked_at,
            )
            for one in keys
        ],
    )


class AdminUsersApi(Controller):
    """Everybody who can sign in."""

    path = "/api/admin/users"

    @get_op("", op="adminListUsers", summary="List users", auth="admin", scope=SCOPE, tag=TAG, errors=(400,))
    async def list_users(  # noqa: PLR0913  one parameter each
        self,
        db: Injected[Db],
        viewer: Injected[StaffViewer],
        page: PageNumber = 1,
        page_size: PageSize = DEFAULT_PAGE_SIZE,
        sort_field: SortField = UserSort.CREATED,
        sort_order: SortDirection = SortOrder.DESC,
        wanted_filter: FilterWanted = UserFilter.ALL,
        search: UserSearch = "",
    ) -> AdminUserList:
        """A page of users, with figures of all of them."""
        del viewer
        wanted = Wanted(wanted_filter, sort_field, sort_order is SortOrder.DESC, storable(search).strip())
        part = Page(page, page_size)
        found = await user_page(db, wanted, part)
        figures = found.counts
        return AdminUserList(
            [_read(row) for row in found.rows],
            pagination(part, found.total),
            UserStatistics(figures.total, figures.migrated, figures.admins, figures.active),
        )

    @get_op(
        "/{user_id:int}",
        op="adminGetUser",
        summary="Read a user",
        auth="admin",
        scope=SCOPE,
        tag=TAG,
        errors=(404,),
    )
    async def read_user(
        self,
        db: Injected[Db],
        viewer: Injected[StaffViewer],
        app_config: Injected[Config],
        user_id: FromPath[int],
    ) -> AdminUserDetail:
        """One user with their customers, sessions and keys."""
        del viewer
        return await _detail(db, app_config, user_id)

    @patch_op(
        "/{user_id:int}/status",
        op="adminSetUserStatus",
        summary="Suspend or enable a user",
        auth="admin",
        scope=SCOPE,
        tag=TAG,
        errors=(404, 409),
    )
    async def set_status(
        self,
        tx: Injected[Tx],
        viewer: Injected[StaffViewer],
        app_config: Injected[Config],
        user_id: FromPath[int],
        data: JSONBody[StatusChange],
    ) -> AdminUserDetail:
        """Suspending ends their sessions and refuses their keys. Not oneself, and not the last administrator."""
        reason = storable(data.reason).strip()
        if data.enabled:
            await enable_user(tx, viewer, user_id)
        elif not reason:
            raise Invalid([FieldProblem("reason", "is required")])
        else:
            await suspend_user(tx, viewer, user_id, reason)
        return await _detail(tx, app_config, user_id)
