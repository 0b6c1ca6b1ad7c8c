"""`check` finds what is wrong, says what to do, and changes nothing."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from hostwright.core.crypto import Keyring, new_key
from hostwright.core.db import Command, Database, create_database
from hostwright.servers.service import add_connection
from tests.support.app import KEYS
from tests.support.databases import as_app
from tests.support.simulator import running_simulator

from .conftest import Order

forget = Command("delete from schema_migrations where name = (select max(name) from schema_migrations)")
beat = Command("insert into workers (id, role, host, pid, version) values (gen_random_uuid(), 'worker', 'a', 1, '0')")


async def checked(order: Order, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(order, "check", *arguments, **environment)


def states(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {one["name"]: one["state"] for one in json.loads(done.stdout)["checks"]}


@pytest.fixture
def environment(dsn: str, tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": as_app(dsn),
        "HOSTWRIGHT_KEYS": KEYS,
        "HOSTWRIGHT_DATA": str(tmp_path),
        "PUBLIC_URL": "https://panel.example.com",
        "TRUSTED_PROXIES": "127.0.0.1",
        "ALLOW_LOCAL_UPSTREAMS": "yes",
    }


async def attach(database: Database, url: str, token: str) -> None:
    async with database.transaction() as tx:
        await add_connection(tx, Keyring.parse(KEYS), name="Frankfurt", base_url=url, token=token)


async def test_all_is_well(order: Order, environment: dict[str, str], database: Database) -> None:
    async with database.transaction() as tx:
        await beat.run(tx)
    async with running_simulator() as virtfusion:
        await attach(database, virtfusion.url, virtfusion.token)
        done = await checked(order, **environment)
        assert virtfusion.token not in done.stdout
        assert {one.method for one in virtfusion.requests()} == {"GET"}
    assert done.returncode == 0, done.stdout
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"ok"}
    assert done.stderr == ""
    names = [line.split()[1] for line in done.stdout.splitlines()]
    assert names == [
        *("environment", "web", "disk", "keys", "database", "clock", "schema", "rights", "worker", "secrets"),
        "connection",
    ]
    assert not [secret for secret in (KEYS, environment["DATABASE_URL"]) if secret in done.stdout]


async def test_for_programs(order: Order, environment: dict[str, str]) -> None:
    done = await checked(order, "--json", **environment)
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"]) == (0, True)
    assert set(told["checks"][0]) == {"name", "state", "message", "advice"}
    assert states(done)["worker"] == "note"


async def test_a_wrong_environment_ends_it(order: Order) -> None:
    done = await checked(order, PUBLIC_URL="panel")
    assert done.returncode == 1
    assert done.stdout.startswith("problem  environment  PUBLIC_URL must look like")


@pytest.mark.parametrize(
    ("change", "name", "told"),
    [
        ({"DATABASE_URL": ""}, "database", "DATABASE_URL is not set."),
        ({"DATABASE_URL": "postgresql://a:kV7-tulip@127.0.0.1:9/b"}, "database", "cannot be reached"),
        ({"HOSTWRIGHT_KEYS": ""}, "keys", "The keys file"),
        ({"HOSTWRIGHT_KEYS": "kV7-tulip"}, "keys", "The keys are not valid base64."),
        ({"HOSTWRIGHT_DATA": "/nowhere/at/all"}, "disk", "no such file or directory"),
    ],
)
async def test_what_is_missing(
    order: Order, environment: dict[str, str], change: dict[str, str], name: str, told: str
) -> None:
    done = await checked(order, **{**environment, **change})
    line = next(line for line in done.stdout.splitlines() if line.split()[1] == name)
    assert done.returncode == 1
    assert line.startswith("problem")
    assert told in line
    assert "tulip" not in done.stdout + done.stderr


async def test_pending_migrations(order: Order, environment: dict[str, str], own_dsn: str) -> None:
    database = await create_database(own_dsn, max_size=2)
    async with database.transaction() as tx:
        await forget.run(tx)
    await database.close()
    done = await checked(order, **{**environment, "DATABASE_URL": as_app(own_dsn)})
    assert done.returncode == 1
    assert "1 migration(s) are pending. Run: hostwright db migrate" in done.stdout


async def test_a_role_that_may_do_too_much_is_noted(order: Order, environment: dict[str, str], dsn: str) -> None:
    done = await checked(order, "--json", **{**environment, "DATABASE_URL": dsn})
    assert (done.returncode, states(done)["rights"]) == (0, "note")


async def test_a_key_that_secrets_need(order: Order, environment: dict[str, str], database: Database) -> None:
    await attach(database, "http://127.0.0.1:9", "token")
    done = await checked(order, **{**environment, "HOSTWRIGHT_KEYS": new_key()})
    assert done.returncode == 1
    assert "Secrets in the database need the key" in done.stdout
    assert "Its token cannot be decrypted" in done.stdout


async def test_a_token_that_lacks_a_permission(order: Order, environment: dict[str, str], database: Database) -> None:
    async with running_simulator() as virtfusion:
        virtfusion.faults([{"mode": "status", "status": 403, "path": "/packages"}])
        await attach(database, virtfusion.url, virtfusion.token)
        done = await checked(order, **environment)
    assert done.returncode == 1
    wrong = [line for line in done.stdout.splitlines() if line.startswith("problem")]
    assert len(wrong) == 1
    assert "connection Frankfurt" in wrong[0]
    assert "The API token for VirtFusion lacks the permission for this (403)" in wrong[0]
    assert wrong[0].endswith("Affected: packages.")


async def test_a_vendor_that_is_away(order: Order, environment: dict[str, str], database: Database) -> None:
    await attach(database, "http://127.0.0.1:9", "token")
    done = await checked(order, **environment)
    assert done.returncode == 1
    assert "VirtFusion cannot be reached: the connection was refused. Affected: connect, servers" in done.stdout
