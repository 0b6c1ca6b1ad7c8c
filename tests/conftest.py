"""A throwaway PostgreSQL, an empty migrated database for each test, the application on it, and people to call it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from hostwright.app import App
from hostwright.cli.postgres import Server
from hostwright.core.db import Database, create_database
from hostwright.identity.records import Role
from tests.support import databases, operations, rows
from tests.support.app import (
    HOME,
    Client,
    KeyClient,
    MakeApp,
    MakeClient,
    Makers,
    Person,
    SignIn,
    client_of,
    config_of,
    quick_app,
    running,
    signed_in,
)
from tests.support.logs import Lines, logged, speak_plainly
from tests.support.postgres import make_template, throwaway_server


def pytest_sessionstart() -> None:
    """Operations are noted anew in each run."""
    operations.begin()
    speak_plainly()


def pytest_sessionfinish() -> None:
    """What this run called is known whatever ran beside it."""
    operations.finish()


@pytest.fixture(scope="session", autouse=True)
def rows_fit_their_records() -> Iterator[None]:
    """Rows that any test reads are compared with their records' types."""
    end = rows.watch_all()
    yield
    end()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A throwaway PostgreSQL, with the application's role, which owns nothing."""
    with throwaway_server() as found:
        found.sql(databases.ROLES)
        yield found


@pytest.fixture(scope="session")
def cluster(server: Server) -> str:
    """The owner's DSN up to the name of the database, ``{name}``."""
    return server.dsn(databases.OWNER, "name").replace("/name?", "/{name}?")


@pytest.fixture(scope="session")
def template(cluster: str) -> str:
    """The name of a migrated database to copy."""
    return make_template(cluster, databases.APP_ROLE, databases.OWNER)


@pytest.fixture(scope="session")
async def working_dsn(cluster: str, template: str) -> AsyncIterator[str]:
    """The owner's DSN of the session's database."""
    name = await databases.copy_of(cluster, template)
    yield cluster.format(name=name)
    await databases.drop(cluster, name)


@pytest.fixture(scope="session")
async def migrated_tables(working_dsn: str) -> frozenset[str]:
    """The tables that migrations make."""
    return await databases.tables_of(working_dsn)


@pytest.fixture
async def dsn(working_dsn: str, migrated_tables: frozenset[str]) -> AsyncIterator[str]:
    """The owner's DSN of an empty migrated database: real commits, emptied after the test."""
    yield working_dsn
    await databases.empty(working_dsn, migrated_tables)


@pytest.fixture
async def own_dsn(cluster: str, template: str) -> AsyncIterator[str]:
    """The owner's DSN of a copy of one's own, for tests that change the schema (half a second)."""
    name = await databases.copy_of(cluster, template)
    yield cluster.format(name=name)
    await databases.drop(cluster, name)


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """The owner's pool over an empty migrated database."""
    found = await create_database(dsn, max_size=12)
    yield found
    await found.close()


# --- the whole application ---


@pytest.fixture(scope="session")
def session_app(working_dsn: str) -> App:
    """The application, put together once; each test runs its own lifespan (building takes 0.3 s)."""
    return quick_app(config_of(working_dsn))


@pytest.fixture
async def app(session_app: App, dsn: str) -> AsyncIterator[App]:
    """The application, running, on an empty database, as the role that owns nothing."""
    async with running(session_app):
        yield session_app


@pytest.fixture
async def make_app(dsn: str) -> AsyncIterator[MakeApp]:
    """Starts further applications with changes of the configuration; they end with the test."""
    async with AsyncExitStack() as stack:

        async def make(*handlers: Any, **changes: Any) -> App:
            made = quick_app(config_of(dsn, **changes))
            for handler in handlers:
                made.litestar.register(handler)
            return await stack.enter_async_context(running(made))

        yield make


@pytest.fixture
async def clients() -> AsyncIterator[AsyncExitStack]:
    """Closes clients at the end of the test."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def make_client(app: App, clients: AsyncExitStack) -> MakeClient:
    """Callers without an account: ``make_client(address="203.0.113.5", app=other, headers=…)``."""

    async def make(address: str = HOME, *, app: App = app, **options: Any) -> Client:
        return await clients.enter_async_context(client_of(app, address, **options))

    return make


@pytest.fixture
async def client(make_client: MakeClient) -> Client:
    """Somebody without an account."""
    return await make_client()


@pytest.fixture
async def makers(database: Database) -> AsyncIterator[Makers]:
    """Makes users, customers, servers and keys."""
    made = Makers(database)
    yield made
    made.close()


@pytest.fixture
def make_user(makers: Makers) -> Callable[..., Awaitable[Person]]:
    """A user with a customer of their own."""
    return makers.user


@pytest.fixture
def make_customer(makers: Makers) -> Callable[..., Awaitable[int]]:
    """A customer without members."""
    return makers.customer


@pytest.fixture
def make_server(makers: Makers) -> Callable[..., Awaitable[int]]:
    """A server of a customer."""
    return makers.server


@pytest.fixture
async def owner(makers: Makers) -> Person:
    """A client who owns their customer."""
    return await makers.user(full_name="Ada Lovelace")


@pytest.fixture
async def stranger(makers: Makers) -> Person:
    """A client of another customer."""
    return await makers.user(full_name="Charles Babbage")


@pytest.fixture
async def staff(makers: Makers) -> Person:
    """Somebody who works for the company."""
    return await makers.user(role=Role.ADMIN, full_name="Grace Hopper")


@pytest.fixture
async def sign_in(app: App, database: Database, clients: AsyncExitStack) -> SignIn:
    """The browser of a person, without the sign-in form: ``ada = await sign_in(owner)``."""

    async def make(person: Person, address: str = HOME, *, app: App = app) -> Client:
        return await clients.enter_async_context(await signed_in(app, database, person, address))

    return make


@pytest.fixture
async def api_key(makers: Makers, make_client: MakeClient) -> KeyClient:
    """A program with a new key of a person: ``program = await api_key(owner, "read:servers")``."""

    async def make(person: Person, *scopes: str, app: App | None = None, **options: Any) -> Client:
        key = await makers.key(person, scopes, **options)
        chosen: dict[str, Any] = {} if app is None else {"app": app}
        return await make_client(headers={"Authorization": f"Bearer {key.key}"}, **chosen)

    return make


@pytest.fixture
def log_lines() -> Iterator[Lines]:
    """What is logged during the test, as JSON lines."""
    with logged() as lines:
        yield lines
