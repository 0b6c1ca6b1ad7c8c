"""Following an action until it has ended: the vendor's queue first, then the server itself."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
import structlog

from hostwright.core.clock import Clock
from hostwright.core.db import Database, Tx
from hostwright.core.jobs import enqueue
from hostwright.core.providers import (
    ActionProgress,
    Gone,
    ObservedServer,
    Power,
    ProviderError,
    Refused,
)
from hostwright.servers.events import PERFORM_ACTION, WATCH_ACTION, ActionRef, WatchRef
from hostwright.servers.policy import (
    EXPECTED,
    OVERDUE_AFTER,
    SENDING_IS_LOST_AFTER,
    SETTLE_WITHIN,
    Verdict,
    deadline_of,
    verdict,
)
from hostwright.servers.ports import ComputeProvider, Providers
from hostwright.servers.queries import actions
from hostwright.servers.records import ActionKind, ActionState, TargetAction
from hostwright.servers.service.actions import (
    LOST,
    NO_ANSWER,
    PENDING,
    finish,
    give_up,
    send_again,
    watch_again,
)
from hostwright.servers.service.common import announce
from hostwright.servers.service.sending import note_seen, take_effect

log = structlog.get_logger(__name__)

DONE: Final = 100
SLOWEST: Final = 5.0
TOO_LATE: Final = {
    ActionKind.SHUTDOWN: "The system did not shut down. Power off forces it.",
    ActionKind.POWEROFF: "VirtFusion says it is done, but the server still runs.",
    ActionKind.BOOT: "VirtFusion says it is done, but the server does not run.",
    ActionKind.RESTART: "VirtFusion says it is done, but the server does not run.",
    ActionKind.RENAME: "VirtFusion says it is done, but the server still has its old name.",
    ActionKind.SUSPEND: "VirtFusion says it is done, but the server is not suspended.",
    ActionKind.UNSUSPEND: "VirtFusion says it is done, but the server is still suspended.",
    ActionKind.CHANGE_OWNER: "VirtFusion says it is done, but the server still has its old owner.",
}
NOT_INSTALLED: Final = "VirtFusion could not install the system. What was on the disk is lost."
INSTALL_LOST: Final = (
    "VirtFusion's answer was lost, and the server was not seen installing anything. Look before you try again."
)
RESTART_LOST: Final = "VirtFusion's answer was lost. The server runs; whether it was restarted cannot be seen."


class Look(msgspec.Struct):
    """What one look brought. ``vendor_done``: nothing more is to be expected from the vendor's queue."""

    at: datetime
    progress: ActionProgress | None = None
    observed: ObservedServer | None = None
    error: ProviderError | None = None
    vendor_done: bool = False


