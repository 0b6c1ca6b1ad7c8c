"""`hostwright up`: the real thing on one machine, with an own PostgreSQL and without simulators.

The company is set up in the browser, by whoever can read this terminal.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from typing import Final

from hostwright.cli.folder import DataFolder
from hostwright.cli.ports import require_port
from hostwright.cli.problems import Problem
from hostwright.cli.supervisor import HOST, Installation, Stopped, stopping_on_signals
from hostwright.cli.terminal import say

KIND: Final = "up"
FIRST_SPACE: Final = 250  # megabytes, as the demo
LATER_SPACE: Final = 60
LEAVING_SECONDS: Final = 6.0
TOKEN_SECONDS: Final = 60.0
OWN: Final = "hostwright: "
ASKED: Final = "Open "
TAKEN: Final = (
    *("PUBLIC_URL", "COMPANY_NAME", "BRAND_COLOUR", "HOSTWRIGHT_ENVIRONMENT"),
    *("TRUSTED_PROXIES", "ALLOWED_ORIGINS", "ALLOW_LOCAL_UPSTREAMS"),
    *("SESSION_IDLE_HOURS", "SESSION_DAYS", "DATABASE_POOL_SIZE", "WORKER_CONCURRENCY"),
    *("CONSOLE_IDLE_SECONDS", "CONSOLES_PER_USER"),
    *("LOG_FORMAT", "LOG_LEVEL", "SENTRY_DSN"),
)
"""What counts from the environment."""
ITS_OWN: Final = frozenset(
    {
        *("DATABASE_URL", "DATABASE_ADMIN_URL", "HOSTWRIGHT_KEYS", "HOSTWRIGHT_KEYS_FILE", "HOSTWRIGHT_DATA"),
        "SHUTDOWN_DELAY_SECONDS",  # one web process: there is no other to which people could go meanwhile
    }
)
"""What this command sets, or leaves out, by itself."""


def up(options: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM, then end every process within five seconds."""
    begun = time.monotonic()
    os.umask(0o077)
    with stopping_on_signals():
        try:
            data = DataFolder(options.data, KIND)
            if not data.exists():
                require_port(HOST, options.port)  # before anything is made
            with data as folder:
                _run(folder, options, begun)
        except Stopped:
            say("Stopped.")
    return 0


def settings() -> dict[str, str]:
    """What the environment says about this installation; raises `ConfigError` before anything is started."""
    from hostwright.core.config import load_config  # noqa: PLC0415  `--help` does not need it

    found = {name: os.environ[name] for name in TAKEN if os.environ.get(name, "").strip()}
    load_config(found)
    return found


def _run(folder: DataFolder, options: argparse.Namespace, begun: float) -> None:
    folder.require_space(FIRST_SPACE if folder.is_new else LATER_SPACE)
    # What a killed one started ends by itself, a moment later.
    require_port(HOST, options.port, patience=LEAVING_SECONDS if folder.was_killed else 0.0)
    installation = Installation(folder, options.port, settings(), say, with_parent=options.with_parent)
    folder.settle()
    try:
        installation.prepare_keys()
        installation.start_database()
        installation.migrate()
        installation.start_web()
        installation.start_worker()
        installation.wait_until_ready()
        say(f"Hostwright is ready at {installation.url}")
        if line := _setup_line(installation):
            say(line)
        if line.startswith(ASKED):
            say(f"  Lost it? hostwright setup-token --data {folder.path}")
        say(f"Started in {time.monotonic() - begun:.1f} seconds. Ctrl-C stops everything; the data stays.")
        installation.run()
    finally:
        installation.stop()


def _setup_line(installation: Installation) -> str:
    """Where to set the company up and with which token; empty when that is done.

    The token goes through a pipe to this terminal: no log holds it.
    """
    done = subprocess.run(
        [sys.executable, "-m", "hostwright.cli", "setup-token", "--if-needed"],
        check=False,
        capture_output=True,
        text=True,
        timeout=TOKEN_SECONDS,
        stdin=subprocess.DEVNULL,
        env=installation.environment(),
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        message = f"No set-up token could be made: {lines[0].removeprefix(OWN)}"
        raise Problem(message)
    return done.stdout.strip()
