"""Users and their public keys as VirtFusion tells them, in the words of `core.providers`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from hostwright.core.http.failures import CONTROLS
from hostwright.core.providers import ExternalUser, SshKey
from hostwright.upstream.virtfusion.estate_types import KeptKey, OwnedServer, User, UserKey
from hostwright.upstream.virtfusion.reading import MOST, is_id, moment, number, text

LONGEST_KEY: Final = 16_384
LONGEST_NUMBER: Final = 18  # digits that surely fit
FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)


def owner_of(server: OwnedServer) -> ExternalUser | None:
    """Who has a server; None when the answer does not say."""
    return user(server.owner) if isinstance(server.owner, User) else None


def user(found: User) -> ExternalUser | None:
    """A user; None when the number cannot be one."""
    if not is_id(found.id):
        return None
    return ExternalUser(
        external_id=found.id,
        relation_id=_relation(found.ext_relation_id),
        name=text(found.name) or f"User {found.id}",
        email=text(found.email) or "",
        suspended=bool(found.suspended),
    )


def _relation(value: int | str | None) -> int | None:
    """Newer versions allow texts; one that is no number is not ours."""
    if isinstance(value, str):
        fits = value.isascii() and value.isdecimal() and len(value) <= LONGEST_NUMBER
        value = int(value) if fits else None
    return number(value, MOST)


def keys(found: list[UserKey]) -> list[SshKey]:
    """Keys, oldest first. One whose text is not told is left out, since nobody could say what it opens."""
    usable = [_key(one) for one in found if one.public_key and is_id(one.id)]
    return sorted(usable, key=lambda key: (key.created_at or FIRST, key.external_id))


def _key(found: UserKey) -> SshKey:
    public = CONTROLS.sub("", found.public_key or "")[:LONGEST_KEY].strip()
    return SshKey(found.id, text(found.name) or f"Key {found.id}", public, bool(found.enabled), moment(found.created))


def kept_key(found: KeptKey, name: str, public_key: str) -> SshKey:
    """A key that was just added: the vendor says only its number and when."""
    return SshKey(found.id, name, public_key, enabled=True, created_at=moment(found.created_at))
