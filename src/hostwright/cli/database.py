"""`hostwright db …`: the database of ``DATABASE_ADMIN_URL``, or of ``DATABASE_URL`` when one role does everything."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Any, Final

import asyncpg
import msgspec

from hostwright.cli.dsn import database_of, password_of, user_of, with_database
from hostwright.cli.problems import Problem
from hostwright.cli.ready import unreachable
from hostwright.core import migrations
from hostwright.core.config import load_config

MAINTENANCE: Final = "postgres"
WRONG_NAME: Final = 2
LOST: Final = (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, ValueError)
REFUSED: Final = (
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InsufficientPrivilegeError,
)


class Target(msgspec.Struct, frozen=True):
    """The database to work on; ``variable`` names it in messages, since the address may hold a password."""

    variable: str
    admin: str
    app: str | None

    @property
    def database(self) -> str:
        """Its name."""
        return database_of(self.admin)

    @property
    def app_role(self) -> str | None:
        """The application's role when it is not the owner itself."""
        role = user_of(self.app) if self.app else None
        return role if role and role != user_of(self.admin) else None

    def __repr__(self) -> str:
        """Without addresses."""
        return f"Target({self.variable})"


def _target() -> Target:
    config = load_config(os.environ)
    if config.database_admin_url:
        return Target("DATABASE_ADMIN_URL", config.database_admin_url, config.database_url or None)
    if config.database_url:
        return Target("DATABASE_URL", config.database_url, None)
    message = "Neither DATABASE_ADMIN_URL nor DATABASE_URL is set. Point one at PostgreSQL."
    raise Problem(message)


def _carry_out[T](target: Target, work: Coroutine[Any, Any, T]) -> T:
    """Run ``work``; what the database says against it becomes one line."""
    try:
        return asyncio.run(work)
    except (*LOST, *REFUSED) as error:
        raise unreachable(target.variable, error) from error


def init(options: argparse.Namespace) -> int:
    """Make what is missing: the database, and the role of ``DATABASE_URL`` with its password."""
    del options
    target = _target()
    made = _carry_out(target, _init(target))
    print(f"Made {' and '.join(made)}." if made else "Database and roles are there already.")
    print("Next: hostwright db migrate")
    return 0


async def _init(target: Target) -> list[str]:
    made: list[str] = []
    connection = await asyncpg.connect(with_database(target.admin, MAINTENANCE), timeout=10)
    try:
        if not await connection.fetchval("select exists (select from pg_database where datname = $1)", target.database):
            await _format(connection, "create database %I", target.database)
            made.append(f"the database {target.database}")
        role = target.app_role
        if role and not await connection.fetchval("select exists (select from pg_roles where rolname = $1)", role):
            await _format(connection, "create role %I login password %L", role, password_of(target.app or ""))
            made.append(f"the role {role}")
    finally:
        await connection.close()
    return made


async def _format(connection: asyncpg.Connection[Any], pattern: str, *names: str | None) -> None:
    """Run a statement that takes no parameters; PostgreSQL itself quotes the names."""
    places = ", ".join(f"${number}::text" for number in range(2, len(names) + 2))
    await connection.execute(await connection.fetchval(f"select format($1, {places})", pattern, *names))


def migrate(options: argparse.Namespace) -> int:
    """Apply what is pending, and give the application's role its rights."""
    target = _target()
    if options.refuse_newer:
        _refuse_newer(target)
    done = _carry_out(target, migrations.migrate(target.admin, target.app_role))
    for name in done:
        print(f"applied {name}")
    print(f"{len(done)} applied." if done else "Nothing to do: the schema is up to date.")
    return 0


def _refuse_newer(target: Target) -> None:
    """Raises `Problem` when the database has migrations that are not here."""
    found = _carry_out(target, migrations.status(target.admin))
    newer = [one.name for one in found if one.state is migrations.MigrationState.MISSING]
    if newer:
        message = f"The database was brought up to date by a newer release ({newer[-1]}). Use that release."
        raise Problem(message)


def show(options: argparse.Namespace) -> int:
    """List every migration with its state."""
    del options
    target = _target()
    found = _carry_out(target, migrations.status(target.admin))
    for one in found:
        when = one.applied_at.strftime("%Y-%m-%d %H:%M:%S") if one.applied_at else "-"
        print(f"{one.state.value:8}  {when:19}  {one.name}")
    counted = {state: sum(one.state is state for one in found) for state in migrations.MigrationState}
    print(", ".join(f"{number} {state.value}" for state, number in counted.items() if number or state == "applied"))
    return 0


def reset(options: argparse.Namespace) -> int:
    """Delete everything in the database, after its name was typed, and make its tables anew."""
    target = _target()
    name = options.yes_drop
    if name is None:
        print(
            f"This deletes everything in the database {target.database}. Type its name to go on: ", end="", flush=True
        )
        name = sys.stdin.readline().strip()
    if name != target.database:
        message = f"{name!r} is not the name of the database. Nothing was deleted."
        raise Problem(message, code=WRONG_NAME)
    _carry_out(target, _reset(target))
    print(f"The database {target.database} is empty and up to date.")
    return 0


async def _reset(target: Target) -> None:
    await migrations.reset(target.admin)
    await migrations.migrate(target.admin, target.app_role)
