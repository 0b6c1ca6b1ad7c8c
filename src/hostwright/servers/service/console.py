"""Consoles before they are open: their tickets, and whether servers have a screen.

Where a screen is comes from the vendor's answer alone, is stored only as ciphertext, and is told to nobody: the relay
signs in to the screen itself (docs/decisions/0016).
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta
from typing import Final

import msgspec

from hostwright.audit.service import record
from hostwright.core.clock import Clock, SystemClock
from hostwright.core.crypto import Keyring, new_token, token_hash
from hostwright.core.db import Database, Tx
from hostwright.core.errors import Conflict, Forbidden
from hostwright.core.limits import spend
from hostwright.core.providers import (
    ConsoleState,
    ConsoleTarget,
    Gone,
    Power,
    ProviderError,
    Refused,
    ServerState,
)
from hostwright.core.scope import Staff
from hostwright.identity.schemas import Viewer
from hostwright.servers import queries
from hostwright.servers.policy import ServerGone, require_operable
from hostwright.servers.ports import ComputeProvider, Providers
from hostwright.servers.queries import console as statements
from hostwright.servers.records import TargetRow
from hostwright.servers.schemas.console import ConsoleRead, ConsoleTest, ConsoleTicket
from hostwright.servers.service.common import Actor, UpstreamAway, UpstreamRefused, actor_of, announce

TABLE: Final = "console_tickets"
TARGET: Final = "target"
TICKET_LIVES: Final = timedelta(seconds=60)
OPENINGS: Final = 30
PER_OPENING: Final = timedelta(seconds=2)
LOOKS: Final = 12
PER_LOOK: Final = timedelta(seconds=5)
SILENT: Final = timedelta(seconds=90)
"""How long a relay without a heartbeat still counts: its process was killed."""
TOO_OFTEN: Final = "Consoles are opened too often. Wait a moment and try again."
ASKED_TOO_OFTEN: Final = "This is asked for too often. Wait a moment and try again."


class ServerStopped(Conflict):
    code = "server_stopped"
    default_message = "This server does not run, so it has no screen. Start it first."


class TooManyConsoles(Conflict):
    code = "too_many_consoles"
    default_message = "You have too many consoles open. Close one of them first."


def require_screen(server: TargetRow) -> None:
    """Only an active server that is not known to stand still has a screen; raises the `Conflict` that says why not."""
    require_operable(server)
    if server.power is Power.STOPPED:
        raise ServerStopped


async def issue_ticket(  # noqa: PLR0913  each is a part of the process
    database: Database,
    providers: Providers,
    keyring: Keyring,
    viewer: Viewer,
    server_id: int,
    *,
    most: int,
    clock: Clock | None = None,
) -> ConsoleTicket:
    """A ticket for one viewing of a server's screen, bound to the viewer's session.

    Raises the `Conflict` of a server without a screen, `TooManyConsoles` while ``most`` of the user's are open,
    `TooManyRequests`, `UpstreamAway` or `UpstreamRefused`.
    """
    actor = actor_of(viewer)
    if viewer.session_id is None:
        raise Forbidden
    clock = clock or SystemClock()
    async with database.acquire() as db:
        server = await queries.target_of(db, viewer.scope, server_id)
        require_screen(server)
        if await statements.open_relays.value(db, viewer.user_id, clock.now() - SILENT) >= most:
            raise TooManyConsoles
        await spend(db, f"console:{viewer.user_id}", per=PER_OPENING, burst=OPENINGS, message=TOO_OFTEN)
    provider = await _provider(providers, server)
    target = await _told(provider.open_console(server.external_id))
    async with database.transaction() as tx:
        server = await queries.locked_server(tx, viewer.scope, server_id)
        require_screen(server)
        return await _store(tx, keyring, viewer, actor, server, target, clock)


async def _store(  # noqa: PLR0913  what a ticket is made of
    tx: Tx,
    keyring: Keyring,
    viewer: Viewer,
    actor: Actor,
    server: TargetRow,
    target: ConsoleTarget,
    clock: Clock,
) -> ConsoleTicket:
    now = clock.now()
    await statements.forget_tickets.run(tx, now)
    ticket_id = await statements.next_ticket_id.value(tx)
    ticket = new_token()
    secret = keyring.encrypt(TABLE, TARGET, ticket_id, msgspec.json.encode(target))
    staff = isinstance(viewer.scope, Staff)
    who = (viewer.user_id, viewer.session_id, viewer.customer_id, staff)
    ends = now + TICKET_LIVES
    await statements.insert_ticket.run(tx, ticket_id, token_hash(ticket), server.id, *who, secret, now, ends)
    await audited(tx, actor, server, "server.console_ticket")
    return ConsoleTicket(ticket, f"/console/{server.id}", ends)


async def audited(
    tx: Tx, actor: Actor, server: TargetRow, action: str, *, detail: dict[str, object] | None = None
) -> None:
    """Write an audit record about a server's console."""
    await record(
        tx,
        actor_id=actor.id,
        actor_label=actor.label,
        action=action,
        outcome="done",
        customer_id=server.customer_id,
        object_type="server",
        object_id=str(server.id),
        object_label=server.name,
        detail=detail,
        address=actor.address,
        request_id=actor.request_id,
    )


