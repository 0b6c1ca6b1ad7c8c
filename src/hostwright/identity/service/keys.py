"""API keys."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from hostwright.core.crypto import new_token, token_hash
from hostwright.core.db import Tx
from hostwright.core.errors import Conflict, FieldProblem, Invalid, NotFound
from hostwright.identity import policy, queries
from hostwright.identity.records import KeyRecord, OwnKey, UserRecord
from hostwright.identity.schemas import KeyMake, Viewer
from hostwright.identity.service.auditing import About, note
from hostwright.identity.service.common import AccountDisabled

KEY_PREFIX: Final = "hw_"
SHOWN_PREFIX: Final = 8
MOST_KEYS: Final = 50


class TooManyKeys(Conflict):
    """As many keys of one user work as may."""

    code = "too_many_api_keys"
    default_message = "You have 50 API keys already. Revoke one before you make another."


class NewKey(msgspec.Struct, frozen=True):
    """A key that was just made: shown once."""

    record: KeyRecord
    key: str

    def __repr__(self) -> str:
        """Without the key."""
        return f"NewKey(id={self.record.id})"


async def create_api_key(
    tx: Tx,
    *,
    user: UserRecord,
    customer_id: int,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
) -> NewKey:
    """A new key; scopes beyond the user's role are refused (DEFECT-28)."""
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in policy.allowed_scopes(user.role)]
    if unknown or not wanted:
        raise Invalid([FieldProblem("scopes", "may not hold " + ", ".join(unknown) if unknown else "is required")])
    key = new_token(KEY_PREFIX)
    record = await queries.insert_key.one(
        tx, token_hash(key), key[:SHOWN_PREFIX], name, user.id, customer_id, wanted, expires_at
    )
    return NewKey(record, key)


async def make_key(tx: Tx, viewer: Viewer, wanted: KeyMake) -> tuple[OwnKey, str]:
    """A key of the viewer for the customer of this request; returns what is kept of it, and the key itself.

    Locks the user, so that many at once do not become more than `MOST_KEYS`, and no key is made for a user who is
    being disabled. Raises `TooManyKeys`, `AccountDisabled`, and `Invalid` for scopes beyond the role.
    """
    user = await queries.user_by_id.one(tx, viewer.user_id, lock=True)
    if user.disabled_at is not None:
        raise AccountDisabled
    if await queries.live_keys.value(tx, user.id) >= MOST_KEYS:
        raise TooManyKeys
    days = wanted.expires_in_days
    made = await create_api_key(
        tx,
        user=user,
        customer_id=viewer.customer_id,
        name=wanted.name.rstrip(),
        scopes=wanted.scopes,
        expires_at=None if days is None else datetime.now(UTC) + timedelta(days=days),
    )
    kept = await queries.own_key.one(tx, made.record.id, user.id)
    await _audit(tx, viewer, "api_key.created", kept)
    return kept, made.key


async def drop_key(tx: Tx, viewer: Viewer, key_id: int) -> None:
    """One of the viewer's own keys is refused from now on; `NotFound` when it is not theirs, or is gone already."""
    kept = await queries.own_key.maybe(tx, key_id, viewer.user_id)
    if kept is None or not await queries.revoke_key.run(tx, key_id, viewer.user_id):
        raise NotFound
    await _audit(tx, viewer, "api_key.revoked", kept)


async def _audit(tx: Tx, viewer: Viewer, action: str, kept: OwnKey) -> None:
    expires_at = kept.expires_at.isoformat() if kept.expires_at else None
    await note(
        tx,
        viewer,
        action,
        About("api_key", kept.id, kept.name),
        customer_id=kept.customer_id,
        detail={"scopes": kept.scopes, "expiresAt": expires_at},
    )
