"""Commands about an installation: that of the environment, or that of a data folder of `up`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from hostwright.cli.folder import VERSION
from hostwright.cli.postgres import APP_ROLE, Server
from hostwright.cli.problems import Problem

WORDS: Final = 3  # of the marker: format, release, kind


@contextmanager
def installed(options: argparse.Namespace) -> Generator[None]:
    """The environment names the installation's database and keys meanwhile; raises `Problem`.

    With ``--data`` its PostgreSQL is used as it runs, or started for as long as the command takes.
    """
    data: Path | None = getattr(options, "data", None)
    if data is None:
        yield
        return
    folder = data.absolute()
    _require_ours(folder)
    with Server(folder / "postgres") as server:
        os.environ |= {
            "DATABASE_URL": server.dsn(APP_ROLE),
            "DATABASE_ADMIN_URL": server.dsn(),
            "HOSTWRIGHT_KEYS_FILE": str(folder / "keys"),
            "HOSTWRIGHT_DATA": str(folder),
        }
        os.environ.pop("HOSTWRIGHT_KEYS", None)
        yield


def _require_ours(folder: Path) -> None:
    """Raises `Problem` for a folder that was never filled: nothing may be made in a mistyped one."""
    try:
        words = (folder / VERSION).read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        words = []
    if len(words) != WORDS or not (folder / "postgres").is_dir():
        message = f"{folder} is no data folder of Hostwright. Name the one that 'hostwright up' uses."
        raise Problem(message)
