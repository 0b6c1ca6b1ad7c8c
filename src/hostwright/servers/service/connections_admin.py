"""Staff attach, change, check, switch and remove control systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from hostwright.audit.service import record
from hostwright.core.clock import Clock, SystemClock
from hostwright.core.crypto import Keyring
from hostwright.core.db import Database, Tx
from hostwright.core.errors import Conflict, FieldProblem, Invalid
from hostwright.core.jobs import enqueue
from hostwright.core.providers import AreaProbe
from hostwright.servers.events import HYPERVISORS, MIRROR, ConnectionRef
from hostwright.servers.ports import Trial
from hostwright.servers.queries import connections as statements
from hostwright.servers.queries import connections_admin as admin
from hostwright.servers.queries.connections_admin import ConnectionFacts
from hostwright.servers.service.common import Actor
from hostwright.servers.service.connections import TABLE, TOKEN, add_connection

API: Final = "/api/v1"
CONNECT: Final = "connect"
LONGEST_URL: Final = 300
LOOKS_LIKE: Final = "must look like https://control.example.com"
NO_CREDENTIALS: Final = "must hold no name and no password; the token has a field of its own"
TOKEN_AGAIN: Final = "is needed again, since the address changed"  # noqa: S105  a message
TAKEN: Final = "is attached already"


class ChangedMeanwhile(Conflict):
    code = "connection_changed"
    default_message = "Somebody changed this connection meanwhile. Nothing was saved; look at it and try again."


class StillUsed(Conflict):
    code = "connection_in_use"
    default_message = (
        "Servers or customers' accounts stand on this connection. Switch it off instead: history needs it."
    )


class Wish(msgspec.Struct, frozen=True):
    """A connection as staff want it. ``token`` "" keeps the one that is stored."""

    name: str
    base_url: str
    token: str
    verify_tls: bool
    calls_per_minute: int
    allow_private_targets: bool

    def __repr__(self) -> str:
        """Without the token."""
        return f"Wish(name={self.name!r}, base_url={self.base_url!r})"


class Tried(msgspec.Struct, frozen=True):
    """What trying an address and a token found, area by area."""

    areas: Sequence[AreaProbe]

    @property
    def ok(self) -> bool:
        """Whether everything works."""
        return bool(self.areas) and all(area.ok for area in self.areas)

    @property
    def problem(self) -> str | None:
        """What is wrong first of all; None when nothing is."""
        return next((area.problem for area in self.areas if not area.ok), None)


def usual_url(text: str) -> str:
    """The address of a control system as connections keep it, without the API's path; raises `Invalid`."""
    text = text.strip()
    try:
        parts = urlsplit(text)
        good = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise Invalid([FieldProblem("baseUrl", LOOKS_LIKE)]) from None
    if parts.username is not None or parts.password is not None:
        raise Invalid([FieldProblem("baseUrl", NO_CREDENTIALS)])
    written = text.isascii() and text.isprintable() and " " not in text and "\\" not in text
    if not good or not written or parts.query or parts.fragment or len(text) > LONGEST_URL:
        raise Invalid([FieldProblem("baseUrl", LOOKS_LIKE)])
    path = parts.path.rstrip("/").removesuffix(API).rstrip("/")
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{path}"


def host_of(base_url: str) -> str:
    """The host, with its port when that is not the usual one."""
    return urlsplit(base_url).netloc


def _place(base_url: str) -> tuple[str, str]:
    parts = urlsplit(base_url)
    return parts.scheme, parts.netloc


def reaches_elsewhere(row: ConnectionFacts, wish: Wish) -> bool:
    """Whether a change is about the way to VirtFusion, so that it has to be tried."""
    return bool(wish.token) or (row.base_url, row.verify_tls) != (wish.base_url, wish.verify_tls)


async def stored_token(database: Database, keyring: Keyring, connection_id: int) -> tuple[str, str, bool]:
    """Address, token and whether certificates are checked; raises `NoRow`."""
    async with database.acquire() as db:
        row = await statements.connection.one(db, connection_id)
    token = keyring.decrypt(TABLE, TOKEN, row.id, row.token).decode()
    return row.base_url, token, row.verify_tls


async def try_out(trial: Trial, base_url: str, token: str, *, verify_tls: bool) -> Tried:
    """Ask VirtFusion for each thing that we need; reads only, and holds no connection to the database."""
    async with trial(base_url, token, verify_tls=verify_tls) as provider:
        return Tried(await provider.probe())


async def try_wish(
    database: Database, keyring: Keyring, trial: Trial, wish: Wish, connection_id: int | None = None
) -> Tried:
    """Try a wish; an empty token is the stored one of ``connection_id``, which goes to no other host (`Invalid`)."""
    token = wish.token
    if connection_id is not None and not token:
        base_url, token, _ = await stored_token(database, keyring, connection_id)
        if _place(base_url) != _place(wish.base_url):
            raise Invalid([FieldProblem("token", TOKEN_AGAIN)])
    if not token:
        raise Invalid([FieldProblem("token", "is required")])
    return await try_out(trial, wish.base_url, token, verify_tls=wish.verify_tls)


