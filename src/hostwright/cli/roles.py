"""Small commands: the worker, the API's description, a new key."""

from __future__ import annotations

import argparse
import asyncio
import sys

from hostwright.cli.ready import require_assets, require_database, role_config
from hostwright.core.config import Config, Environment
from hostwright.core.crypto import new_key as make_key


def worker(options: argparse.Namespace) -> int:
    """Do the background work until SIGTERM or SIGINT."""
    del options
    config, keyring = role_config()
    require_database(config, keyring)
    from hostwright.worker import run_worker  # noqa: PLC0415  only this command needs the queue

    return asyncio.run(run_worker(config))


def openapi(options: argparse.Namespace) -> int:
    """Print the API's description. Needs neither a database nor keys of the installation."""
    del options
    require_assets()
    import msgspec  # noqa: PLC0415  only this command needs the application

    from hostwright.app import build_app  # noqa: PLC0415

    app = build_app(Config(keys=make_key(), environment=Environment.TEST))
    document = msgspec.json.encode(app.litestar.openapi_schema.to_schema())
    sys.stdout.buffer.write(msgspec.json.format(document, indent=2) + b"\n")
    sys.stdout.flush()
    return 0


def new_key(options: argparse.Namespace) -> int:
    """Print a key. It encrypts every secret, so it is shown once and kept by whoever asked."""
    del options
    print(make_key())
    return 0
