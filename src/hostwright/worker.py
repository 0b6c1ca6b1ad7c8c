"""The worker process: puts features and vendors together for background work. Ends with 0 on SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import signal
from typing import Final

import asyncpg
import structlog

from hostwright import __version__
from hostwright.core import logs, metrics, sentry
from hostwright.core.config import Config, ConfigError
from hostwright.core.crypto import KeyMissing, Keyring, check_keys
from hostwright.core.db import create_database
from hostwright.core.jobs import WorkPart
from hostwright.core.presence import heartbeat
from hostwright.core.work import Worker
from hostwright.servers.ports import Providers

FAILED: Final = 1
NOT_STARTED: Final = (ConfigError, KeyMissing, OSError, TimeoutError, asyncpg.PostgresError)

log = structlog.get_logger(__name__)


def work_parts(config: Config, providers: Providers) -> list[WorkPart]:
    """What the features do in the background."""
    from hostwright.identity import jobs as identity  # noqa: PLC0415  only this composition needs them
    from hostwright.servers import jobs as servers  # noqa: PLC0415

    return [identity.work(idle_hours=config.session_idle_hours), servers.work(providers)]


async def run_worker(config: Config) -> int:
    """Work until SIGTERM or SIGINT; the exit code is 0 then, 1 when the worker cannot start (one line says why)."""
    logs.configure(config)
    sentry.configure(config, "worker")
    metrics.start()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        return await _run(config, stop)
    except NOT_STARTED as error:
        log.error("worker.not_started", error=logs.error_text(error))  # noqa: TRY400  one clear line, no traceback
        return FAILED
    finally:
        sentry.flush()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _run(config: Config, stop: asyncio.Event) -> int:
    from hostwright.upstream.factory import connection_providers  # noqa: PLC0415  vendors only where they are used

    keyring = Keyring.load(config)
    # Each job may hold a connection; the schedules and the heartbeat need one more each.
    size = max(config.pool_size, config.worker_concurrency + 2)
    database = await create_database(config.database_url, max_size=size)
    try:
        async with database.acquire() as db:
            await check_keys(db, keyring)
        async with (
            connection_providers(config, database, keyring) as providers,
            heartbeat(database, "worker", __version__),
        ):
            worker = Worker(database, work_parts(config, providers), concurrency=config.worker_concurrency)
            log.info("worker.started", concurrency=config.worker_concurrency)
            await worker.run(stop)
            log.info("worker.stopped")
    finally:
        await database.close()
    return 0
