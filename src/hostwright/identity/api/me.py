"""Who a key is: operations for API keys alone, under the addresses that programs know."""

from typing import Any, Final

import msgspec
from litestar import Controller

from hostwright.core.db import Db
from hostwright.identity import queries
from hostwright.identity.api.keys import key_read
from hostwright.identity.api.user import user_read
from hostwright.identity.schemas import CustomerRead, MeRead, UserRead, Viewer
from hostwright.web.inject import Injected
from hostwright.web.openapi import get_op

FACTS: Final[dict[str, Any]] = {"auth": "api-key", "scope": "read:user", "tag": "Identity"}


async def _me(db: Db, viewer: Viewer) -> UserRead:
    user = await queries.user_by_id.one(db, viewer.user_id)
    return user_read(user, CustomerRead(viewer.customer_id, viewer.customer_name, viewer.member_role))


class MeApi(Controller):
    """The user of the key that asks."""

    @get_op("/api/me", op="getMe", summary="Whose API key this is", **FACTS)
    async def me(self, db: Injected[Db], viewer: Injected[Viewer]) -> UserRead:
        """The user, and the customer that the key is for."""
        return await _me(db, viewer)

    @get_op("/api/user/me", op="getUserMe", summary="Whose API key this is, under another address", **FACTS)
    async def user_me(self, db: Injected[Db], viewer: Injected[Viewer]) -> UserRead:
        """The same answer as ``/api/me``."""
        return await _me(db, viewer)

    @get_op("/api/v1/me", op="getMeAndKey", summary="Whose API key this is, and what it may", **FACTS)
    async def me_and_key(self, db: Injected[Db], viewer: Injected[Viewer]) -> MeRead:
        """The user and the customer as in ``/api/me``, with the key's name, scopes, end and last use."""
        user = await _me(db, viewer)
        key = await queries.own_key.one(db, viewer.key_id, viewer.user_id)
        return MeRead(**msgspec.structs.asdict(user), key=key_read(key))
