"""One's own profile, password and verification."""

from litestar import Controller
from litestar.params import JSONBody

from hostwright.core.db import Database, Db, Tx
from hostwright.identity.api.user import user_read
from hostwright.identity.queries import account as sql
from hostwright.identity.schemas import (
    AccountRead,
    CustomerRead,
    PasswordChange,
    PasswordChanged,
    ProfileChange,
    UserRead,
    VerificationRead,
    Viewer,
)
from hostwright.identity.service.password import change_password
from hostwright.identity.service.profile import change_profile
from hostwright.web.inject import Injected, Services
from hostwright.web.openapi import get_op, patch_op, post_op


def _customer(viewer: Viewer) -> CustomerRead:
    return CustomerRead(viewer.customer_id, viewer.customer_name, viewer.member_role)


class AccountApi(Controller):
    """The account of whoever calls."""

    path = "/api"

    @post_op(
        "/auth/change-password", op="changePassword", summary="Change your password", tag="Identity", errors=(400, 409)
    )
    async def change_password(
        self,
        data: JSONBody[PasswordChange],
        database: Injected[Database],
        viewer: Injected[Viewer],
        services: Injected[Services],
    ) -> PasswordChanged:
        """Needs the present password. Ends every other session; API keys stay."""
        ended = await change_password(database, services.passwords, services.keyring, viewer, data)
        return PasswordChanged(sessions_ended=ended)

    @patch_op("/user/profile", op="changeProfile", summary="Change your name or language", tag="Identity")
    async def change_profile(
        self, data: JSONBody[ProfileChange], tx: Injected[Tx], viewer: Injected[Viewer]
    ) -> UserRead:
        """What is left out stays as it is."""
        return user_read(await change_profile(tx, viewer, data), _customer(viewer))

    @get_op("/v1/dashboard/account", op="getAccount", summary="Your profile", scope="read:user", tag="Identity")
    async def account(self, db: Injected[Db], viewer: Injected[Viewer]) -> AccountRead:
        """The profile with roles, verification and the last sign-in."""
        found = await sql.account_of.one(db, viewer.user_id)
        return AccountRead(
            id=found.id,
            username=found.username,
            full_name=found.full_name,
            email=found.email,
            email_verified=found.email_verified_at is not None,
            roles=[found.role],
            language=found.language,
            last_sign_in_at=found.last_sign_in_at,
            created_at=found.created_at,
            customer=_customer(viewer),
        )

    @get_op(
        "/verification-status",
        op="getVerificationStatus",
        summary="Whether your e-mail address is verified",
        scope="read:user",
        tag="Identity",
    )
    async def verification(self, db: Injected[Db], viewer: Injected[Viewer]) -> VerificationRead:
        """The address, and since when it is known to be yours."""
        found = await sql.account_of.one(db, viewer.user_id)
        return VerificationRead(
            email=found.email,
            email_verified=found.email_verified_at is not None,
            verified_at=found.email_verified_at,
        )
