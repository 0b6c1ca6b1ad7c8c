"""What staff may do with jobs that were given up."""

from __future__ import annotations

from hostwright.core import queue
from hostwright.core.db import Tx
from hostwright.core.queue import JobRow
from hostwright.identity.schemas import Viewer
from hostwright.identity.service.auditing import About, note


async def replay_job(tx: Tx, staff: Viewer, dead_id: int) -> JobRow:
    """Put a dead job back into the queue, its attempts counted anew; raises `NoRow`. Locks its row."""
    dead = await queue.replay(tx, dead_id)
    await note(tx, staff, "job.replayed", About("job", dead.id, dead.name))
    return dead


async def discard_job(tx: Tx, staff: Viewer, dead_id: int) -> JobRow:
    """Forget a dead job: its work is never done; raises `NoRow`. Locks its row."""
    dead = await queue.discard(tx, dead_id)
    await note(tx, staff, "job.discarded", About("job", dead.id, dead.name))
    return dead
