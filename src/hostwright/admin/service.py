"""What staff may do with jobs that were given up."""

from __future__ import annotations

from hostwright.audit.service import record
from hostwright.core import queue
from hostwright.core.db import Tx
from hostwright.core.queue import JobRow
from hostwright.identity.schemas import Viewer


async def replay_job(tx: Tx, staff: Viewer, dead_id: int) -> JobRow:
    """Put a dead job back into the queue, its attempts counted anew; raises `NoRow`. Locks its row."""
    dead = await queue.replay(tx, dead_id)
    await _note(tx, staff, dead, "job.replayed")
    return dead


async def discard_job(tx: Tx, staff: Viewer, dead_id: int) -> JobRow:
    """Forget a dead job: its work is never done; raises `NoRow`. Locks its row."""
    dead = await queue.discard(tx, dead_id)
    await _note(tx, staff, dead, "job.discarded")
    return dead


async def _note(tx: Tx, staff: Viewer, dead: JobRow, action: str) -> None:
    await record(
        tx,
        actor_id=staff.user_id,
        actor_label=staff.label,
        action=action,
        outcome="done",
        object_type="job",
        object_id=str(dead.id),
        object_label=dead.name,
        address=staff.address,
        request_id=staff.request_id,
    )
