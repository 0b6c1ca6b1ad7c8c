"""Pages for staff about the machinery: jobs."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Controller, Request, Response
from litestar.params import FromPath

from hostwright.admin import queries, service
from hostwright.admin.records import DeadJob, JobCounts, JobState, WaitingJob
from hostwright.core.db import Db, Tx
from hostwright.core.paging import Page
from hostwright.identity.schemas import StaffViewer
from hostwright.web.answer import answer, page, toast
from hostwright.web.i18n import choose_language, gettext
from hostwright.web.inject import Injected
from hostwright.web.openapi import page_get, page_post
from hostwright.web.render import renderer
from hostwright.web.shell import set_count

BASE: Final = "/admin/jobs"
LONGEST_PAGE: Final = 7

type AnyRequest = Request[Any, Any, Any]


class JobsView(msgspec.Struct):
    """A page of jobs of one state."""

    state: str
    page: int
    pages: int
    first: int
    last: int
    total: int
    counts: JobCounts
    dead: Sequence[DeadJob]
    waiting: Sequence[WaitingJob]

    def link(self, **changes: str | int) -> str:
        """The same list with ``changes``."""
        wanted = {"state": self.state, "page": 1, **changes}
        kept = {name: value for name, value in wanted.items() if (name, value) not in (("state", "dead"), ("page", 1))}
        return f"{BASE}?{urlencode(kept)}" if kept else BASE


async def _view(request: AnyRequest, db: Db) -> JobsView:
    text = request.query_params.get("state", "")
    state = JobState(text) if text in JobState else JobState.DEAD
    number = request.query_params.get("page", "")
    wanted = Page(max(1, int(number)) if number.isdecimal() and len(number) <= LONGEST_PAGE else 1)
    counts = await queries.job_counts.one(db)
    dead: Sequence[DeadJob] = ()
    waiting: Sequence[WaitingJob] = ()
    if state is JobState.DEAD:
        dead, total = (await queries.dead_jobs.all(db, wanted.limit, wanted.offset), counts.dead)
    elif state is JobState.QUEUED:
        waiting, total = (await queries.queued_jobs.all(db, wanted.limit, wanted.offset), counts.queued)
    else:
        waiting, total = (await queries.running_jobs.all(db, wanted.limit, wanted.offset), counts.running)
    shown = len(dead) + len(waiting)
    first = wanted.offset + 1 if shown else 0
    return JobsView(
        state=state.value,
        page=wanted.number,
        pages=-(-total // wanted.size),
        first=first,
        last=first + shown - 1 if shown else 0,
        total=total,
        counts=counts,
        dead=dead,
        waiting=waiting,
    )


async def _context(request: AnyRequest, db: Db, staff: StaffViewer) -> dict[str, Any]:
    view = await _view(request, db)
    set_count(request, "dead_jobs", view.counts.dead)
    await renderer().navigation.fill_counts(request, db, staff)
    return {"view": view, "runs": await queries.mirror_runs.all(db), "processes": await queries.processes.all(db)}


class AdminPages(Controller):
    """Jobs: what waits, what runs, what was given up."""

    path = BASE

    @page_get("", auth="admin")
    async def jobs(self, request: AnyRequest, db: Injected[Db], staff: Injected[StaffViewer]) -> Response[Any]:
        """Jobs of one state, the latest mirror runs and the processes."""
        return page(request, "admin/jobs.html", await _context(request, db, staff))

    @page_post("/{dead_id:int}/replay", auth="admin")
    async def replay(
        self, request: AnyRequest, tx: Injected[Tx], staff: Injected[StaffViewer], dead_id: FromPath[int]
    ) -> Response[Any]:
        """Put a dead job back into the queue."""
        choose_language(request, pseudo=renderer().pseudo)
        dead = await service.replay_job(tx, staff, dead_id)
        told = toast("success", gettext("The job is queued again"), dead.name)
        return answer(request, "admin/jobs.html", await _context(request, tx, staff), otherwise=BASE, also=[told])

    @page_post("/{dead_id:int}/discard", auth="admin")
    async def discard(
        self, request: AnyRequest, tx: Injected[Tx], staff: Injected[StaffViewer], dead_id: FromPath[int]
    ) -> Response[Any]:
        """Forget a dead job."""
        choose_language(request, pseudo=renderer().pseudo)
        dead = await service.discard_job(tx, staff, dead_id)
        told = toast("success", gettext("The job was discarded"), dead.name)
        return answer(request, "admin/jobs.html", await _context(request, tx, staff), otherwise=BASE, also=[told])
