"""The API for staff: jobs."""

from typing import Annotated, Any

import msgspec
from litestar import Controller
from litestar.params import FromPath, QueryParameter

from hostwright.admin import queries, service
from hostwright.admin.records import DeadJob, JobCounts, JobState, WaitingJob
from hostwright.admin.schemas import JobList, JobRead, JobStatistics
from hostwright.core.db import Db, Tx
from hostwright.core.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page, pagination
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


def _waiting(job: WaitingJob, state: JobState) -> JobRead:
    return JobRead(
        id=job.id,
        name=job.name,
        state=state.value,
        attempts=job.attempts,
        payload=_payload(job.payload),
        error=None,
        created_at=job.created_at,
        due_at=job.due_at,
        died_at=None,
    )


def _dead(job: DeadJob) -> JobRead:
    return JobRead(
        id=job.id,
        name=job.name,
        state=JobState.DEAD.value,
        attempts=job.attempts,
        payload=_payload(job.payload),
        error=job.error,
        created_at=None,
        due_at=None,
        died_at=job.died_at,
    )


def _total(counts: JobCounts, state: JobState) -> int:
    return {JobState.QUEUED: counts.queued, JobState.RUNNING: counts.running, JobState.DEAD: counts.dead}[state]


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
        staff: Injected[StaffViewer],
        wanted_state: StateWanted = JobState.DEAD,
        page: PageNumber = 1,
        page_size: PageSize = DEFAULT_PAGE_SIZE,
    ) -> JobList:
        """Dead jobs newest first; queued and running ones in the order of the queue."""
        del staff
        wanted = Page(page, page_size)
        counts = await queries.job_counts.one(db)
        match wanted_state:
            case JobState.DEAD:
                items = [_dead(job) for job in await queries.dead_jobs.all(db, wanted.limit, wanted.offset)]
            case JobState.QUEUED:
                items = [
                    _waiting(job, wanted_state)
                    for job in await queries.queued_jobs.all(db, wanted.limit, wanted.offset)
                ]
            case JobState.RUNNING:
                items = [
                    _waiting(job, wanted_state)
                    for job in await queries.running_jobs.all(db, wanted.limit, wanted.offset)
                ]
        figures = JobStatistics(counts.queued, counts.running, counts.dead)
        return JobList(items, pagination(wanted, _total(counts, wanted_state)), figures)

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
    async def replay(self, tx: Injected[Tx], staff: Injected[StaffViewer], dead_id: FromPath[int]) -> JobRead:
        """Put a dead job back into the queue, its attempts counted anew."""
        return _dead(await service.replay_job(tx, staff, dead_id))

    @delete_op(
        "/{dead_id:int}",
        op="adminDiscardJob",
        summary="Discard a dead job",
        auth="admin",
        scope=SCOPE,
        tag="Administration",
        errors=(404,),
    )
    async def discard(self, tx: Injected[Tx], staff: Injected[StaffViewer], dead_id: FromPath[int]) -> None:
        """Forget a dead job: its work is never done."""
        await service.discard_job(tx, staff, dead_id)
