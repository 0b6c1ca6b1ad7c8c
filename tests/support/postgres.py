"""The product's own launcher in throwaway mode: a server for one test session, and a migrated template in it.

The server runs without care for its data, ends with the session's process even when that one is killed, and takes its
folder with it.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import asyncpg

from hostwright.cli.postgres import SUPERUSER, Server
from hostwright.core.migrations import migrate, schema_version

LOCK: Final = 0x7465737473  # any number: one process at a time makes a template


@contextmanager
def throwaway_server() -> Generator[Server]:
    """A running server in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="hw-pg-"))
    server = Server(folder, throwaway=True)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def throwaway_cluster(owner: str) -> Generator[str]:
    """A DSN up to the name of the database, ``{name}``, for a superuser called ``owner``."""
    with throwaway_server() as server:
        server.sql(f"create role {owner} superuser login")
        yield server.dsn(owner, "name").replace("/name?", "/{name}?")


async def template_for(cluster: str, app_role: str, owner: str) -> str:
    """The name of a migrated database to copy, made once for each set of migrations. Nobody can connect to it."""
    name = f"template_{schema_version()}"
    connection = await asyncpg.connect(cluster.format(name=SUPERUSER))
    try:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        if await connection.fetchval("select datistemplate from pg_database where datname = $1", name):
            return name
        await connection.execute(f"drop database if exists {name}")  # half made by a process that was killed
        await connection.execute(f"create database {name} owner {owner}")
        await migrate(cluster.format(name=name), app_role)
        await connection.execute(f"alter database {name} with is_template true allow_connections false")
    finally:
        await connection.close()
    return name


def make_template(cluster: str, app_role: str, owner: str) -> str:
    """`template_for` outside of a running loop."""
    return asyncio.run(template_for(cluster, app_role, owner))


async def copy_of(cluster: str, template: str, name: str) -> str:
    """The DSN of a fresh copy. Files are copied: with nothing to lose that is twice as quick as writing a log of it."""
    connection = await asyncpg.connect(cluster.format(name=SUPERUSER))
    try:
        await connection.execute(f"create database {name} template {template} strategy file_copy")
    finally:
        await connection.close()
    return cluster.format(name=name)
