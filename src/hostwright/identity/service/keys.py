"""API keys."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from hostwright.core.crypto import new_token, token_hash
from hostwright.core.db import Tx
from hostwright.core.errors import FieldProblem, Invalid
from hostwright.identity import policy, queries
from hostwright.identity.records import KeyRecord, UserRecord

KEY_PREFIX: Final = "hw_"
SHOWN_PREFIX: Final = 8


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
