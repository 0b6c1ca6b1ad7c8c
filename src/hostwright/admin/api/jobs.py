"""The API for staff: jobs."""

from typing import Annotated, Any

import msgspec
from litestar import Controller
from litestar.params import FromPath, QueryParameter

from hostwright.admin import service
from hostwright.admin.schemas import JobList, JobRead, JobStatistics
from hostwright.core import queue
from hostwright.core.db import Db, Tx
from hostwright.core.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page, pagination
from hostwright.core.queue import JobRow, JobState
from hostwright.identity.schemas import StaffViewer
from hostwright.web.inject import Injected
from hostwright.web.openapi import delete_op, get_op, post_op

SCOPE = "admin:system"

StateWanted = Annotated[JobState, QueryParameter(name="state", description="Jobs of this state")]
PageNumber = Annotated[int, QueryParameter(name="page", ge=1, le=1_000_000, description="The page, from 1")]
PageSize = Annotated[int, QueryParameter(name="pageSize", ge=1, le=MAX_PAGE_SIZE, description="Rows on a page")]


def _payload(text: str | None) -> Any:
    """A payload as JSON, or as text when it is not."""
    try:
        return None if text is None else msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _read(job: JobRow, state: JobState) -> JobRead:
    dead = state is JobState.DEAD
    return JobRead(
        id=job.id,
        name=job.name,
        state=state,
        attempts=job.attempts,
        payload=_payload(job.payload),
        error=job.error,
        state_since=job.state_since,
        due_at=None if dead else job.due_at,
    )


class AdminJobsApi(Controller):
    """Jobs: what waits, what runs, what was given up."""

    path = "/api/admin/jobs"

    @get_op(
        "",
        op="adminListJobs",
        summary="List jobs of one state",
        auth="admin",
        scope=SCOPE,
        tag="Administration",
        errors=(400,),
    )
    async def list_jobs(
        self,
        db: Injected[Db],
        viewer: Injected[StaffViewer],
        wanted_state: StateWanted = JobState.DEAD,
        page: PageNumber = 1,
        page_size: PageSize = DEFAULT_PAGE_SIZE,
    ) -> JobList:
        """Dead jobs newest first; queued and running ones in the order of the queue."""
        del viewer
        wanted = Page(page, page_size)
        counts = await queue.job_counts(db)
        items = [_read(job, wanted_state) for job in await queue.list_jobs(db, wanted_state, wanted)]
        figures = JobStatistics(counts.queued, counts.running, counts.dead)
        return JobList(items, pagination(wanted, getattr(counts, wanted_state)), figures)

    @post_op(
        "/{dead_id:int}/replay",
        op="adminReplayJob",
        summary="Run a dead job again",
        auth="admin",
        scope=SCOPE,
        tag="Administration",
        errors=(404,),
        status=202,
    )
    async def replay(self, tx: Injected[Tx], viewer: Injected[StaffViewer], dead_id: FromPath[int]) -> JobRead:
        """Put a dead job back into the queue, its attempts counted anew."""
        return _read(await service.replay_job(tx, viewer, dead_id), JobState.DEAD)

    @delete_op(
        "/{dead_id:int}",
        op="adminDiscardJob",
        summary="Discard a dead job",
        auth="admin",
        scope=SCOPE,
        tag="Administration",
        errors=(404,),
    )
    async def discard(self, tx: Injected[Tx], viewer: Injected[StaffViewer], dead_id: FromPath[int]) -> None:
        """Forget a dead job: its work is never done."""
        await service.discard_job(tx, viewer, dead_id)
