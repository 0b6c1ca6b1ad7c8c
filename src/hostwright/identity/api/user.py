"""Who is signed in."""

from litestar import Controller

from hostwright.core.db import Db
from hostwright.identity import queries
from hostwright.identity.records import UserRecord
from hostwright.identity.schemas import CustomerRead, UserRead, Viewer
from hostwright.web.inject import Injected
from hostwright.web.openapi import get_op


def user_read(user: UserRecord, customer: CustomerRead) -> UserRead:
    return UserRead(
        id=user.id,
        username=user.username,
        email=user.email,
        full_name=user.full_name,
        role=user.role,
        language=user.language,
        email_verified=user.email_verified_at is not None,
        created_at=user.created_at,
        customer=customer,
    )


class UserApi(Controller):
    """The caller themselves."""

    path = "/api/user"

    @get_op("", op="getUser", summary="Who is signed in", scope="read:user", tag="Identity")
    async def read(self, db: Injected[Db], viewer: Injected[Viewer]) -> UserRead:
        """The user and the customer that this request is for."""
        user = await queries.user_by_id.one(db, viewer.user_id)
        return user_read(user, CustomerRead(viewer.customer_id, viewer.customer_name, viewer.member_role))
