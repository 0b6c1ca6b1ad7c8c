"""Traffic of a server: read from the vendor when somebody looks, since nothing else needs it yet."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hostwright.core.db import Database
from hostwright.core.limits import spend
from hostwright.core.providers import Gone, ProviderError, TrafficMonth
from hostwright.core.scope import Scope
from hostwright.servers import queries
from hostwright.servers.policy import ServerGone
from hostwright.servers.ports import Providers
from hostwright.servers.queries import mirror
from hostwright.servers.service.common import UpstreamAway, call_budget

LOOKS: Final = 12
PER_LOOK: Final = timedelta(seconds=5)  # twelve a minute
TOO_OFTEN: Final = "Traffic is asked for too often. Wait a moment and try again."


async def read_traffic(database: Database, providers: Providers, scope: Scope, server_id: int) -> list[TrafficMonth]:
    """Traffic by period, newest first. Holds no connection over the call.

    Raises `ServerGone` for a server that is gone, `TooManyRequests` after twelve looks a minute or when the
    connection's calls are used up, `UpstreamAway` (503) for any failure of the vendor: a page can stand without it.
    """
    async with database.acquire() as db:
        server = await queries.target_of(db, scope, server_id)
        if server.state == "gone":
            raise ServerGone
        await spend(db, f"traffic:{server_id}", per=PER_LOOK, burst=LOOKS, message=TOO_OFTEN)
        connection = await mirror.pruning.one(db, server.connection_id)
        budget = call_budget(server.connection_id, connection.calls_per_minute)
        await spend(db, budget.key, per=budget.per, burst=budget.burst, message=TOO_OFTEN)
    try:
        provider = await providers.compute(server.connection_id)
        return await provider.traffic(server.external_id)
    except Gone as error:
        raise ServerGone("VirtFusion does not know this server right now.") from error
    except ProviderError as error:
        message = "VirtFusion does not answer right now, so there are no traffic figures. Try again in a moment."
        raise UpstreamAway(message, retry_after=max(1, int(error.retry_after or 5))) from error
