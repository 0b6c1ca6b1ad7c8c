"""Parameters of lists, written once."""

from typing import Annotated, Final

from litestar.params import QueryParameter

from hostwright.core.db import LARGEST_ID
from hostwright.core.paging import MAX_PAGE_SIZE
from hostwright.core.providers import Power, ServerState
from hostwright.servers.schemas import ActionType, Sort

MAX_PAGE: Final = 1_000_000

PageNumber = Annotated[int, QueryParameter(name="page", ge=1, le=MAX_PAGE, description="The page, from 1")]
PageSize = Annotated[int, QueryParameter(name="pageSize", ge=1, le=MAX_PAGE_SIZE, description="Rows on a page")]
Search = Annotated[
    str, QueryParameter(name="search", max_length=100, description="Part of a name, host name or address")
]
StateWanted = Annotated[
    ServerState | None, QueryParameter(name="state", description="Only this state; gone servers are left out otherwise")
]
PowerWanted = Annotated[Power | None, QueryParameter(name="power", description="Only servers that run, or do not")]
SortWanted = Annotated[Sort, QueryParameter(name="sort", description="The order; - turns it round")]
CustomerWanted = Annotated[
    int | None, QueryParameter(name="customerId", ge=1, le=LARGEST_ID, description="Only this customer's servers")
]
ConnectionWanted = Annotated[
    int | None,
    QueryParameter(
        name="connectionId", ge=1, le=2**62, description="Only this connection's servers; not with customerId"
    ),
]
CursorWanted = Annotated[str | None, QueryParameter(name="cursor", description="`next` of the page before")]
TypeWanted = Annotated[ActionType | None, QueryParameter(name="actionType", description="Only this kind of activity")]
StartDate = Annotated[str | None, QueryParameter(name="startDate", description="From this date or time on")]
EndDate = Annotated[
    str | None, QueryParameter(name="endDate", description="Until this date, included, or before this time")
]
