"""Attaching the first VirtFusion: kept switched off until it was tried, since leaving and coming back keeps it."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import msgspec

from hostwright.core.clock import Clock
from hostwright.core.crypto import Keyring
from hostwright.core.db import Db, Tx
from hostwright.core.errors import FieldProblem, Invalid
from hostwright.core.providers import AreaProbe
from hostwright.identity.schemas import Viewer
from hostwright.servers.ports import Trial
from hostwright.servers.service import add_connection, begin_reading
from hostwright.setup import queries
from hostwright.setup.records import Draft, Progress
from hostwright.setup.schemas import ConnectionForm
from hostwright.setup.service.company import note, require_open

NAME: Final = "VirtFusion"
TABLE: Final = "connections"
COLUMN: Final = "token"
BASE: Final = "baseUrl"
CONNECT: Final = "connect"
"""The area of a probe that says whether address, certificate and token are right at all."""


class Outcome(msgspec.Struct, frozen=True):
    """What a try of the connection found. ``connected``: VirtFusion answers there and takes the token."""

    areas: list[AreaProbe]

    @property
    def connected(self) -> bool:
        """Whether it can be used, if only in part."""
        return bool(self.areas) and all(area.ok for area in self.areas if area.area == CONNECT)

    @property
    def ok(self) -> bool:
        """Whether everything works."""
        return bool(self.areas) and all(area.ok for area in self.areas)


def usual_url(text: str) -> str:
    """An address as people write it, as a connection's; raises `Invalid`."""
    text = text.strip()
    text = (text if "://" in text else f"https://{text}").rstrip("/")
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        parts, good = urlsplit(""), None
    if not good or parts.username or parts.password or parts.query or parts.fragment or not text.isprintable():
        raise Invalid([FieldProblem(BASE, "must look like https://control.example.com")])
    return text


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


async def save_draft(tx: Tx, keyring: Keyring, form: ConnectionForm) -> Draft:
    """Keep what was entered; nothing asks it yet. Raises `Invalid`, `SetupDone`."""
    await require_open(tx)
    base_url = usual_url(form.base_url)
    row = await queries.setup.one(tx)
    known = await queries.draft.maybe(tx, row.connection_id, lock=True) if row.connection_id else None
    token = form.token.strip()
    if not token and known is None:
        raise Invalid([FieldProblem(COLUMN, "is required")])
    if not token and known is not None and _place(known.base_url) != _place(base_url):
        raise Invalid([FieldProblem(COLUMN, "is needed again for another address")])
    if known is None:
        number = await add_connection(
            tx, keyring, name=NAME, base_url=base_url, token=token, verify_tls=form.checks_certificate
        )
        await queries.set_enabled.run(tx, number, False)  # noqa: FBT003  a column's value
        await queries.set_draft.run(tx, number)
    else:
        number = known.id
        secret = keyring.encrypt(TABLE, COLUMN, number, token.encode()) if token else known.token
        await queries.change_draft.run(tx, number, base_url, secret, form.checks_certificate)
        await queries.set_connection.run(tx, None)  # to be attached anew
    return await queries.draft.one(tx, number)


async def try_connection(keyring: Keyring, trial: Trial, draft: Draft) -> Outcome:
    """Ask VirtFusion for each thing that we need; reads only, and holds no connection to the database."""
    token = keyring.decrypt(TABLE, COLUMN, draft.id, draft.token).decode()
    async with trial(draft.base_url, token, verify_tls=draft.verify_tls) as provider:
        return Outcome(await provider.probe())


async def attach(tx: Tx, staff: Viewer, draft: Draft, clock: Clock) -> None:
    """Switch the connection on, and have what is there imported."""
    await require_open(tx)
    await queries.set_enabled.run(tx, draft.id, True)  # noqa: FBT003  a column's value
    await queries.set_connection.run(tx, clock.now())
    await begin_reading(tx, draft.id)
    await note(tx, staff, "setup.connection", NAME)


async def skip(tx: Tx, staff: Viewer, clock: Clock) -> None:
    """Leave VirtFusion for later. What was entered stays, switched off."""
    await require_open(tx)
    row = await queries.setup.one(tx)
    if row.connection_id is not None:
        await queries.set_enabled.run(tx, row.connection_id, False)  # noqa: FBT003  a column's value
    await queries.set_connection.run(tx, clock.now())
    await note(tx, staff, "setup.connection_later")


async def progress_of(db: Db, connection_id: int | None) -> Progress | None:
    """How far the import is; None when nothing is attached."""
    if connection_id is None:
        return None
    found = await queries.progress.maybe(db, connection_id)
    return found if found is not None and found.enabled else None
