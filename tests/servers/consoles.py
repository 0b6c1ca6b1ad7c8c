"""A customer with a running server at a simulated VirtFusion that has real screens, and whoever wants to see them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx

from hostwright.app import App
from hostwright.core.db import Command, Database, Scalar
from hostwright.upstream.virtfusion.simulator.screen import Screen, Screens
from tests.support.app import Client, Makers, Person
from tests.support.simulator import RunningSimulator
from tests.support.sockets import AsgiSocket, Viewer, console_socket

tickets = Scalar(int, "select count(*) from console_tickets")
relays = Scalar(int, "select count(*) from console_relays")
lines = Scalar(
    str,
    """select action || ':' || status || ':' || actor_label || coalesce(':' || error, '')
    from server_log where server_id = $1 order by id""",
)
audited = Scalar(str, "select action from audit_log where object_id = $1::bigint::text order by id")
expire_tickets = Command("update console_tickets set expires_at = now() - interval '1 second'")
set_state = Command("update servers set state = $2 where id = $1")
set_power = Command("update servers set power = $2 where id = $1")
set_customer = Command("update servers set customer_id = $2 where id = $1")


class Theatre:
    """``server_id`` is the owner's server, ``external_id`` what the vendor calls it."""

    def __init__(
        self, app: App, database: Database, makers: Makers, vendor: RunningSimulator, owner: Person, browser: Client
    ) -> None:
        self.app = app
        self.database = database
        self.makers = makers
        self.vendor = vendor
        self.owner = owner
        self.browser = browser
        self.connection_id = 0
        self.external_id = next(one.id for one in vendor.world.listed if one.running and not one.suspended)
        self.server_id = 0

    async def furnish(self) -> Theatre:
        self.connection_id = await self.makers.connection(self.vendor.url, self.vendor.token)
        self.server_id = await self.makers.server(self.owner.customer_id, name="web-01", external_id=self.external_id)
        return self

    @property
    def screens(self) -> Screens:
        return self.vendor.screens

    @property
    def screen(self) -> Screen:
        return self.screens.of(self.vendor.world.servers[self.external_id])

    @property
    def path(self) -> str:
        return f"/console/{self.server_id}"

    async def ask(self, browser: Client | None = None, *, staff: bool = False) -> httpx.Response:
        """Ask for a ticket."""
        who = "admin" if staff else "user"
        return await (browser or self.browser).post(f"/api/{who}/servers/{self.server_id}/console")

    async def ticket(self, browser: Client | None = None, *, staff: bool = False) -> str:
        """A new ticket."""
        answer = await self.ask(browser, staff=staff)
        assert answer.status_code == 200, answer.text
        return answer.json()["ticket"]

    def socket(
        self, ticket: str, browser: Client | None = None, *, app: App | None = None, path: str = "", **more: str
    ) -> AbstractAsyncContextManager[AsgiSocket]:
        """A socket as a page opens it."""
        return console_socket(app or self.app, browser or self.browser, path or self.path, ticket, **more)

    @asynccontextmanager
    async def watching(
        self, browser: Client | None = None, *, app: App | None = None, staff: bool = False
    ) -> AsyncGenerator[tuple[AsgiSocket, Viewer]]:
        """Somebody who sees the screen."""
        ticket = await self.ticket(browser, staff=staff)
        async with self.socket(ticket, browser, app=app) as socket:
            assert await socket.open()
            viewer = Viewer(socket)
            await viewer.begin()
            yield socket, viewer

    async def value(self, query: Scalar[int], *arguments: object) -> int:
        async with self.database.acquire() as db:
            return await query.value(db, *arguments)

    async def texts(self, query: Scalar[str]) -> list[str]:
        async with self.database.acquire() as db:
            return await query.all(db, self.server_id)

    async def run(self, command: Command, *arguments: object) -> None:
        async with self.database.transaction() as tx:
            await command.run(tx, *arguments)