async def note(  # noqa: PLR0913  each is a column
    tx: Tx,
    actor: Actor,
    server: TargetRow,
    action: str,
    clock: Clock,
    *,
    error: str | None = None,
    detail: dict[str, object] | None = None,
) -> None:
    """Write a line of activity with its audit record, and tell open pages."""
    status = "success" if error is None else "failed"
    line = (server.id, server.customer_id, action, status, actor.id, actor.label, detail or {}, error, actor.address)
    await statements.insert_line.run(tx, *line, clock.now())
    await audited(tx, actor, server, f"server.{action}", detail=detail)
    await announce(tx, server.id, server.customer_id)


async def read_console(database: Database, providers: Providers, viewer: Viewer, server_id: int) -> ConsoleRead:
    """Whether a server has a screen; changes nothing, neither here nor at the vendor (DEFECT-30)."""
    server = await _looked_at(database, viewer, server_id)
    provider = await _provider(providers, server)
    return _read(await _told(provider.console(server.external_id)))


async def switch_console(
    database: Database, providers: Providers, viewer: Viewer, server_id: int, *, on: bool, clock: Clock | None = None
) -> ConsoleRead:
    """Enable or disable a server's screen; how it stands is read first, so that nothing is turned round (DEFECT-31).

    Disabling ends the consoles that are open.
    """
    actor = actor_of(viewer)
    server = await _looked_at(database, viewer, server_id)
    require_operable(server)
    provider = await _provider(providers, server)
    state = await _told(provider.console(server.external_id))
    if on and state.enabled is not True:
        await _told(provider.open_console(server.external_id))
    elif not on and state.enabled is not False:
        await _told(provider.close_console(server.external_id))
    async with database.transaction() as tx:
        server = await queries.locked_server(tx, viewer.scope, server_id)
        if not on:
            await statements.end_relays.run(tx, server.id)
        await note(tx, actor, server, "vnc_enable" if on else "vnc_disable", clock or SystemClock())
    return _read(await _told(provider.console(server.external_id)))


async def test_console(database: Database, providers: Providers, viewer: Viewer, server_id: int) -> ConsoleTest:
    """Whether the panel reaches the screen that the vendor names; takes no address from anybody. Changes nothing."""
    server = await _looked_at(database, viewer, server_id)
    provider = await _provider(providers, server)
    state = await _told(provider.console(server.external_id))
    if state.target is None:
        return ConsoleTest(reachable=False, problem="VirtFusion does not say where the server's screen is.")
    try:
        screen = await provider.reach_console(state.target)
    except ProviderError as error:
        return ConsoleTest(reachable=False, problem=error.message)
    await screen.close()
    return ConsoleTest(reachable=True, problem=None)


async def _looked_at(database: Database, viewer: Viewer, server_id: int) -> TargetRow:
    async with database.acquire() as db:
        server = await queries.target_of(db, viewer.scope, server_id)
        if server.state is ServerState.GONE:
            raise ServerGone
        await spend(db, f"console-look:{server_id}", per=PER_LOOK, burst=LOOKS, message=ASKED_TOO_OFTEN)
    return server


def _read(state: ConsoleState) -> ConsoleRead:
    return ConsoleRead(enabled=state.enabled, available=state.target is not None)


async def _provider(providers: Providers, server: TargetRow) -> ComputeProvider:
    return await _told(providers.compute(server.connection_id))


async def _told[T](answer: Awaitable[T]) -> T:
    """The vendor's answer, or its failure as an answer of ours. A lost one did no harm: it can be asked again."""
    try:
        return await answer
    except Gone as error:
        raise ServerGone("VirtFusion does not know this server any more.") from error
    except Refused as error:
        raise UpstreamRefused(error.message) from error
    except ProviderError as error:
        raise UpstreamAway(retry_after=max(1, int(error.retry_after or 5))) from error
