"""One screen at two addresses: among a customer's own servers, and among all of them for staff."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from hostwright.core.db import Database, Db, Tx
from hostwright.identity.schemas import StaffViewer, Viewer
from hostwright.servers.pages.screens import ALL, OWN, Place
from hostwright.servers.ports import Providers
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.openapi import page_get, page_post

type Handlers = list[HTTPRouteHandler]
type Listing = Callable[[AnyRequest, Db, Viewer, Place], Awaitable[Response[Any]]]
type Reading = Callable[[AnyRequest, Db, Viewer, Place, int], Awaitable[Response[Any]]]
type Writing = Callable[[AnyRequest, Tx, Viewer, Place, int], Awaitable[Response[Any]]]
type Doing = Callable[[AnyRequest, Database, Viewer, Place], Awaitable[Response[Any]]]
type Asking = Callable[[AnyRequest, Database, Providers, Viewer, Place, int], Awaitable[Response[Any]]]

ONE = "/{server_id:int}"


def listing(path: str, show: Listing) -> Handlers:
    """A page about many servers."""

    @page_get(OWN.base + path)
    async def own(request: AnyRequest, db: Injected[Db], viewer: Injected[Viewer]) -> Response[Any]:
        return await show(request, db, viewer, OWN)

    @page_get(ALL.base + path, auth="admin")
    async def any_(request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer]) -> Response[Any]:
        return await show(request, db, viewer, ALL)

    return [own, any_]


def doing(path: str, do: Doing) -> Handlers:
    """A form about many servers, which takes a transaction for each."""

    @page_post(OWN.base + path)
    async def own(request: AnyRequest, database: Injected[Database], viewer: Injected[Viewer]) -> Response[Any]:
        return await do(request, database, viewer, OWN)

    @page_post(ALL.base + path, auth="admin")
    async def any_(request: AnyRequest, database: Injected[Database], viewer: Injected[StaffViewer]) -> Response[Any]:
        return await do(request, database, viewer, ALL)

    return [own, any_]


def reading(path: str, show: Reading) -> Handlers:
    """A page about one server, read from the database."""

    @page_get(OWN.base + ONE + path)
    async def own(
        request: AnyRequest, db: Injected[Db], viewer: Injected[Viewer], server_id: FromPath[int]
    ) -> Response[Any]:
        return await show(request, db, viewer, OWN, server_id)

    return [own, staff_reading(path, show)]


def staff_reading(path: str, show: Reading) -> HTTPRouteHandler:
    """A page about one server that only staff have."""

    @page_get(ALL.base + ONE + path, auth="admin")
    async def any_(
        request: AnyRequest, db: Injected[Db], viewer: Injected[StaffViewer], server_id: FromPath[int]
    ) -> Response[Any]:
        return await show(request, db, viewer, ALL, server_id)

    return any_


def writing(path: str, do: Writing) -> Handlers:
    """A form about one server, in one transaction."""

    @page_post(OWN.base + ONE + path)
    async def own(
        request: AnyRequest, tx: Injected[Tx], viewer: Injected[Viewer], server_id: FromPath[int]
    ) -> Response[Any]:
        return await do(request, tx, viewer, OWN, server_id)

    return [own, staff_writing(path, do)]


def staff_writing(path: str, do: Writing) -> HTTPRouteHandler:
    """A form about one server that only staff have."""

    @page_post(ALL.base + ONE + path, auth="admin")
    async def any_(
        request: AnyRequest, tx: Injected[Tx], viewer: Injected[StaffViewer], server_id: FromPath[int]
    ) -> Response[Any]:
        return await do(request, tx, viewer, ALL, server_id)

    return any_


def asking(path: str, show: Asking, *, post: bool = False) -> Handlers:
    """A page or a form that asks VirtFusion: no connection is held over the call."""

    @(page_post if post else page_get)(OWN.base + ONE + path)
    async def own(
        request: AnyRequest,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[Viewer],
        server_id: FromPath[int],
    ) -> Response[Any]:
        return await show(request, database, providers, viewer, OWN, server_id)

    return [own, staff_asking(path, show, post=post)]


def staff_asking(path: str, show: Asking, *, post: bool = False) -> HTTPRouteHandler:
    """The same, for staff only."""

    @(page_post if post else page_get)(ALL.base + ONE + path, auth="admin")
    async def any_(
        request: AnyRequest,
        database: Injected[Database],
        providers: Injected[Providers],
        viewer: Injected[StaffViewer],
        server_id: FromPath[int],
    ) -> Response[Any]:
        return await show(request, database, providers, viewer, ALL, server_id)

    return any_