async def attach(
    tx: Tx, keyring: Keyring, actor: Actor, wish: Wish, tried: Tried | None, *, twice: bool = False
) -> int:
    """Attach a control system and begin to read it; returns its id.

    Raises `Invalid` when the address is attached already, unless ``twice``. Takes turns with other changes.
    """
    await admin.take_turn.value(tx)
    if not wish.token:
        raise Invalid([FieldProblem("token", "is required")])
    if not twice and await admin.same_place.maybe(tx, wish.base_url, 0) is not None:
        raise Invalid([FieldProblem("baseUrl", TAKEN)])
    connection_id = await add_connection(
        tx,
        keyring,
        name=wish.name,
        base_url=wish.base_url,
        token=wish.token,
        verify_tls=wish.verify_tls,
        calls_per_minute=wish.calls_per_minute,
    )
    await _change(tx, connection_id, wish)
    if tried is not None:
        await note_probes(tx, connection_id, tried)
    await begin_reading(tx, connection_id)
    detail = {"host": host_of(wish.base_url), "tested": tried is not None and tried.ok}
    await _audit(tx, actor, "connection.added", connection_id, wish.name, detail)
    return connection_id


async def change(  # noqa: PLR0913  each is needed
    tx: Tx,
    keyring: Keyring,
    actor: Actor,
    connection_id: int,
    wish: Wish,
    tried: Tried | None,
    *,
    version: str | None = None,
    twice: bool = False,
) -> None:
    """Change a connection; ``version`` is what `version_of` said when it was read.

    Raises `NoRow`, `ChangedMeanwhile`, and `Invalid` when the token would go to another host or the address is taken.
    """
    await admin.take_turn.value(tx)
    row = await statements.connection.one(tx, connection_id, lock=True)
    if version is not None and version != row.updated_at.isoformat():
        raise ChangedMeanwhile
    if not wish.token and _place(row.base_url) != _place(wish.base_url):
        raise Invalid([FieldProblem("token", TOKEN_AGAIN)])
    moved = row.base_url != wish.base_url
    if moved and not twice and await admin.same_place.maybe(tx, wish.base_url, connection_id) is not None:
        raise Invalid([FieldProblem("baseUrl", TAKEN)])
    await _change(tx, connection_id, wish)
    if wish.token:
        secret = keyring.encrypt(TABLE, TOKEN, connection_id, wish.token.encode())
        await admin.change_token.run(tx, connection_id, secret)
    if tried is not None:
        await note_probes(tx, connection_id, tried)
    changes = {"host": [host_of(row.base_url), host_of(wish.base_url)]} if moved else {}
    detail = {**changes, "replaced_access": bool(wish.token)}
    await _audit(tx, actor, "connection.changed", connection_id, wish.name, detail)


async def _change(tx: Tx, connection_id: int, wish: Wish) -> None:
    await admin.change.run(
        tx,
        connection_id,
        wish.name,
        wish.base_url,
        wish.verify_tls,
        wish.calls_per_minute,
        wish.allow_private_targets,
    )


def version_of(facts: ConnectionFacts) -> str:
    """What a form sends back, so that of two who change at once the second is told."""
    return facts.updated_at.isoformat()


async def begin_reading(tx: Tx, connection_id: int) -> None:
    """Have servers and hypervisors listed as soon as a worker is free."""
    reference = ConnectionRef(connection_id)
    await enqueue(tx, MIRROR, reference, key=str(connection_id))
    await enqueue(tx, HYPERVISORS, reference, key=str(connection_id))


async def note_probes(tx: Tx, connection_id: int, tried: Tried, clock: Clock | None = None) -> None:
    """Keep what a check found, in place of what the one before found."""
    now = (clock or SystemClock()).now()
    await statements.connection.one(tx, connection_id, lock=True)
    await admin.forget_probes.run(tx, connection_id)
    await admin.insert_probe.many(
        tx,
        [(connection_id, area.area, area.ok, area.problem, at, now) for at, area in enumerate(tried.areas)],
    )


async def check_now(database: Database, keyring: Keyring, trial: Trial, actor: Actor, connection_id: int) -> Tried:
    """Try a stored connection, switched off or not, and keep what was found; raises `NoRow`."""
    base_url, token, verify_tls = await stored_token(database, keyring, connection_id)
    tried = await try_out(trial, base_url, token, verify_tls=verify_tls)
    async with database.transaction() as tx:
        await note_probes(tx, connection_id, tried)
        facts = await admin.facts.one(tx, connection_id)
        await _audit(tx, actor, "connection.checked", connection_id, facts.name, {"ok": tried.ok})
    return tried


async def switch(tx: Tx, actor: Actor, connection_id: int, *, enabled: bool) -> bool:
    """Switch a connection on or off; False when it was so already. Raises `NoRow`."""
    row = await statements.connection.one(tx, connection_id, lock=True)
    if not await admin.switch.run(tx, connection_id, enabled):
        return False
    if enabled:
        await begin_reading(tx, connection_id)
    action = "connection.switched_on" if enabled else "connection.switched_off"
    await _audit(tx, actor, action, connection_id, row.name, {})
    return True


async def remove(tx: Tx, actor: Actor, connection_id: int) -> None:
    """Forget a connection; raises `NoRow`, and `StillUsed` while servers or customers' accounts stand on it.

    Servers that are gone count as well: who had their addresses has to be answerable.
    """
    await admin.take_turn.value(tx)
    row = await statements.connection.one(tx, connection_id, lock=True)
    standing = await admin.standing.one(tx, connection_id)
    if standing.servers or standing.gone or standing.accounts:
        raise StillUsed
    await admin.remove.run(tx, connection_id)
    await _audit(tx, actor, "connection.removed", connection_id, row.name, {"host": host_of(row.base_url)})


async def _audit(tx: Tx, actor: Actor, action: str, connection_id: int, name: str, detail: Mapping[str, Any]) -> None:
    await record(
        tx,
        actor_id=actor.id,
        actor_label=actor.label,
        action=action,
        outcome="done",
        object_type="connection",
        object_id=str(connection_id),
        object_label=name,
        detail=detail,
        address=actor.address,
        request_id=actor.request_id,
    )
