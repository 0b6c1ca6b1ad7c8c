"""The list of servers for programs."""

from litestar import Controller

from hostwright.core.db import Db
from hostwright.core.paging import Page, pagination
from hostwright.identity.schemas import Viewer
from hostwright.servers import queries
from hostwright.servers.api.parameters import PageNumber, PageSize, PowerWanted, Search, SortWanted, StateWanted
from hostwright.servers.api.presenting import statistics
from hostwright.servers.queries import ServerFilter
from hostwright.servers.schemas import ServerList, Sort
from hostwright.web.inject import Injected
from hostwright.web.openapi import get_op


class KeyServersApi(Controller):
    """For API keys alone: what `/api/user/servers` tells a person."""

    @get_op(
        "/api/servers",
        op="listServersByKey",
        summary="List the servers of a key's customer",
        auth="api-key",
        scope="read:servers",
        tag="Servers",
        errors=(400,),
    )
    async def list_servers(  # noqa: PLR0913  one parameter each
        self,
        db: Injected[Db],
        viewer: Injected[Viewer],
        page: PageNumber = 1,
        page_size: PageSize = 20,
        search: Search = "",
        state_wanted: StateWanted = None,
        power: PowerWanted = None,
        sort: SortWanted = Sort.NAME,
    ) -> ServerList:
        """A page of them. Never asks VirtFusion."""
        wanted = ServerFilter(viewer.scope, None, state_wanted, power, search.strip(), sort)
        part = Page(page, page_size)
        listed = await queries.list_reads(db, wanted, part)
        return ServerList(listed.items, pagination(part, listed.total), statistics(listed.counts))
