"""What the API of SSH keys speaks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

MOST_TEXT = 16_384


class SshKeyAdd(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A public key, as the ``.pub`` file has it. ``connectionId`` is needed with accounts at several systems."""

    public_key: Annotated[str, Meta(min_length=1, max_length=MOST_TEXT)]
    name: Annotated[str, Meta(max_length=100)] = ""
    connection_id: int | None = None

    def __repr__(self) -> str:
        """Without the key: somebody may have sent the private half."""
        return f"SshKeyAdd(name={self.name!r})"


class SshKeyRead(msgspec.Struct, frozen=True, rename="camel"):
    """A key. ``bits`` and ``fingerprint`` are null for one that we cannot read."""

    id: int
    connection_id: int
    connection_name: str
    name: str
    type: str
    bits: int | None
    fingerprint: str | None
    comment: str
    public_key: str
    enabled: bool
    created_at: datetime | None


class SshKeyList(msgspec.Struct, frozen=True):
    """A customer's keys."""

    items: list[SshKeyRead]
