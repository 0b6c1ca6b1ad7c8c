"""Carrying an action out, once: claim in a transaction, call outside any, outcome in another."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog

from hostwright.core.clock import Clock, SystemClock
from hostwright.core.db import Database, Tx
from hostwright.core.jobs import enqueue
from hostwright.core.providers import (
    ActionTicket,
    Ambiguous,
    Gone,
    ProviderError,
    Refused,
    Transient,
)
from hostwright.servers.events import PERFORM_ACTION, WATCH_ACTION, ActionRef, WatchRef
from hostwright.servers.policy import CLAIM_HOLDS, SETTLE_WITHIN
from hostwright.servers.ports import ComputeProvider, Providers
from hostwright.servers.queries import actions
from hostwright.servers.records import ActionKind, ActionState, TargetAction
from hostwright.servers.service.common import announce
from hostwright.servers.service.sending import send, take_effect

log = structlog.get_logger(__name__)

LOST: Final = Ambiguous.code
MAX_BACKOFF: Final = 30.0
PENDING: Final = frozenset({ActionState.QUEUED, ActionState.SENDING, ActionState.RUNNING})
NO_ANSWER: Final = "VirtFusion did not say in time how it ended. Look at the state before you try again."
LOG_STATUS: Final = {
    ActionState.SUCCEEDED: "success",
    ActionState.FAILED: "failed",
    ActionState.UNKNOWN: "unknown",
}


async def perform_action(database: Database, providers: Providers, clock: Clock, action_id: int) -> None:
    """Send a queued action. Safe to run twice: what was sent before is observed, not sent again."""
    async with database.acquire() as db:
        asked = await actions.target.maybe(db, action_id)
    if asked is None:
        return
    provider = await _provider(providers, asked.connection_id)
    target = await _claim(database, clock, action_id)
    if target is None:
        return
    try:
        if isinstance(provider, ProviderError):
            raise provider
        ticket = await send(provider, target)
    except ProviderError as error:
        await _not_taken(database, clock, target, error)
        return
    await _taken(database, clock, target, ticket)


async def _provider(providers: Providers, connection_id: int) -> ComputeProvider | ProviderError:
    """The provider, or why there is none. Asked for before the claim: after it only the call itself may fail."""
    try:
        return await providers.compute(connection_id)
    except ProviderError as error:
        return error


async def _claim(database: Database, clock: Clock, action_id: int) -> TargetAction | None:
    """Mark an action as being sent. One that is so already was sent by a worker that died: its answer is lost."""
    now = clock.now()
    async with database.transaction() as tx:
        target = await actions.target.maybe(tx, action_id, lock=True)
        if target is None or target.kind is ActionKind.RESET_PASSWORD:
            return None
        if target.state is ActionState.SENDING:
            await watch_lost(tx, target, now)
            return None
        if target.state is not ActionState.QUEUED:
            return None
        if target.deadline <= now:
            await give_up(tx, target, now)
            return None
        await actions.claim.run(tx, target.id, now)
        # Read under the same lock: what comes later may be another worker's claim.
        claimed = await actions.target.maybe(tx, action_id)
    if claimed is not None and clock.now() - now > CLAIM_HOLDS:
        await _let_go(database, claimed)
        return None
    return claimed


async def _let_go(database: Database, target: TargetAction) -> None:
    """Queue anew what was claimed too long ago to be sent: this process stood still, and another may be at it."""
    log.warning("server.claim_too_old", action_id=target.id, attempt=target.attempts)
    async with database.transaction() as tx:
        current = await actions.target.maybe(tx, target.id, lock=True)
        if current is not None and _is_current(current, target):
            await send_again(tx, current)


def _is_current(now_stands: TargetAction | None, sent: TargetAction) -> bool:
    """Whether the outcome of this attempt is still waited for."""
    return now_stands is not None and now_stands.state is ActionState.SENDING and now_stands.attempts == sent.attempts


async def _taken(database: Database, clock: Clock, target: TargetAction, ticket: ActionTicket) -> None:
    now = clock.now()
    async with database.transaction() as tx:
        current = await actions.target.maybe(tx, target.id, lock=True)
        # An answer that comes after it was given up for lost still says where to follow it.
        given_up = current is not None and current.state is ActionState.RUNNING and current.error_code == LOST
        if current is None or not (_is_current(current, target) or (given_up and ticket.queue_id is not None)):
            return
        await actions.run_on.run(tx, target.id, ticket.queue_id, None, current.deadline)
        if ticket.queue_id is None and target.kind is ActionKind.THROTTLE_CPU:
            await take_effect(tx, target, now, now)
            await finish(tx, target, ActionState.SUCCEEDED, now)
            return
        if ticket.queue_id is None and target.kind is not ActionKind.INSTALL:
            await actions.set_done_at_vendor.run(tx, target.id, now + SETTLE_WITHIN)
        await watch_again(tx, target, 0, now, 1.0)
        await announce(tx, target.server_id, target.customer_id)


async def _not_taken(database: Database, clock: Clock, target: TargetAction, error: ProviderError) -> None:
    now = clock.now()
    log.warning("server.action_not_taken", action_id=target.id, attempt=target.attempts, code=error.code)
    async with database.transaction() as tx:
        current = await actions.target.maybe(tx, target.id, lock=True)
        if not _is_current(current, target):
            return
        match error:
            case Refused() | Gone():
                await finish(tx, target, ActionState.FAILED, now, code=error.code, message=error.message)
            case Transient():
                await _put_back(tx, target, error, now)
            case _:
                await watch_lost(tx, target, now)


async def _put_back(tx: Tx, target: TargetAction, error: ProviderError, now: datetime) -> None:
    """Nothing was done: try again later, longer each time, until the deadline."""
    wait = max(error.retry_after or 0.0, min(2.0 ** (target.attempts - 1), MAX_BACKOFF))
    run_at = now + timedelta(seconds=wait)
    if run_at >= target.deadline:
        message = f"{error.message.rstrip('.')}. Nothing was done."
        await finish(tx, target, ActionState.FAILED, now, code=error.code, message=message)
        return
    await actions.requeue.run(tx, target.id, error.code, error.message)
    await enqueue(tx, PERFORM_ACTION, ActionRef(target.id), key=f"{target.id}:{target.attempts}", run_at=run_at)
    await announce(tx, target.server_id, target.customer_id)


async def send_again(tx: Tx, target: TargetAction) -> None:
    """Queue an action that an observation showed not to have happened."""
    await actions.requeue.run(tx, target.id, None, None)
    await enqueue(tx, PERFORM_ACTION, ActionRef(target.id), key=f"{target.id}:{target.attempts}")


async def watch_lost(tx: Tx, target: TargetAction, now: datetime) -> None:
    """From now on only observe: the answer was lost, so it may or may not have happened."""
    await actions.run_on.run(tx, target.id, None, LOST, min(target.deadline, now + SETTLE_WITHIN))
    await watch_again(tx, target, 0, now, 1.0)
    await announce(tx, target.server_id, target.customer_id)


async def watch_again(tx: Tx, target: TargetAction, turn: int, now: datetime, seconds: float) -> None:
    """Look after an action in ``seconds``.

    Keys alternate, so that a running watch can queue the next one; two chains of watches for one action meet in the
    same key and become one.
    """
    run_at = now + timedelta(seconds=seconds)
    await enqueue(tx, WATCH_ACTION, WatchRef(target.id, turn), key=f"{target.id}:{turn % 2}", run_at=run_at)


async def give_up(tx: Tx, target: TargetAction, now: datetime) -> None:
    """End an action that nobody goes on with: what still waits was not done, of anything else nothing is known."""
    if target.state is ActionState.QUEUED:
        message = "VirtFusion could not be reached in time. Nothing was done."
        await finish(tx, target, ActionState.FAILED, now, code=Transient.code, message=message)
    else:
        code = target.error_code or "deadline"
        await finish(tx, target, ActionState.UNKNOWN, now, code=code, message=NO_ANSWER)


async def give_up_on(tx: Tx, action_id: int, *, clock: Clock | None = None) -> None:
    """End an action whose job was given up; nothing happens when it has ended already."""
    target = await actions.target.maybe(tx, action_id, lock=True)
    if target is not None and target.state in PENDING:
        await give_up(tx, target, (clock or SystemClock()).now())


async def finish(
    tx: Tx,
    target: TargetAction,
    state: ActionState,
    now: datetime,
    *,
    code: str | None = None,
    message: str | None = None,
) -> None:
    """End an action held ``for update``, its line of activity with it; the server is not busy any more."""
    await actions.finish.run(tx, target.id, state, now, code, message)
    await actions.finish_log.run(tx, target.id, LOG_STATUS[state], message, now)
    await actions.look_again.run(tx, target.server_id, False, now)  # noqa: FBT003  a column's value
    if target.kind is ActionKind.SUSPEND and state is ActionState.FAILED:
        await actions.set_reason.run(tx, target.server_id, None)
    await announce(tx, target.server_id, target.customer_id)
    log.info("server.action_ended", action_id=target.id, server_id=target.server_id, state=state.value, code=code)
