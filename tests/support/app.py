"""The whole web process inside the test's loop, who may call it, and what they own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import count
from typing import Any, Final

import httpx
import msgspec

from hostwright.app import App, build_app
from hostwright.core.config import Config, Environment
from hostwright.core.crypto import Keyring, new_key
from hostwright.core.db import Command, Database, Scalar
from hostwright.core.passwords import Passwords
from hostwright.identity import queries, service
from hostwright.identity.access import csrf_cookie, csrf_token, session_cookie
from hostwright.identity.records import MemberRole, Role
from hostwright.identity.service import Client as Origin
from hostwright.identity.service import NewKey, NewSession
from hostwright.web import render
from tests.support.databases import as_app
from tests.support.operations import recorded

URL: Final = "http://panel.test"
PASSWORD: Final = "kV7-tulip-9zQ"
KEYS: Final = new_key()
HOME: Final = "127.0.0.1"
NOWHERE: Final = "http://127.0.0.1:9"  # nothing listens there

_numbers = count(1)


def config_of(dsn: str, **changes: Any) -> Config:
    """What the application under test is configured with; it connects as the role that owns nothing."""
    values: dict[str, Any] = {
        "database_url": as_app(dsn),
        "keys": KEYS,
        "environment": Environment.TEST,
        "public_url": URL,
        "allow_local_upstreams": True,
    }
    return Config(**values | changes)


def quick_app(config: Config) -> App:
    """The application with passwords that cost next to nothing."""
    return build_app(config, passwords=Passwords(memory_kib=8, iterations=1))


@asynccontextmanager
async def running(app: App) -> AsyncGenerator[App]:
    """Within the application's lifespan. One renderer serves a process: the one of this application meanwhile."""
    before = render._process.renderer
    if before is None or before.config != app.config:
        render._process.renderer = render.Renderer(app.config, render.renderer().navigation.parts)
    stop = asyncio.Event()
    started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    # Litestar's lifespan must end in the task it began in, and a fixture's two halves are two tasks.
    task = asyncio.create_task(_live(app, started, stop))
    try:
        await asyncio.wait({task, started}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        yield app
    finally:
        stop.set()
        await task
        render._process.renderer = before


async def _live(app: App, started: asyncio.Future[None], stop: asyncio.Event) -> None:
    async with app.litestar.lifespan():
        started.set_result(None)
        await stop.wait()


class Person(msgspec.Struct, frozen=True):
    """Somebody with an account, and the customer that came with it."""

    user_id: int
    username: str
    email: str
    full_name: str
    role: Role
    customer_id: int
    customer_name: str


class Client(httpx.AsyncClient):
    """A caller at one address; signed in when it has a ``session``."""

    session: NewSession | None = None
    csrf: str = ""


def client_of(app: App, address: str = HOME, **options: Any) -> Client:
    """A caller without an account. Requests are noted (`operations`)."""
    transport = httpx.ASGITransport(app=recorded(app.asgi), client=(address, 40_000))
    return Client(transport=transport, base_url=app.config.public_url, **options)


async def signed_in(app: App, database: Database, person: Person, address: str = HOME) -> Client:
    """A browser of ``person``: its session's cookies, and the CSRF token in the header."""
    origin = Origin(address, address, "tests", "")
    async with database.transaction() as tx:
        session = await service.open_session(tx, person.user_id, origin, session_days=app.config.session_days)
    token = csrf_token(app.services.keyring, session.token)
    cookies = {session_cookie(app.config): session.token, csrf_cookie(app.config): token}
    client = client_of(app, address, cookies=cookies, headers={"X-CSRF-Token": token})
    client.session, client.csrf = session, token
    return client


type MakeApp = Callable[..., Awaitable[App]]
type MakeClient = Callable[..., Awaitable[Client]]
type SignIn = Callable[..., Awaitable[Client]]
type KeyClient = Callable[..., Awaitable[Client]]

next_connection = Scalar(int, "select nextval(pg_get_serial_sequence('connections', 'id'))")
insert_connection = Scalar(
    int,
    """
    insert into connections (id, kind, name, base_url, token, calls_per_minute)
    values ($1, 'virtfusion', $2, $3, $4, 600) returning id
    """,
)
insert_server = Scalar(
    int,
    """
    insert into servers (connection_id, external_id, customer_id, name, hostname, state, power, cores, memory_mib,
        disk_gib, operating_system, package, primary_ipv4, created_at, detailed_at, power_observed_at)
    values ($1, $2, $3, $4, $4 || '.example', $5, $6, 2, 2048, 40, 'Debian 13', 'VPS 2', '192.0.2.1', now(), now(),
        now()) returning id
    """,
)
set_member = Command(
    """
    insert into members (customer_id, user_id, role) values ($1, $2, $3)
    on conflict (customer_id, user_id) do update set role = excluded.role
    """
)


class Makers:
    """Makes what a test needs, with names of its own unless it is told which."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._passwords = Passwords(memory_kib=8, iterations=1)
        self._connection_id: int | None = None

    async def user(
        self,
        username: str | None = None,
        *,
        role: Role = Role.CLIENT,
        full_name: str = "Ada Lovelace",
        customer_name: str | None = None,
        password: str = PASSWORD,
    ) -> Person:
        """A user with a customer of their own."""
        name = username or f"user{next(_numbers)}"
        email = f"{name}@example.com"
        hashed = await self._passwords.hash_password(password)
        async with self.database.transaction() as tx:
            user, customer_id = await service.create_user(
                tx,
                username=name,
                email=email,
                full_name=full_name,
                password_hash=hashed,
                role=role,
                customer_name=customer_name or f"{name} Ltd",
            )
        return Person(user.id, name, email, full_name, role, customer_id, customer_name or f"{name} Ltd")

    async def customer(self, name: str | None = None) -> int:
        """The id of a customer without members."""
        async with self.database.transaction() as tx:
            return (await queries.insert_customer.one(tx, name or f"Customer {next(_numbers)}")).id

    async def member(self, person: Person, customer_id: int, role: MemberRole = MemberRole.OWNER) -> None:
        """Let a person act for a customer, or change as what."""
        async with self.database.transaction() as tx:
            await set_member.run(tx, customer_id, person.user_id, role)

    async def connection(self, base_url: str, token: str = "tests", *, name: str = "Frankfurt") -> int:
        """The id of a connection to a VirtFusion; later servers are its."""
        async with self.database.transaction() as tx:
            new = await next_connection.value(tx)
            secret = Keyring.parse(KEYS).encrypt("connections", "token", new, token.encode())
            self._connection_id = await insert_connection.value(tx, new, name, base_url, secret)
        return self._connection_id

    async def server(
        self,
        customer_id: int | None,
        name: str | None = None,
        *,
        state: str = "active",
        power: str = "running",
        external_id: int | None = None,
    ) -> int:
        """The id of a server in the mirror. Its connection leads nowhere, unless `connection` was called before."""
        number = next(_numbers)
        if self._connection_id is None:
            await self.connection(NOWHERE)
        async with self.database.transaction() as tx:
            return await insert_server.value(
                tx,
                self._connection_id,
                external_id or 100_000 + number,
                customer_id,
                name or f"vm-{number:05}",
                state,
                power,
            )

    async def key(
        self,
        person: Person,
        scopes: Iterable[str],
        *,
        customer_id: int | None = None,
        expires_at: datetime | None = None,
    ) -> NewKey:
        """An API key of a person for their own customer, or for another."""
        async with self.database.transaction() as tx:
            user = await queries.user_by_id.one(tx, person.user_id)
            return await service.create_api_key(
                tx,
                user=user,
                customer_id=customer_id or person.customer_id,
                name="tests",
                scopes=scopes,
                expires_at=expires_at,
            )

    def close(self) -> None:
        """Let the threads go."""
        self._passwords.close()


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The error of an answer that has the one shape, and nothing else."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), answer.text
    body = answer.json()
    assert list(body) == ["error"]
    error = body["error"]
    assert set(error) - {"details", "required_scope"} == {"code", "message", "status", "requestId"}
    assert (error["code"], error["status"]) == (code, status)
    assert error["requestId"] == answer.headers["x-request-id"]
    assert error["message"].endswith(".")
    assert answer.headers["cache-control"] == "no-store"
    return error


def problems(answer: httpx.Response) -> dict[str, str]:
    """What a 400 says of each field."""
    details = refused(answer, 400, "invalid_request")["details"]
    found = {each["field"]: each["message"] for each in details}
    assert len(found) == len(details), "one entry per field"
    return found
