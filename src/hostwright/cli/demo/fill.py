"""Fills a new demo, and looks after an old one. A process of its own, so that it can be ended at any time.

What was made counts once the audit log says so: after a start that was killed in the middle of it, the next one begins
with an empty database.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from typing import Final

from hostwright.cli.demo.people import Demo
from hostwright.cli.postgres import APP_ROLE
from hostwright.cli.problems import Problem
from hostwright.core import migrations
from hostwright.core.config import Config, load_config
from hostwright.core.db import Database, Scalar, create_database
from hostwright.core.passwords import Passwords

SIMULATOR: Final = "HOSTWRIGHT_DEMO_VIRTFUSION"

has_people = Scalar(bool, "select exists (select from users)")


async def _run(config: Config, simulator: str) -> None:
    database = await create_database(config.database_url)
    passwords = Passwords()
    try:
        demo = Demo(config, database, passwords, simulator)
        if await demo.is_filled():
            await demo.keep()
        else:
            await _begin_anew(config, database)
            from hostwright.cli.demo.making import make  # noqa: PLC0415  a second start does not need the features

            await make(demo)
    finally:
        passwords.close()
        await database.close()


async def _begin_anew(config: Config, database: Database) -> None:
    """Forget what a start has made that was killed before its end."""
    async with database.acquire() as db:
        begun = await has_people.value(db)
    if begun:
        await migrations.reset(config.database_admin_url)
        await migrations.migrate(config.database_admin_url, APP_ROLE)


def fill(options: argparse.Namespace) -> int:
    """Called by `demo` with its environment; does nothing else."""
    del options
    simulator = os.environ.get(SIMULATOR, "")
    config = load_config(os.environ)
    if not simulator or config.data_dir is None:
        message = "This is a part of 'hostwright demo' and cannot be called alone."
        raise Problem(message, code=2)
    asyncio.run(_run(config, simulator))
    return 0
