"""Consoles while they are open: who may, how many at once, and until when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec
import structlog

from hostwright.core.clock import Clock, SystemClock
from hostwright.core.crypto import KeyMissing, Keyring, Tampered, token_hash
from hostwright.core.db import Database, Tx
from hostwright.core.errors import AppError, Forbidden
from hostwright.core.live import RESYNC, Hub
from hostwright.core.logs import error_text
from hostwright.core.providers import ConsoleTarget
from hostwright.core.scope import OwnedBy, Staff
from hostwright.identity.queries import session_caller, touch_session
from hostwright.identity.records import MemberRole, Role, SessionCaller
from hostwright.identity.schemas import MANAGE_SERVERS
from hostwright.servers import queries
from hostwright.servers.queries import console as statements
from hostwright.servers.queries.console import TicketRow
from hostwright.servers.queries.one import require_id
from hostwright.servers.records import TargetRow
from hostwright.servers.service.common import DATABASE_ERRORS, OPERATORS, Actor
from hostwright.servers.service.console import SILENT, TABLE, TARGET, TooManyConsoles, note, require_screen

log = structlog.get_logger(__name__)

HEARTBEAT: Final = 20.0
CLOSED: Final = "closed"


class Ending(StrEnum):
    """Why a console ends that neither side ended."""

    RESTART = "restart"
    OVER = "over"


class TicketRefused(Forbidden):
    """Unknown, used, expired, or somebody else's: whoever comes with it is told no more."""

    code = "ticket_refused"
    default_message = "This ticket does not open a console. Ask for a new one."


class Knock(msgspec.Struct, frozen=True):
    """Somebody who comes with a ticket. Secrets, so it is not for a log."""

    session_token: str
    ticket: str
    server_id: int
    address: str | None
    request_id: str

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"Knock(server_id={self.server_id})"


class OpenConsole(msgspec.Struct, frozen=True):
    """A console that may be shown. ``customer_id`` is for whom it was opened."""

    relay_id: int
    server: TargetRow
    actor: Actor
    session_id: int
    customer_id: int
    staff: bool
    target: ConsoleTarget
    opened_at: datetime

    @property
    def topics(self) -> list[str]:
        """What its end may be heard of on."""
        return [f"session:{self.session_id}", "staff" if self.staff else f"customer:{self.customer_id}"]


async def redeem_ticket(
    database: Database, keyring: Keyring, knock: Knock, *, idle: timedelta, most: int, clock: Clock | None = None
) -> OpenConsole:
    """Use a ticket up and count the console; ``idle`` is the sessions' idle time.

    Whether the server is still theirs and has a screen is looked at anew. Raises `TicketRefused`, the `Conflict` of a
    server without a screen, or `TooManyConsoles`.
    """
    require_id(knock.server_id)
    now = (clock or SystemClock()).now()
    async with database.transaction() as tx:
        caller = await session_caller.maybe(tx, token_hash(knock.session_token), idle)
        if caller is None or caller.disabled:
            raise TicketRefused
        ticket = await statements.take_ticket.maybe(
            tx, token_hash(knock.ticket), caller.session_id, knock.server_id, now
        )
        if ticket is None or ticket.user_id != caller.user_id or not _may(caller, ticket):
            raise TicketRefused
        scope = Staff(MANAGE_SERVERS) if ticket.staff else OwnedBy(ticket.customer_id)
        server = await queries.locked_server(tx, scope, knock.server_id)
        require_screen(server)
        try:
            target = keyring.decrypt(TABLE, TARGET, ticket.id, ticket.target)
        except (KeyMissing, Tampered) as error:
            raise TicketRefused from error
        relay_id = await _count(tx, ticket, now, most)
    return OpenConsole(
        relay_id=relay_id,
        server=server,
        actor=Actor(caller.user_id, caller.full_name, knock.address, knock.request_id),
        session_id=ticket.session_id,
        customer_id=ticket.customer_id,
        staff=ticket.staff,
        target=msgspec.json.decode(target, type=ConsoleTarget),
        opened_at=now,
    )


def _may(caller: SessionCaller, ticket: TicketRow) -> bool:
    """Whether the caller is today what the ticket was given to."""
    if ticket.staff:
        return caller.role is Role.ADMIN
    roles = dict(zip(caller.customer_ids or [], caller.member_roles or [], strict=True))
    role = roles.get(ticket.customer_id)
    return role is not None and MemberRole(role) in OPERATORS


async def _count(tx: Tx, ticket: TicketRow, now: datetime, most: int) -> int:
    await statements.take_turns.value(tx, ticket.user_id)
    await statements.forget_relays.run(tx, now - SILENT)
    if await statements.open_relays.value(tx, ticket.user_id, now - SILENT) >= most:
        raise TooManyConsoles
    return await statements.insert_relay.value(
        tx, ticket.server_id, ticket.user_id, ticket.session_id, ticket.customer_id, ticket.staff, now
    )


async def note_opened(database: Database, console: OpenConsole, *, error: str | None = None) -> None:
    """Write down that a console was opened, or why it could not be."""
    async with database.transaction() as tx:
        await note(tx, console.actor, console.server, "vnc_connect", SystemClock(), error=error)


async def note_closed(database: Database, console: OpenConsole, *, up: int, down: int, why: str, shown: bool) -> None:
    """Write down that a console has ended; ``shown`` False: nothing was ever seen, so there is nothing to say.

    The line locks the server, and comes before the relay as everywhere: who disables a screen holds the server and
    deletes its relays, in the very moment in which they end.
    """
    clock = SystemClock()
    seconds = round((clock.now() - console.opened_at).total_seconds())
    detail: dict[str, object] = {"ended": why, "seconds": seconds, "bytesUp": up, "bytesDown": down}
    try:
        async with database.transaction() as tx:
            if shown:
                await note(tx, console.actor, console.server, "vnc_disconnect", clock, detail=detail)
            await statements.delete_relay.run(tx, console.relay_id)
    except DATABASE_ERRORS as error:
        # Without its heartbeat the relay soon counts no more.
        log.warning("console.end_not_written", relay_id=console.relay_id, error=error_text(error))


async def watch_console(
    database: Database, hub: Hub, console: OpenConsole, input_at: Callable[[], float], *, idle: timedelta
) -> Ending:
    """Return when whoever opened a console would not be let in any more; looks at each word of a change."""
    stream = hub.subscribe(*console.topics)
    waiting = asyncio.ensure_future(anext(stream))
    seen = input_at()
    words = {f"server:{console.server.id}", CLOSED, RESYNC}
    try:
        while True:
            done, _ = await asyncio.wait({waiting}, timeout=HEARTBEAT)
            if waiting in done:
                try:
                    word = waiting.result()
                except StopAsyncIteration:
                    return Ending.RESTART
                waiting = asyncio.ensure_future(anext(stream))
                if word not in words:
                    continue
            if not await _may_go_on(database, console, idle, active=input_at() > seen):
                return Ending.OVER
            seen = input_at()
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await stream.aclose()


async def _may_go_on(database: Database, console: OpenConsole, idle: timedelta, *, active: bool) -> bool:
    """Beats, and asks. Whoever types at a console uses their session."""
    with suppress(AppError, *DATABASE_ERRORS):
        async with database.transaction() as tx:
            if active:
                await touch_session.run(tx, console.session_id)
            return await statements.beat.maybe(tx, console.relay_id, SystemClock().now(), idle) is not None
    return True  # the database is away, and the next beat asks again
