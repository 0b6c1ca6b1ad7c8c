"""What staff see of VirtFusion itself: its own words about a server, and our actions in its queue."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from hostwright.core.clock import Clock, SystemClock
from hostwright.core.db import Database
from hostwright.core.limits import spend
from hostwright.core.providers import ActionProgress, Gone, ProviderError
from hostwright.core.scope import Scope
from hostwright.servers import queries
from hostwright.servers.policy import ServerGone
from hostwright.servers.ports import Providers
from hostwright.servers.queries import operations
from hostwright.servers.queries.operations import QueueRow
from hostwright.servers.service.common import UpstreamAway, spend_call

LOOKS: Final = 12
PER_LOOK: Final = timedelta(seconds=5)


class RawView(msgspec.Struct, frozen=True):
    """VirtFusion's words about a server, and when they were said."""

    server_id: int
    read_at: datetime
    data: dict[str, Any]


class QueueLook(msgspec.Struct, frozen=True):
    """An action of ours, and how VirtFusion's queue says that it stands; None when the queue forgot it."""

    row: QueueRow
    progress: ActionProgress | None


async def read_upstream(
    database: Database, providers: Providers, scope: Scope, server_id: int, *, clock: Clock | None = None
) -> RawView:
    """Ask VirtFusion about a server; secrets and pictures are taken out by its adapter.

    Raises `ServerGone`, `TooManyRequests` after twelve looks a minute, `UpstreamAway` for any failure.
    """
    async with database.acquire() as db:
        server = await queries.target_of(db, scope, server_id)
        await spend(db, f"upstream:{server_id}", per=PER_LOOK, burst=LOOKS)
        await spend_call(db, server.connection_id)
    at = (clock or SystemClock()).now()
    try:
        provider = await providers.compute(server.connection_id)
        return RawView(server_id, at, await provider.raw(server.external_id))
    except Gone as error:
        raise ServerGone("VirtFusion does not know this server any more.") from error
    except ProviderError as error:
        raise UpstreamAway(error.message, retry_after=max(1, int(error.retry_after or 5))) from error


async def read_queue_item(
    database: Database, providers: Providers, queue_id: int, connection_id: int | None = None
) -> QueueLook:
    """How an action of ours stands in VirtFusion's queue. For staff; `NoRow` for a number that none of ours has."""
    async with database.acquire() as db:
        row = await operations.queue_item.one(db, queue_id, connection_id)
        await spend(db, f"queue:{queue_id}", per=PER_LOOK, burst=LOOKS)
        await spend_call(db, row.connection_id)
    try:
        provider = await providers.compute(row.connection_id)
        return QueueLook(row, await provider.action_progress(queue_id))
    except Gone:
        return QueueLook(row, None)
    except ProviderError as error:
        raise UpstreamAway(retry_after=max(1, int(error.retry_after or 5))) from error
