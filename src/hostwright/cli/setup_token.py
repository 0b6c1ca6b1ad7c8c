"""`hostwright setup-token`: a new token for the first run. Those before it are no longer valid."""

from __future__ import annotations

import argparse
import asyncio

from hostwright.cli.installed import installed
from hostwright.cli.problems import Problem
from hostwright.cli.ready import require_database, role_config
from hostwright.core.clock import SystemClock
from hostwright.core.config import Config
from hostwright.core.db import create_database
from hostwright.setup.service import AdminThere, SetupDone, new_token


def setup_token(options: argparse.Namespace) -> int:
    """Print where to go and what to enter. With ``--if-needed`` nothing at all when the company is set up."""
    with installed(options):
        config, keyring = role_config()
        require_database(config, keyring)
        try:
            print(f"Open {config.public_url}/setup and enter: {asyncio.run(_token(config))}", flush=True)
        except AdminThere:
            print(f"The set-up is not finished: sign in as the admin at {config.public_url}/setup", flush=True)
        except SetupDone as error:
            if not options.if_needed:
                message = f"This panel is set up already. Sign in at {config.public_url}"
                raise Problem(message) from error
    return 0


async def _token(config: Config) -> str:
    database = await create_database(config.database_url, max_size=2)
    try:
        async with database.transaction() as tx:
            return await new_token(tx, SystemClock())
    finally:
        await database.close()
