"""Traffic of a server: read from the vendor when somebody looks, since nothing else needs it yet."""

from __future__ import annotations

from hostwright.core.db import Database
from hostwright.core.providers import Gone, ProviderError, TrafficMonth
from hostwright.core.scope import Scope
from hostwright.servers import queries
from hostwright.servers.policy import ServerGone
from hostwright.servers.ports import Providers
from hostwright.servers.service.common import UpstreamAway


async def read_traffic(database: Database, providers: Providers, scope: Scope, server_id: int) -> list[TrafficMonth]:
    """Traffic by period, newest first. Holds no connection over the call.

    Raises `ServerGone` for a server that is gone, `UpstreamAway` (503) for any failure of the vendor, so that a page
    can stand without it.
    """
    async with database.acquire() as db:
        server = await queries.target_of(db, scope, server_id)
    if server.state == "gone":
        raise ServerGone
    try:
        provider = await providers.compute(server.connection_id)
        return await provider.traffic(server.external_id)
    except Gone as error:
        raise ServerGone("VirtFusion does not know this server right now.") from error
    except ProviderError as error:
        message = "VirtFusion does not answer right now, so there are no traffic figures. Try again in a moment."
        raise UpstreamAway(message, retry_after=max(1, int(error.retry_after or 5))) from error
