"""The product in one process, with time that is moved by hand: the web application, what workers do, and the real
client over real HTTP to a simulated VirtFusion.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import msgspec

from hostwright.app import App
from hostwright.core.crypto import Keyring
from hostwright.core.db import Database, Query, Scalar
from hostwright.core.http import Pace, Reach, Settings
from hostwright.core.providers import PowerAction
from hostwright.core.scope import OwnedBy
from hostwright.core.work.queries import finish_job
from hostwright.servers import queries, service
from hostwright.servers.events import PERFORM_ACTION, WatchRef
from hostwright.servers.providers import ConnectionProviders
from hostwright.servers.queries.actions import COLUMNS as ACTION_COLUMNS
from hostwright.servers.queries.lists import ROW_COLUMNS
from hostwright.servers.records import ActionRow, ConnectionHealth, ConnectionRow, ServerRow
from hostwright.servers.service import Actor, DetailsOutcome, MirrorOutcome
from hostwright.upstream.virtfusion.adapter import VirtFusionCompute
from hostwright.upstream.virtfusion.client import VirtFusionClient
from hostwright.upstream.virtfusion.simulator import WorldPlan
from hostwright.upstream.virtfusion.simulator.facts import ServerFact, Work
from tests.stack.faults import FAULTS
from tests.stack.panel import FIRST_USER
from tests.stack.vendor import ForgetfulWorld, Vendor, running_vendor
from tests.support.app import KEYS, Makers, Person

ACTOR: Final = Actor(7, "Ada Lovelace", "192.0.2.1", "r-1")
PLAN: Final = WorldPlan(servers=12, users=2, first_users=(5, 7), build_minutes=600)
BEFORE: Final = timedelta(hours=6)
"""How long ago the story begins, so that pages of the present show its lists as old."""

PATIENT: Final = Settings(total=10.0, connect=5.0, first_wait=0.01, longest_wait=0.02, reach=Reach.ANYWHERE)
HASTY: Final = msgspec.structs.replace(PATIENT, total=0.25, connect=0.2)


class QueuedJob(msgspec.Struct, frozen=True):
    """A job of an action."""

    id: int
    entrypoint: str
    payload: bytes
    execute_after: datetime


next_job = Query(
    QueuedJob,
    """select id, entrypoint, payload, execute_after from pgqueuer
    where convert_from(payload, 'utf8')::jsonb ->> 'action_id' = $1::bigint::text order by execute_after, id limit 1""",
)
row_of = Query(ServerRow, "select " + ROW_COLUMNS + " from servers s where s.external_id = $1")
action_by_id = Query(ActionRow, "select " + ACTION_COLUMNS + " from server_actions a where a.id = $1")
latest_action = Scalar(int, "select max(id) from server_actions where server_id = $1")
standing = Scalar(int, "select count(*) from servers where state <> 'gone'")
missing = Scalar(int, "select count(*) from servers where missing_since is not null")
run_states = Scalar(str, "select state from mirror_runs order by id")
versions = Scalar(str, "select id::text || ':' || xmin::text from servers order by id")


class HandTime:
    """A clock that is moved by hand, and by whoever sleeps on it."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC) - BEFORE

    def now(self) -> datetime:
        return self.time

    def seconds(self) -> float:
        """The same as a number, for the simulator and for the client's waits."""
        return self.time.timestamp()

    def move(self, **step: float) -> None:
        self.time += timedelta(**step)

    def to_the_present(self) -> None:
        self.time = max(self.time, datetime.now(UTC))

    async def sleep(self, seconds: float) -> None:
        self.move(seconds=seconds)
        await asyncio.sleep(0)

    @property
    def pace(self) -> Pace:
        return Pace(sleep=self.sleep, monotonic=self.seconds, now=self.now)