async def watch_action(database: Database, providers: Providers, clock: Clock, action_id: int, turn: int) -> None:
    """Look after a running action once, and come back later unless it has ended."""
    async with database.acquire() as db:
        target = await actions.target.maybe(db, action_id)
    if target is None or target.state is not ActionState.RUNNING:
        return
    look = await _look(providers, clock, target)
    now = clock.now()
    async with database.transaction() as tx:
        current = await actions.target.maybe(tx, action_id, lock=True)
        if current is None or current.state is not ActionState.RUNNING or current.attempts != target.attempts:
            return
        if not await _settle(tx, current, look, now):
            wait = min(SLOWEST, 1.0 + turn // 10)
            retry_after = look.error.retry_after if look.error else None
            await watch_again(tx, current, turn + 1, now, max(wait, retry_after or 0.0))


async def _look(providers: Providers, clock: Clock, target: TargetAction) -> Look:
    """Ask the queue, and once that is done the server. Holds no connection."""
    look = Look(clock.now(), vendor_done=target.progress == DONE or target.external_queue_id is None)
    try:
        provider = await providers.compute(target.connection_id)
        if not look.vendor_done:
            await _ask_queue(provider, target, look)
        wanted = look.vendor_done and target.kind is not ActionKind.RESET_PASSWORD
        if wanted and not (look.progress and look.progress.failed):
            look.at = clock.now()
            look.observed = await provider.observe(target.external_id, power=True)
    except ProviderError as error:
        look.error = error
    return look


async def _ask_queue(provider: ComputeProvider, target: TargetAction, look: Look) -> None:
    try:
        look.progress = await provider.action_progress(target.external_queue_id or 0)
        look.vendor_done = look.progress.finished or look.progress.failed
    except Gone:
        # The queue forgot it: the server itself has to say how it ended.
        look.vendor_done = True


async def _settle(tx: Tx, target: TargetAction, look: Look, now: datetime) -> bool:
    """Write down what was seen; whether the action has ended."""
    if look.progress is not None and look.progress.failed:
        message = look.progress.error or "VirtFusion could not do it."
        await finish(tx, target, ActionState.FAILED, now, code="upstream_failed", message=message)
        return True
    if look.vendor_done and target.kind is ActionKind.RESET_PASSWORD:
        await _end_reset(tx, target, look, now)
        return True
    if isinstance(look.error, Refused) and look.error.status is not None and not look.vendor_done:
        # The queue will never say, for instance because the token may not read it: only the server itself can.
        await actions.run_on.run(tx, target.id, None, LOST, min(target.deadline, now + SETTLE_WITHIN))
        return False
    deadline = await _note_progress(tx, target, look, now)
    if look.observed is not None and await _judge(tx, target, look, look.observed, now):
        return True
    if isinstance(look.error, Gone):
        message = "VirtFusion does not know this server any more."
        await finish(tx, target, ActionState.FAILED, now, code=Gone.code, message=message)
        return True
    if now < deadline:
        return False
    await _too_late(tx, target, look, now)
    return True


async def _end_reset(tx: Tx, target: TargetAction, look: Look, now: datetime) -> None:
    if look.progress is not None and look.progress.finished:
        await finish(tx, target, ActionState.SUCCEEDED, now)
    else:
        await finish(tx, target, ActionState.UNKNOWN, now, code=LOST, message=NO_ANSWER)


async def _note_progress(tx: Tx, target: TargetAction, look: Look, now: datetime) -> datetime:
    """Store how far the queue is and return the deadline: shorter once the vendor is done."""
    if look.vendor_done and target.external_queue_id is not None and target.progress < DONE:
        deadline = min(target.deadline, now + SETTLE_WITHIN)
        await actions.set_done_at_vendor.run(tx, target.id, deadline)
        await announce(tx, target.server_id, target.customer_id)
        return deadline
    progress = look.progress
    if progress is not None and min(progress.progress, DONE - 1) != target.progress:
        await actions.set_progress.run(tx, target.id, min(progress.progress, DONE - 1))
        await announce(tx, target.server_id, target.customer_id)
    return target.deadline


async def _judge(tx: Tx, target: TargetAction, look: Look, seen: ObservedServer, now: datetime) -> bool:
    """Store what was seen and decide by it; whether the action has ended."""
    await note_seen(tx, target, seen, look.at)
    since_sent = look.at - (target.sent_at or target.requested_at)
    lost, begun = target.error_code == LOST, target.progress > 0
    match verdict(target.kind, seen, target.detail, lost=lost, begun=begun, since_sent=since_sent):
        case Verdict.SUCCEEDED:
            await take_effect(tx, target, look.at, now)
            await finish(tx, target, ActionState.SUCCEEDED, now)
        case Verdict.FAILED:
            await finish(tx, target, ActionState.FAILED, now, code="install_failed", message=NOT_INSTALLED)
        case Verdict.CANNOT_TELL:
            await finish(tx, target, ActionState.UNKNOWN, now, code=LOST, message=RESTART_LOST)
        case Verdict.BEGUN:
            await actions.begun.run(tx, target.id, max(target.deadline, target.requested_at + deadline_of(target.kind)))
            return False
        case Verdict.SEND_AGAIN if now < target.deadline:
            await send_again(tx, target)
        case Verdict.SEND_AGAIN | Verdict.WAIT:
            return False
    return True


async def _too_late(tx: Tx, target: TargetAction, look: Look, now: datetime) -> None:
    """The deadline passed. Only when the server was seen otherwise than wanted is it known to have failed."""
    seen = look.observed is not None and (
        target.kind not in EXPECTED or look.observed.power in (Power.RUNNING, Power.STOPPED)
    )
    if look.vendor_done and seen and target.error_code != LOST and target.kind in TOO_LATE:
        await finish(tx, target, ActionState.FAILED, now, code="no_effect", message=TOO_LATE[target.kind])
    elif target.kind is ActionKind.INSTALL and target.error_code == LOST:
        await finish(tx, target, ActionState.UNKNOWN, now, code=LOST, message=INSTALL_LOST)
    else:
        await finish(tx, target, ActionState.UNKNOWN, now, code=target.error_code or "deadline", message=NO_ANSWER)


async def sweep_actions(database: Database, clock: Clock) -> int:
    """Queue anew what should be going on: a queued action's sending, a running one's watch. Returns how many were lost.

    An equal job that still waits makes this do nothing. What should have ended some time ago is ended here: a job that
    fails each time must not be queued anew for ever.
    """
    lost = 0
    async with database.acquire() as db:
        action_ids = await actions.unfinished.all(db)
    for action_id in action_ids:
        async with database.transaction() as tx:
            target = await actions.target.maybe(tx, action_id, lock=True)
            if target is not None:
                lost += await _take_up(tx, target, clock.now())
    return lost


async def _take_up(tx: Tx, target: TargetAction, now: datetime) -> bool:
    if target.state in PENDING and now > target.deadline + OVERDUE_AFTER:
        await give_up(tx, target, now)
        return True
    match target.state:
        case ActionState.RUNNING:
            return await enqueue(tx, WATCH_ACTION, WatchRef(target.id, 0), key=f"{target.id}:0")
        case ActionState.QUEUED:
            return await enqueue(tx, PERFORM_ACTION, ActionRef(target.id), key=f"{target.id}:{target.attempts}")
        case ActionState.SENDING if now - (target.sent_at or target.requested_at) > SENDING_IS_LOST_AFTER:
            if target.kind is ActionKind.RESET_PASSWORD:
                message = "The answer was lost, so the password may have been changed. Reset it again."
                await finish(tx, target, ActionState.UNKNOWN, now, code=LOST, message=message)
                return True
            return await enqueue(tx, PERFORM_ACTION, ActionRef(target.id), key=f"{target.id}:{target.attempts - 1}")
        case _:
            return False
