"""Pages for staff about the machinery: jobs."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Controller, Response
from litestar.params import FromPath

from hostwright.admin import queries, service
from hostwright.core import queue
from hostwright.core.db import Db, Tx
from hostwright.core.errors import NotFound
from hostwright.core.paging import Page
from hostwright.core.queue import JobCounts, JobRow, JobState
from hostwright.identity.schemas import StaffViewer
from hostwright.servers.service import actor_of, confirm_pruning
from hostwright.web.answer import answer, page, toast
from hostwright.web.bodies import form_values
from hostwright.web.i18n import choose_language, gettext
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.openapi import page_get, page_post
from hostwright.web.render import renderer
from hostwright.web.shell import set_count

BASE: Final = "/admin/jobs"
LONGEST_PAGE: Final = 7  # digits, as of every number that pages send here
NONE_SEEN: Final = -1


class JobsView(msgspec.Struct):
    """A page of jobs of one state."""

    state: JobState
    page: int
    pages: int
    first: int
    last: int
    total: int
    counts: JobCounts
    jobs: Sequence[JobRow]

    def link(self, **changes: str | int) -> str:
        """The same list with ``changes``."""
        wanted = {"state": self.state.value, "page": 1, **changes}
        kept = {name: value for name, value in wanted.items() if (name, value) not in (("state", "dead"), ("page", 1))}
        return f"{BASE}?{urlencode(kept)}" if kept else BASE


async def _view(request: AnyRequest, db: Db) -> JobsView:
    text = request.query_params.get("state", "")
    state = JobState(text) if text in JobState else JobState.DEAD
    number = request.query_params.get("page", "")
    wanted = Page(max(1, int(number)) if number.isdecimal() and len(number) <= LONGEST_PAGE else 1)
    counts = await queue.job_counts(db)
    jobs = await queue.list_jobs(db, state, wanted)
    total = getattr(counts, state)
    first = wanted.offset + 1 if jobs else 0
    return JobsView(
        state=state,
        page=wanted.number,
        pages=-(-total // wanted.size),
        first=first,
        last=first + len(jobs) - 1 if jobs else 0,
        total=total,
        counts=counts,
        jobs=jobs,
    )


async def _context(request: AnyRequest, db: Db, viewer: StaffViewer) -> dict[str, Any]:
    view = await _view(request, db)
    set_count(request, "dead_jobs", view.counts.dead)
    await renderer().navigation.fill_counts(request, db, viewer)
    return {"view": view, "runs": await queries.mirror_runs.all(db), "processes": await queries.processes.all(db)}


class AdminPages(Controller):
    """Jobs: what waits, what runs, what was given up."""

    path = BASE

    @page_get("", auth="admin")
    async def jobs(self, request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer]) -> Response[Any]:
        """Jobs of one state, the latest mirror runs and the processes."""
        return page(request, "admin/jobs.html", await _context(request, db, viewer))

    @page_post("/{dead_id:int}/replay", auth="admin")
    async def replay(
        self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[StaffViewer], dead_id: FromPath[int]
    ) -> Response[Any]:
        """Put a dead job back into the queue."""
        choose_language(request, pseudo=renderer().pseudo)
        dead = await service.replay_job(tx, viewer, dead_id)
        told = toast("success", gettext("The job is queued again"), dead.name)
        return answer(request, "admin/jobs.html", await _context(request, tx, viewer), otherwise=BASE, also=[told])

    @page_post("/connections/{connection_id:int}/confirm-removal", auth="admin")
    async def confirm_removal(
        self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[StaffViewer], connection_id: FromPath[int]
    ) -> Response[Any]:
        """Let the mirror take as many servers for gone as staff saw that it stopped at."""
        choose_language(request, pseudo=renderer().pseudo)
        count = (await form_values(request)).get("count", "")
        seen = int(count) if count.isdecimal() and len(count) <= LONGEST_PAGE else NONE_SEEN
        if not await confirm_pruning(tx, actor_of(viewer), connection_id, seen):
            raise NotFound
        told = toast("success", gettext("The next run of the mirror marks them as gone"))
        return answer(request, "admin/jobs.html", await _context(request, tx, viewer), otherwise=BASE, also=[told])

    @page_post("/{dead_id:int}/discard", auth="admin")
    async def discard(
        self, request: AnyRequest, tx: Injected[Tx], viewer: Injected[StaffViewer], dead_id: FromPath[int]
    ) -> Response[Any]:
        """Forget a dead job."""
        choose_language(request, pseudo=renderer().pseudo)
        dead = await service.discard_job(tx, viewer, dead_id)
        told = toast("success", gettext("The job was discarded"), dead.name)
        return answer(request, "admin/jobs.html", await _context(request, tx, viewer), otherwise=BASE, also=[told])