class Installation:
    """One customer with an account at one VirtFusion; another customer has the rest of its servers."""

    def __init__(
        self, database: Database, app: App, makers: Makers, vendor: Vendor, world: ForgetfulWorld, time: HandTime
    ) -> None:
        self.database = database
        self.app = app
        self.makers = makers
        self.vendor = vendor
        self.world = world
        self.time = time
        self.connection_id = 0
        self.owner: Person
        self.stranger: Person
        self.clients: list[VirtFusionClient] = []
        self.providers = ConnectionProviders(database, Keyring.parse(KEYS), self._provider)

    def _provider(self, row: ConnectionRow, token: str) -> VirtFusionCompute:
        client = VirtFusionClient(row.base_url, token, PATIENT, self.time.pace)
        self.clients.append(client)
        return VirtFusionCompute(client)

    async def meets(self, fault: str, method: str, path: str, **more: Any) -> None:
        """From now on requests meet a fault. Clients lose patience soon when that is what it is about."""
        self.vendor.faults([{**FAULTS[fault][0], "method": method, "path": path, **more}])
        if fault == "delay":
            await self._settings(HASTY)

    async def is_well(self) -> None:
        """The vendor behaves again."""
        self.vendor.faults([])
        await self._settings(PATIENT)

    async def _settings(self, settings: Settings) -> None:
        for client in self.clients:
            client.settings = settings
            await client.close()  # its timeouts are made with its sessions

    async def furnish(self) -> None:
        """People, the connection, and a mirror of it with details."""
        self.app.providers = self.providers  # the same patience for the web's own calls
        self.owner = await self.makers.user(full_name="Ada Lovelace")
        self.stranger = await self.makers.user(full_name="Charles Babbage")
        self.connection_id = await self.makers.connection(self.vendor.url, self.vendor.token)
        async with self.database.transaction() as tx:
            await service.link_account(tx, self.connection_id, self.owner.customer_id, FIRST_USER)
            await service.link_account(tx, self.connection_id, self.stranger.customer_id, FIRST_USER + 1)
        assert (await self.mirror()).state == "done"
        await self.details()
        self.time.move(seconds=5)
        self.vendor.forget()

    # --- what a worker does

    async def mirror(self) -> MirrorOutcome:
        return await service.run_mirror(self.database, self.providers, self.connection_id, clock=self.time)

    async def details(self) -> DetailsOutcome:
        return await service.refresh_details(
            self.database, self.providers, self.connection_id, budget=1000, clock=self.time, limited=False
        )

    async def ask(self, external_id: int, action: PowerAction) -> ActionRow:
        """Ask for a power action as its owner."""
        server_id = (await self.row(external_id)).id
        async with self.database.transaction() as tx:
            server = await queries.locked_server(tx, OwnedBy(self.owner.customer_id), server_id)
            return await service.request_power(tx, ACTOR, server, action, clock=self.time)

    async def follow(self, action: ActionRow) -> ActionRow:
        """Do the jobs of an action when they are due, as workers would, until it has ended.

        Whatever the vendor still works on is waited for before time goes on.
        """
        while action.finished_at is None:
            action = await self.step(action)
        return action

    async def step(self, action: ActionRow) -> ActionRow:
        """Do an action's next job at its time."""
        async with self.database.acquire() as db:
            job = await next_job.one(db, action.id)
        # A job without a time of its own has the database's, which is hours ahead.
        if job.execute_after < self.time.now() + timedelta(hours=1):
            self.time.time = max(self.time.time, job.execute_after)
        if job.entrypoint == PERFORM_ACTION.name:
            await service.perform_action(self.database, self.providers, self.time, action.id)
        else:
            turn = msgspec.json.decode(job.payload, type=WatchRef).turn
            await service.watch_action(self.database, self.providers, self.time, action.id, turn)
        async with self.database.transaction() as tx:
            await finish_job.run(tx, job.id)
        await self.vendor_is_done()
        return await self.action(action.id)

    async def vendor_is_done(self) -> None:
        """Wait until the vendor works on nothing any more, not even on what nobody waits for."""
        while self.vendor.late or any(one.outcome == "pending" for one in self.vendor.requests()):
            await asyncio.sleep(0.01)

    async def do(self, external_id: int, action: PowerAction) -> ActionRow:
        """Ask for an action and follow it to its end."""
        return await self.follow(await self.ask(external_id, action))

    # --- looking

    async def row(self, external_id: int) -> ServerRow:
        async with self.database.acquire() as db:
            return await row_of.one(db, external_id)

    async def action(self, action_id: int) -> ActionRow:
        async with self.database.acquire() as db:
            return await action_by_id.one(db, action_id)

    async def value[T](self, query: Scalar[T], *arguments: Any) -> T:
        async with self.database.acquire() as db:
            return await query.value(db, *arguments)

    async def values[T](self, query: Scalar[T], *arguments: Any) -> list[T]:
        async with self.database.acquire() as db:
            return await query.all(db, *arguments)

    async def health(self) -> ConnectionHealth:
        async with self.database.acquire() as db:
            return (await queries.connections_overview(db))[0]

    def sent(self, external_id: int, what: str) -> int:
        """How often the vendor was asked for something about a server."""
        return len(self.vendor.requests(f"/servers/{external_id}/{what}"))

    def effects(self, external_id: int, work: Work) -> int:
        """How often the vendor did something with a server, whether or not it said so."""
        return self.world.count(external_id, work)

    @property
    def running(self) -> int:
        """The vendor's id of a running server of the owner."""
        return next(one.id for one in self.own if one.running)

    @property
    def stopped(self) -> int:
        """The vendor's id of a stopped one."""
        return next(one.id for one in self.own if not one.running)

    @property
    def own(self) -> list[ServerFact]:
        """The owner's servers that can be operated, as they really are."""
        return [one for one in self.world.listed if one.owner_id == FIRST_USER and not one.suspended]

    async def nothing_is_missing(self) -> None:
        """No server was taken for gone, or is about to be."""
        assert await self.value(standing) == len(self.world.servers)
        assert await self.value(missing) == 0


class Stands(msgspec.Struct):
    """What people and programs see while something is wrong."""

    installation: Installation
    program: httpx.AsyncClient
    browser: httpx.AsyncClient

    async def check(self, external_id: int, *, as_of: datetime | None = None, notice: bool = True) -> dict[str, Any]:
        """Lists and pages answer; the API says of when it speaks, and pages say that it is long ago. The API's item."""
        row = await self.installation.row(external_id)
        answer = await self.program.get("/api/user/servers")
        assert answer.status_code == 200, answer.text
        item = next(item for item in answer.json()["items"] if item["id"] == row.id)
        if as_of is not None:
            assert datetime.fromisoformat(item["stateObservedAt"]) == as_of
        pages = [await self.browser.get(path) for path in ("/servers", f"/servers/{row.id}")]
        assert [page.status_code for page in pages] == [200, 200]
        assert ("VirtFusion has not answered since" in pages[0].text) is notice
        return item


@asynccontextmanager
async def running_installation(
    database: Database, app: App, makers: Makers, plan: WorldPlan = PLAN
) -> AsyncGenerator[Installation]:
    """A furnished installation; its vendor's time is moved with it."""
    time = HandTime()
    world = ForgetfulWorld(plan, clock=time.seconds)
    async with running_vendor(world) as vendor:
        installation = Installation(database, app, makers, vendor, world, time)
        try:
            await installation.furnish()
            yield installation
        finally:
            for client in installation.clients:
                await client.close()
