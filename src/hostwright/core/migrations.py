"""Migrations: plain SQL files, applied in the order of their names under one advisory lock, each with a checksum."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec

FOLDER: Final = Path(__file__).parent.parent / "migrations"
NO_TRANSACTION: Final = "-- no transaction"
LOCK: Final = 0x686F7374  # "host": any fixed number that nobody else uses in this database
INSERT_ONLY: Final = ("audit_log",)

CREATE_RECORD: Final = """
create table if not exists schema_migrations (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
)"""


class MigrationError(Exception):
    """The schema cannot be brought up to date; the message is one clear line."""


class MigrationChanged(MigrationError):
    """A file that was already applied has another content now."""


class MigrationState(StrEnum):
    """Where a migration stands."""

    APPLIED = "applied"
    PENDING = "pending"
    CHANGED = "changed"
    MISSING = "missing"


class MigrationStatus(msgspec.Struct, frozen=True):
    """One migration; ``missing`` was applied but its file is not here (a newer release ran on this database)."""

    name: str
    state: MigrationState
    applied_at: datetime | None


class Migration(msgspec.Struct, frozen=True):
    """One file."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, so that an edit after the fact is seen."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def in_transaction(self) -> bool:
        """Concurrent indexes and the like cannot run in one; such a file holds one statement."""
        return not self.sql.startswith(NO_TRANSACTION)


def migration_files(folder: Path = FOLDER) -> list[Migration]:
    """Every migration of this release, in order."""
    return [Migration(path.stem, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.sql"))]


def schema_version(folder: Path = FOLDER) -> str:
    """A short name for the whole set of migrations, for test templates and caches."""
    digest = hashlib.sha256()
    for migration in migration_files(folder):
        digest.update(migration.name.encode() + b"\0" + migration.sql.encode() + b"\0")
    return digest.hexdigest()[:16]


@asynccontextmanager
async def _locked(dsn: str) -> AsyncGenerator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        yield connection
    finally:
        await connection.close()


async def _applied(connection: asyncpg.Connection[Any]) -> dict[str, tuple[str, datetime]]:
    if await connection.fetchval("select to_regclass('schema_migrations')") is None:
        return {}
    rows = await connection.fetch("select name, checksum, applied_at from schema_migrations")
    return {row["name"]: (row["checksum"], row["applied_at"]) for row in rows}


async def _install_queue(connection: asyncpg.Connection[Any]) -> None:
    """PgQueuer's own tables, made by the library's locked version. Its environment variables are ignored."""
    if await connection.fetchval("select to_regclass('pgqueuer')") is not None:
        return
    for name in ("CHANNEL", "FUNCTION", "TRIGGER", "STATISTICS_TABLE", "QUEUE_TABLE", "SCHEDULES_TABLE"):
        os.environ.pop(name, None)
    from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment  # noqa: PLC0415  half a second, rarely needed

    async with connection.transaction():
        await connection.execute(QueryBuilderEnvironment().build_install_query(create_schema=False))


async def _apply(connection: asyncpg.Connection[Any], migration: Migration) -> None:
    record = "insert into schema_migrations (name, checksum) values ($1, $2)"
    try:
        if migration.in_transaction:
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(record, migration.name, migration.checksum)
        else:
            await connection.execute(migration.sql)
            await connection.execute(record, migration.name, migration.checksum)
    except asyncpg.PostgresError as error:
        message = f"migration {migration.name} failed and was rolled back: {error}"
        raise MigrationError(message) from error


async def _grant(connection: asyncpg.Connection[Any], role: str) -> None:
    """What the application may do: every row, no schema; the audit log only grows."""
    name = '"' + role.replace('"', '""') + '"'
    async with connection.transaction():
        await connection.execute(f"grant usage on schema public to {name}")
        await connection.execute(f"grant select, insert, update, delete on all tables in schema public to {name}")
        await connection.execute(f"grant usage, select on all sequences in schema public to {name}")
        await connection.execute(f"revoke insert, update, delete on schema_migrations from {name}")
        for table in INSERT_ONLY:
            await connection.execute(f"revoke update, delete, truncate on {table} from {name}")


async def migrate(admin_dsn: str, app_role: str | None = None, *, folder: Path = FOLDER) -> list[str]:
    """Apply what is pending and return the names. Several callers at once: one works, the others wait and find nothing.

    ``app_role`` gets its rights anew each time. Raises `MigrationChanged` before anything is applied.
    """
    done: list[str] = []
    async with _locked(admin_dsn) as connection:
        await connection.execute(CREATE_RECORD)
        applied = await _applied(connection)
        wanted = migration_files(folder)
        for migration in wanted:
            if migration.name in applied and applied[migration.name][0] != migration.checksum:
                message = f"migration {migration.name} was changed after it had been applied; add a new file instead"
                raise MigrationChanged(message)
        await _install_queue(connection)
        for migration in wanted:
            if migration.name not in applied:
                await _apply(connection, migration)
                done.append(migration.name)
        is_owner = app_role is None or app_role == await connection.fetchval("select current_user")
        if app_role is not None and not is_owner:
            await _grant(connection, app_role)
    return done


async def status(dsn: str, *, folder: Path = FOLDER) -> list[MigrationStatus]:
    """Every known migration with its state, in order; reads only."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        applied = await _applied(connection)
    finally:
        await connection.close()
    files = {migration.name: migration for migration in migration_files(folder)}
    return [_status_of(name, files.get(name), applied.get(name)) for name in sorted(files.keys() | applied.keys())]


def _status_of(name: str, file: Migration | None, applied: tuple[str, datetime] | None) -> MigrationStatus:
    if applied is None:
        return MigrationStatus(name, MigrationState.PENDING, None)
    checksum, at = applied
    if file is None:
        return MigrationStatus(name, MigrationState.MISSING, at)
    same = checksum == file.checksum
    return MigrationStatus(name, MigrationState.APPLIED if same else MigrationState.CHANGED, at)


async def reset(admin_dsn: str) -> None:
    """Drop everything in the public schema. The caller has asked for the database's name."""
    async with _locked(admin_dsn) as connection, connection.transaction():
        await connection.execute("drop schema public cascade")
        await connection.execute("create schema public")
