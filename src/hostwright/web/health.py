"""For load balancers and monitoring: alive, ready, metrics."""

from typing import Any, Final

import asyncpg
import msgspec
from litestar import Controller, Request, Response, get

from hostwright.core import metrics
from hostwright.core.db import Database, Db, Scalar
from hostwright.core.errors import AppError, NotFound
from hostwright.web.inject import Injected, Services

WORKER_SILENT_AFTER: Final = 30
LOOPBACK: Final = ("127.0.0.1", "::1")

database_answers = Scalar(int, "select 1")
queue_answers = Scalar(bool, "select exists (select from pgqueuer)")
workers_alive = Scalar(
    int, "select count(*) from workers where role = 'worker' and seen_at > now() - $1::int * interval '1 second'"
)


class Check(msgspec.Struct, rename="camel"):
    """One part and whether it works."""

    name: str
    ok: bool
    message: str


class Ready(msgspec.Struct):
    """Whether this process should get requests."""

    ready: bool
    checks: list[Check]


async def _database(db: Db) -> Check:
    return Check("database", ok=await database_answers.value(db) == 1, message="answers")


async def _queue(db: Db) -> Check:
    await queue_answers.value(db)
    return Check("queue", ok=True, message="answers")


async def _worker(db: Db) -> Check:
    alive = await workers_alive.value(db, WORKER_SILENT_AFTER)
    return Check("worker", ok=alive > 0, message=f"{alive} alive")


LEAVING: Final = Check("process", ok=False, message="was told to stop, and still answers for a moment")
PARTS: Final = (("database", _database), ("queue", _queue), ("worker", _worker))


async def _checks(database: Database) -> list[Check]:
    """Each part in turn, up to the first that does not answer."""
    found: list[Check] = []
    try:
        async with database.acquire() as db:
            for _, check in PARTS:
                found.append(await check(db))
    except (
        AppError,
        OSError,
        TimeoutError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
    ) as error:
        found.append(Check(PARTS[len(found)][0], ok=False, message=type(error).__name__))
    return found


class HealthApi(Controller):
    """Health and metrics; no one has to sign in."""

    opt = {"auth": "public"}  # noqa: RUF012  Litestar's own name and type
    include_in_schema = False

    @get("/health/live")
    async def live(self) -> dict[str, str]:
        """This process runs."""
        return {"status": "alive"}

    @get("/health/ready")
    async def ready(self, services: Injected[Services]) -> Response[Ready]:
        """Database, queue and a worker answer; 503 otherwise, and from the moment at which this process is to stop."""
        leaving = services.draining.is_set()
        checks = [LEAVING] if leaving else await _checks(services.database)
        good = all(check.ok for check in checks)
        return Response(Ready(good, checks), status_code=200 if good else 503, headers={"Cache-Control": "no-store"})

    @get("/metrics")
    async def metrics(self, request: Request[Any, Any, Any], database: Injected[Database]) -> Response[bytes]:
        """Prometheus metrics, for callers on this machine only; a proxy in front does not count as one."""
        client = request.scope["client"]
        if client is None or client[0] not in LOOPBACK or "x-forwarded-for" in request.headers:
            raise NotFound
        async with database.acquire() as db:
            text = await metrics.render(db)
        return Response(text, media_type="text/plain; version=0.0.4")
