"""Migrations: order, checksums, several at once, and what the application's role may not do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from hostwright.core.migrations import (
    FOLDER,
    NO_TRANSACTION,
    MigrationChanged,
    MigrationError,
    MigrationState,
    migrate,
    migration_files,
    reset,
    schema_version,
    status,
)
from tests.support.databases import APP_ROLE, as_app, drop


@pytest.fixture
async def bare_dsn(cluster: str, template: str) -> AsyncIterator[str]:
    """The owner's DSN of an empty database."""
    name = f"m_{uuid4().hex[:12]}"
    connection = await asyncpg.connect(cluster.format(name="postgres"))
    await connection.execute(f"create database {name}")
    await connection.close()
    yield cluster.format(name=name)
    await drop(cluster, name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three migrations of our own."""
    (tmp_path / "1_a.sql").write_text("create table audit_log (id int); create table a (id int)")
    (tmp_path / "2_b.sql").write_text("create table b (id int)")
    (tmp_path / "3_c.sql").write_text(f"{NO_TRANSACTION}\ncreate index concurrently b_id on b (id)")
    return tmp_path


async def fetch(dsn: str, sql: str) -> list[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        return [row[0] for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def exists(dsn: str, *names: str) -> list[bool]:
    return [(await fetch(dsn, f"select to_regclass('{name}') is not null"))[0] for name in names]


async def test_files_are_applied_in_order_and_once(bare_dsn: str, folder: Path) -> None:
    assert await migrate(bare_dsn, folder=folder) == ["1_a", "2_b", "3_c"]
    assert await migrate(bare_dsn, folder=folder) == []
    assert await exists(bare_dsn, "a", "b", "b_id", "pgqueuer") == [True] * 4
    (folder / "4_d.sql").write_text("create table d (id int)")
    assert await migrate(bare_dsn, folder=folder) == ["4_d"]


async def test_a_changed_file_is_refused_before_anything_is_applied(bare_dsn: str, folder: Path) -> None:
    await migrate(bare_dsn, folder=folder)
    (folder / "0_new.sql").write_text("create table earlier (id int)")
    (folder / "2_b.sql").write_text("create table b (id bigint)")
    (folder / "4_d.sql").write_text("create table later (id int)")
    with pytest.raises(MigrationChanged, match="2_b") as caught:
        await migrate(bare_dsn, folder=folder)
    assert "\n" not in str(caught.value)
    assert await exists(bare_dsn, "earlier", "later") == [False, False]
    states = {found.name: found.state for found in await status(bare_dsn, folder=folder)}
    assert states == {
        "0_new": MigrationState.PENDING,
        "1_a": MigrationState.APPLIED,
        "2_b": MigrationState.CHANGED,
        "3_c": MigrationState.APPLIED,
        "4_d": MigrationState.PENDING,
    }


async def test_a_database_of_a_newer_release_is_told(bare_dsn: str, folder: Path) -> None:
    await migrate(bare_dsn, folder=folder)
    (folder / "3_c.sql").unlink()
    found = await status(bare_dsn, folder=folder)
    assert [(each.name, each.state) for each in found][-1] == ("3_c", MigrationState.MISSING)
    assert found[-1].applied_at is not None


async def test_the_state_of_an_empty_database_is_read_without_changing_it(bare_dsn: str) -> None:
    found = await status(bare_dsn)
    assert {each.state for each in found} == {MigrationState.PENDING}
    assert [each.name for each in found] == [file.name for file in migration_files()]
    assert await exists(bare_dsn, "schema_migrations") == [False]


async def test_a_file_that_fails_leaves_nothing_of_itself_and_all_before_it(bare_dsn: str, folder: Path) -> None:
    (folder / "2_b.sql").write_text("create table half (id int); select 1/0")
    with pytest.raises(MigrationError, match="2_b failed and was rolled back: division by zero"):
        await migrate(bare_dsn, folder=folder)
    assert await exists(bare_dsn, "a", "half", "b_id") == [True, False, False]
    assert await fetch(bare_dsn, "select name from schema_migrations") == ["1_a"]
    (folder / "2_b.sql").write_text("create table b (id int)")
    assert await migrate(bare_dsn, folder=folder) == ["2_b", "3_c"]


async def test_what_needs_no_transaction_runs_in_none(bare_dsn: str, folder: Path) -> None:
    inside = (folder / "3_c.sql").read_text().removeprefix(NO_TRANSACTION)
    (folder / "3_c.sql").write_text(inside)
    with pytest.raises(MigrationError, match="cannot run inside a transaction block"):
        await migrate(bare_dsn, folder=folder)
    (folder / "3_c.sql").write_text(NO_TRANSACTION + inside)
    assert await migrate(bare_dsn, folder=folder) == ["3_c"]
    assert await fetch(bare_dsn, "select indisvalid from pg_index where indexrelid = 'b_id'::regclass") == [True]


async def test_two_migrators_at_once_apply_each_file_once(bare_dsn: str) -> None:
    done = await asyncio.gather(*(migrate(bare_dsn, APP_ROLE) for _ in range(3)))
    assert sorted(map(len, done)) == [0, 0, len(migration_files())]
    assert len(await fetch(bare_dsn, "select name from schema_migrations")) == len(migration_files())


async def test_the_queues_schema_does_not_depend_on_the_environment(
    bare_dsn: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANNEL", "elsewhere")
    monkeypatch.setenv("QUEUE_TABLE", "elsewhere")
    await migrate(bare_dsn, folder=folder)
    assert await exists(bare_dsn, "pgqueuer", "elsewhere") == [True, False]
    sources = await fetch(bare_dsn, "select prosrc from pg_proc where pronamespace = 'public'::regnamespace")
    assert any("ch_pgqueuer" in source for source in sources)
    assert not any("elsewhere" in source for source in sources)


async def test_a_reset_leaves_nothing_and_everything_can_be_applied_again(own_dsn: str) -> None:
    before = await fetch(own_dsn, "select count(*) from pg_class where relnamespace = 'public'::regnamespace")
    await reset(own_dsn)
    assert await exists(own_dsn, "users", "schema_migrations", "pgqueuer") == [False] * 3
    assert len(await migrate(own_dsn, APP_ROLE)) == len(migration_files())
    after = await fetch(own_dsn, "select count(*) from pg_class where relnamespace = 'public'::regnamespace")
    assert after == before
    assert await fetch(as_app(own_dsn), "select count(*) from users") == [0]


@pytest.mark.parametrize(
    "sql",
    [
        "create table mine (id int)",
        "create index mine on users (id)",
        "alter table users add column mine int",
        "alter table audit_log disable trigger all",
        "drop table sessions",
        "truncate users",
        "create function mine() returns int language sql as 'select 1'",
        "create or replace function servers_counted() returns trigger language plpgsql as 'begin return null; end'",
        "insert into schema_migrations (name, checksum) values ('x', 'y')",
        "update schema_migrations set checksum = ''",
        "delete from schema_migrations",
        "update audit_log set action = 'x'",
        "delete from audit_log",
        "truncate audit_log",
        "create extension hstore",
        "set role hostwright",
    ],
)
async def test_the_applications_role_can_change_neither_schema_nor_audit(dsn: str, sql: str) -> None:
    connection = await asyncpg.connect(as_app(dsn))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(sql)
    finally:
        await connection.close()


async def test_the_applications_role_cannot_grant_itself_more(dsn: str) -> None:
    may_delete = "select has_table_privilege('app', 'audit_log', 'delete')"
    connection = await asyncpg.connect(as_app(dsn))
    await connection.execute("grant delete on audit_log to app")  # PostgreSQL only warns: nothing was granted
    await connection.close()
    assert await fetch(dsn, may_delete) == [False]


async def test_later_tables_are_the_applications_too(own_dsn: str, tmp_path: Path) -> None:
    for file in FOLDER.glob("*.sql"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "209901010000_later.sql").write_text("create table later (id int generated by default as identity)")
    assert await migrate(own_dsn, APP_ROLE, folder=tmp_path) == ["209901010000_later"]
    assert await fetch(as_app(own_dsn), "insert into later default values returning id") == [1]


def test_the_version_names_the_whole_set(folder: Path) -> None:
    before = schema_version(folder)
    assert schema_version(folder) == before
    (folder / "2_b.sql").write_text("create table b (id bigint)")
    assert schema_version(folder) != before


def test_migrations_start_with_a_lock_timeout_or_hold_one_statement() -> None:
    for migration in migration_files():
        body = "\n".join(line for line in migration.sql.splitlines() if not line.startswith("--"))
        if migration.in_transaction:
            assert body.lstrip().startswith("set local lock_timeout"), migration.name
        else:
            assert body.strip().rstrip(";").count(";") == 0, migration.name
