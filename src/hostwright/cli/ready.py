"""What a role needs before it starts, each told in one line."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final, cast

import asyncpg

import hostwright
from hostwright.cli.problems import Problem
from hostwright.core.config import Config, load_config
from hostwright.core.crypto import Keyring, check_keys
from hostwright.core.db import Db
from hostwright.core.migrations import MigrationState, MigrationStatus, status

MANIFEST: Final = Path(hostwright.__file__).parent / "web" / "static" / "manifest.json"


def role_config() -> tuple[Config, Keyring]:
    """Configuration and keys of a role that runs against ``DATABASE_URL``; raises `Problem` or `ConfigError`."""
    config = load_config(os.environ)
    if not config.database_url:
        message = "DATABASE_URL is not set. Point it at PostgreSQL: postgresql://USER:PASSWORD@HOST/DATABASE"
        raise Problem(message)
    return config, Keyring.load(config)


def require_assets() -> None:
    """Raises `Problem` when the front end has not been built."""
    if not MANIFEST.is_file():
        message = "The web pages have not been built. Run: make setup"
        raise Problem(message)


def require_database(config: Config, keyring: Keyring) -> None:
    """Raises `Problem` when the database cannot be reached or its schema is not this release's, `KeyMissing` for a key.

    A newer schema is fine: a migration runs beside the release before it.
    """
    try:
        found = asyncio.run(_look(config.database_url, keyring))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise unreachable("DATABASE_URL", error) from error
    changed = [one.name for one in found if one.state is MigrationState.CHANGED]
    if changed:
        message = f"Migration {changed[0]} was changed after it had been applied. Run: hostwright db list"
        raise Problem(message)
    pending = [one.name for one in found if one.state is MigrationState.PENDING]
    if pending:
        message = f"The database lacks {len(pending)} migration(s) of this release. Run: hostwright db migrate"
        raise Problem(message)


async def _look(dsn: str, keyring: Keyring) -> list[MigrationStatus]:
    found = await status(dsn)
    if all(one.state in {MigrationState.APPLIED, MigrationState.MISSING} for one in found):
        connection = await asyncpg.connect(dsn, timeout=10)
        try:
            await check_keys(cast("Db", connection), keyring)
        finally:
            await connection.close()
    return found


def unreachable(variable: str, error: Exception) -> Problem:
    """Why the database of ``variable`` does not answer; without the address, which may hold a password."""
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return Problem(f"The database that {variable} names does not exist. Run: hostwright db init")
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return Problem(f"PostgreSQL refuses the user or the password of {variable}")
    if isinstance(error, TimeoutError):
        return Problem(f"The database of {variable} does not answer within 10 seconds")
    if isinstance(error, OSError):
        return Problem(
            f"The database of {variable} cannot be reached: {(error.strerror or type(error).__name__).lower()}"
        )
    if isinstance(error, (ValueError, asyncpg.InterfaceError)):
        return Problem(
            f"{variable} is no address of a database. It looks like postgresql://USER:PASSWORD@HOST/DATABASE"
        )
    return Problem(f"The database of {variable} refused: {str(error).splitlines()[0]}")
