"""A hosting company with its panel in several processes: a database of its own, a simulated VirtFusion, people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from hostwright.core.config import Config
from hostwright.core.crypto import Keyring
from hostwright.core.db import Command, Database, Query, Scalar, create_database
from hostwright.identity import service as identity
from hostwright.identity.access import csrf_token
from hostwright.identity.records import Role
from hostwright.servers import service
from hostwright.servers.queries.actions import COLUMNS as ACTION_COLUMNS
from hostwright.servers.records import ActionRow
from hostwright.upstream.factory import connection_providers
from hostwright.upstream.virtfusion.simulator import World, WorldPlan
from tests.stack.vendor import Vendor, running_vendor
from tests.support.app import HOME, KEYS, Makers, Person, config_of
from tests.support.operations import note_answer
from tests.support.stack import Live, Program, Stack, Web, running_stack, until

FIRST_USER: Final = 101
MANY: Final = "many-"
"""How servers are called that one test takes all of."""
PLAN: Final = WorldPlan(servers=24, users=4, first_users=(18, 2), speed=20.0, build_minutes=600)

external_ids = Scalar(int, "select external_id from servers where id = $1")
local_ids = Scalar(int, "select id from servers where external_id = $1")
action_by_id = Query(ActionRow, "select " + ACTION_COLUMNS + " from server_actions a where a.id = $1")
unfinished = Scalar(int, "select count(*) from server_actions where finished_at is null")
busy_servers = Scalar(int, "select count(*) from servers where busy")
gone_servers = Scalar(int, "select count(*) from servers where state = 'gone' or missing_since is not null")
make_due = Command("update servers set detailed_at = detailed_at - interval '1 hour'")
log_lines = Scalar(str, "select action || ':' || status from server_log where server_id = $1 order by id")


class Panel:
    """Everything of one company. ``secrets`` gathers what no log may hold."""

    def __init__(self, database: Database, stack: Stack, vendor: Vendor, closing: AsyncExitStack) -> None:
        self.database = database
        self.stack = stack
        self.vendor = vendor
        self.makers = Makers(database)
        self.connection_id = 0
        self.webs: list[Web] = []
        self.workers: list[Program] = []
        self.secrets: set[str] = {vendor.token, *KEYS.split(",")}
        self.owner: Person
        self.stranger: Person
        self.staff: Person
        self._closing = closing
        self._taken: set[int] = set()

    async def furnish(self) -> None:
        """People with their servers: the first user's are the owner's, the second's the stranger's."""
        self.owner = await self.makers.user(full_name="Ada Lovelace")
        self.stranger = await self.makers.user(full_name="Charles Babbage")
        self.staff = await self.makers.user(full_name="Grace Hopper", role=Role.ADMIN)
        self.connection_id = await self.makers.connection(self.vendor.url, self.vendor.token)
        async with self.database.transaction() as tx:
            await service.link_account(tx, self.connection_id, self.owner.customer_id, FIRST_USER)
            await service.link_account(tx, self.connection_id, self.stranger.customer_id, FIRST_USER + 1)

    async def mirror(self, *, details: bool = True, anew: bool = False) -> None:
        """Bring the mirror up to date from here, so that a test need not wait for a worker's next tick.

        ``anew``: also the details of servers whose turn it is not yet, because a worker has just read them.
        """
        if anew:
            async with self.database.transaction() as tx:
                await make_due.run(tx)
        config: Config = config_of(self.database.dsn)
        async with connection_providers(config, self.database, Keyring.parse(KEYS)) as providers:
            assert (await service.run_mirror(self.database, providers, self.connection_id)).state == "done"
            if details:
                await service.refresh_details(
                    self.database, providers, self.connection_id, budget=10_000, limited=False
                )

    async def start(self, *, webs: int = 0, workers: int = 0) -> None:
        """Start processes, each kind at once."""
        self.webs += await asyncio.gather(*(self.stack.web() for _ in range(webs)))
        self.workers += await asyncio.gather(*(self.stack.worker() for _ in range(workers)))

    # --- people

    async def program(self, person: Person, *scopes: str, web: int = 0) -> httpx.AsyncClient:
        """A program with a new key of a person."""
        key = await self.makers.key(person, scopes or ("read:servers", "write:servers"))
        self.secrets.add(key.key)
        return await self.client(web, headers={"Authorization": f"Bearer {key.key}"})

    async def browser(self, person: Person, web: int = 0) -> httpx.AsyncClient:
        """The browser of a person who has signed in: session cookie, and the CSRF token in the header."""
        origin = identity.Client(HOME, HOME, "tests", "")
        async with self.database.transaction() as tx:
            session = await identity.open_session(tx, person.user_id, origin, session_days=30)
        csrf = csrf_token(Keyring.parse(KEYS), session.token)
        self.secrets.add(session.token)
        cookies = {"hw_session": session.token, "hw_csrf": csrf}
        return await self.client(web, cookies=cookies, headers={"X-CSRF-Token": csrf})

    async def client(self, web: int = 0, **options: Any) -> httpx.AsyncClient:
        """Somebody who calls a web process; nobody in particular without ``options``."""
        hooks = {"response": [note_answer]}
        client = httpx.AsyncClient(
            base_url=self.webs[web].url, timeout=30, trust_env=False, event_hooks=hooks, **options
        )
        return await self._closing.enter_async_context(client)

    async def live(self, browser: httpx.AsyncClient) -> Live:
        """The open event stream of a browser."""
        stream = Live(browser)
        await stream.open()
        self._closing.push_async_callback(stream.leave)
        return stream

    # --- looking

    async def value[T](self, query: Scalar[T], *arguments: Any) -> T:
        async with self.database.acquire() as db:
            return await query.value(db, *arguments)

    async def values[T](self, query: Scalar[T], *arguments: Any) -> list[T]:
        async with self.database.acquire() as db:
            return await query.all(db, *arguments)

    async def server_id(self, external_id: int) -> int:
        """What the panel calls a server of the vendor."""
        return await self.value(local_ids, external_id)

    async def action(self, action_id: int) -> ActionRow:
        async with self.database.acquire() as db:
            return await action_by_id.one(db, action_id)

    async def ended(self, action_id: int, seconds: float = 60) -> ActionRow:
        """An action, once it has ended."""

        async def over() -> ActionRow | None:
            action = await self.action(action_id)
            return action if action.finished_at is not None else None

        found = await until(over, seconds)
        assert found is not None
        return found

    @property
    def leaks(self) -> list[str]:
        """Secrets of this run that some process has logged."""
        logs = self.stack.logs
        return sorted(secret for secret in self.secrets if secret in logs)

    def sent(self, external_id: int, action: str) -> int:
        """How often the vendor was asked to do something with a server's power."""
        return len(self.vendor.requests(f"/servers/{external_id}/power/{action}"))

    def fresh(self) -> int:
        """The vendor's id of one of the owner's running servers, each only once."""
        for one in self.vendor.world.listed:
            usable = one.owner_id == FIRST_USER and one.state == "complete" and one.running and not one.suspended
            if usable and one.id not in self._taken and not one.name.startswith(MANY):
                self._taken.add(one.id)
                return one.id
        message = "no running server is left"
        raise LookupError(message)


@asynccontextmanager
async def running_panel(
    dsn: str, folder: Path, *, world: World | WorldPlan = PLAN, **environ: str
) -> AsyncGenerator[Panel]:
    """A furnished company on the migrated database of ``dsn``; nothing is mirrored and no process runs yet.

    At the end no log of its processes may hold a secret.
    """
    async with AsyncExitStack() as closing:
        vendor = await closing.enter_async_context(running_vendor(world if isinstance(world, World) else World(world)))
        database = await create_database(dsn, max_size=6)
        closing.push_async_callback(database.close)
        stack = await closing.enter_async_context(running_stack(dsn, folder, **environ))
        panel = Panel(database, stack, vendor, closing)
        closing.callback(panel.makers.close)
        await panel.furnish()
        yield panel
        assert panel.leaks == []
