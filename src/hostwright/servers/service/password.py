"""Resetting the main account's password. The password passes through once: no table and no log ever has it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from hostwright.core.clock import Clock, SystemClock
from hostwright.core.db import Database, Tx
from hostwright.core.limits import spend
from hostwright.core.logs import error_text
from hostwright.core.providers import (
    Ambiguous,
    Gone,
    ProviderError,
    Refused,
    ResetPassword,
    Transient,
)
from hostwright.core.scope import Scope
from hostwright.servers import queries
from hostwright.servers.policy import (
    ActionPending,
    ServerGone,
    is_windows,
    require_operable,
)
from hostwright.servers.ports import Providers
from hostwright.servers.queries import actions
from hostwright.servers.records import ActionKind, ActionState, TargetAction
from hostwright.servers.schemas import NewPassword
from hostwright.servers.service.actions import LOST, finish, watch_again
from hostwright.servers.service.common import (
    DATABASE_ERRORS,
    Actor,
    AnswerLost,
    UpstreamAway,
    UpstreamRefused,
    announce,
)
from hostwright.servers.service.power import write_down

log = structlog.get_logger(__name__)

RESETS: Final = 5
PER_RESET: Final = timedelta(minutes=2)  # five in ten minutes
MAYBE_CHANGED: Final = "The answer was lost, so the password may have been changed. Reset it again."


async def reset_password(
    database: Database,
    providers: Providers,
    actor: Actor,
    scope: Scope,
    server_id: int,
    *,
    clock: Clock | None = None,
) -> NewPassword:
    """Set a new password and return it, the only time that it is shown.

    Raises the `Conflict` of a server that cannot be operated, `TooManyRequests` after five in ten minutes,
    `UpstreamAway` and `UpstreamRefused` when nothing was changed, `AnswerLost` when it may have been.
    """
    clock = clock or SystemClock()
    async with database.acquire() as db:
        require_operable(await queries.target_of(db, scope, server_id))
        await spend(db, f"reset-password:{server_id}", per=PER_RESET, burst=RESETS)
    async with database.transaction() as tx:
        target = await begin_reset(tx, actor, scope, server_id, clock=clock)
    windows = is_windows(target.operating_system)
    try:
        provider = await providers.compute(target.connection_id)
        outcome = await provider.reset_password(target.external_id, windows=windows)
    except ProviderError as error:
        try:
            await _not_done(database, clock, target, error)
        except DATABASE_ERRORS as lost:
            # What became of the password matters more than what became of our row. The sweep ends the action.
            log.warning("server.reset_not_written", action_id=target.id, error=error_text(lost))
        raise _as_answer(error) from error
    try:
        await finish_reset(database, clock, target, outcome)
    except DATABASE_ERRORS as error:
        # It is changed, and this is the only place that knows the new one. The sweep ends the action.
        log.warning("server.reset_not_written", action_id=target.id, error=error_text(error))
    return NewPassword("Administrator" if windows else "root", outcome.password, target.id)


async def begin_reset(
    tx: Tx, actor: Actor, scope: Scope, server_id: int, *, clock: Clock | None = None
) -> TargetAction:
    """Write the intent down; `NoRow` outside ``scope``, `ActionPending` while anything goes on, even another reset."""
    server = await queries.locked_server(tx, scope, server_id)
    require_operable(server)
    if await queries.pending_action(tx, server.id) is not None:
        raise ActionPending
    now = (clock or SystemClock()).now()
    row = await write_down(tx, actor, server, ActionKind.RESET_PASSWORD, now, sent=True)
    return await actions.target.one(tx, row.id)


async def finish_reset(database: Database, clock: Clock, target: TargetAction, outcome: ResetPassword) -> None:
    """Write the outcome down, without the password; the action stays running until the vendor's queue is done."""
    now = clock.now()
    async with database.transaction() as tx:
        current = await actions.target.maybe(tx, target.id, lock=True)
        if current is None or current.state is not ActionState.SENDING:
            return
        if outcome.queue_id is None:
            await finish(tx, current, ActionState.SUCCEEDED, now)
            return
        await actions.run_on.run(tx, current.id, outcome.queue_id, None, current.deadline)
        await watch_again(tx, current, 0, now, 1.0)
        await announce(tx, current.server_id, current.customer_id)


async def _not_done(database: Database, clock: Clock, target: TargetAction, error: ProviderError) -> None:
    log.warning("server.reset_not_done", action_id=target.id, code=error.code)
    lost = isinstance(error, Ambiguous)
    async with database.transaction() as tx:
        current = await actions.target.maybe(tx, target.id, lock=True)
        if current is None or current.state is not ActionState.SENDING:
            return
        state = ActionState.UNKNOWN if lost else ActionState.FAILED
        message = MAYBE_CHANGED if lost else error.message
        await finish(tx, current, state, clock.now(), code=LOST if lost else error.code, message=message)


def _as_answer(error: ProviderError) -> Exception:
    match error:
        case Transient():
            return UpstreamAway(retry_after=max(1, int(error.retry_after or 5)))
        case Refused():
            return UpstreamRefused(error.message)
        case Gone():
            return ServerGone("VirtFusion does not know this server any more.")
        case _:
            return AnswerLost(MAYBE_CHANGED)
