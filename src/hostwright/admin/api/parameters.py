"""Parameters of the lists for staff, written once."""

from typing import Annotated

from litestar.params import QueryParameter

from hostwright.admin.schemas import SortOrder, UserFilter, UserSort
from hostwright.audit.records import Outcome
from hostwright.core.db import LARGEST_ID
from hostwright.core.paging import MAX_PAGE_SIZE

PageNumber = Annotated[int, QueryParameter(name="page", ge=1, le=1_000_000, description="The page, from 1")]
PageSize = Annotated[int, QueryParameter(name="pageSize", ge=1, le=MAX_PAGE_SIZE, description="Rows on a page")]
CursorWanted = Annotated[str | None, QueryParameter(name="cursor", description="`next` of the page before")]
ActorWanted = Annotated[int | None, QueryParameter(name="actorId", ge=1, le=LARGEST_ID, description="Who did it")]
ActionWanted = Annotated[
    str, QueryParameter(name="action", max_length=60, description="How the action begins, like server. or user.signed")
]
ObjectType = Annotated[str, QueryParameter(name="objectType", max_length=40, description="What kind of thing")]
ObjectId = Annotated[str, QueryParameter(name="objectId", max_length=60, description="Which one; with objectType")]
CustomerWanted = Annotated[
    int | None, QueryParameter(name="customerId", ge=1, le=LARGEST_ID, description="Whose thing it was")
]
OutcomeWanted = Annotated[Outcome | None, QueryParameter(name="outcome", description="How it went")]
FromWanted = Annotated[str | None, QueryParameter(name="from", description="From this date or time on")]
ToWanted = Annotated[
    str | None, QueryParameter(name="to", description="Until this date, included, or before this time")
]
TextWanted = Annotated[
    str,
    QueryParameter(
        name="search", max_length=100, description="Part of an actor, action, object, address or request id"
    ),
]
FilterWanted = Annotated[UserFilter, QueryParameter(name="filter", description="Which users")]
SortField = Annotated[UserSort, QueryParameter(name="sortField", description="What they are sorted by")]
SortDirection = Annotated[SortOrder, QueryParameter(name="sortOrder", description="Which way round")]
UserSearch = Annotated[
    str, QueryParameter(name="search", max_length=100, description="Part of a user name, e-mail address or full name")
]
