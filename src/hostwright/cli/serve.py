"""`hostwright serve`: granian with our application, static files and limits that leave room for event streams."""

from __future__ import annotations

import argparse
import os
import signal
from importlib import import_module
from typing import TYPE_CHECKING, Final

from hostwright.cli.ports import require_port
from hostwright.cli.processes import end_with_parent, leave_out, return_large_blocks
from hostwright.cli.ready import MANIFEST, require_assets, require_database, role_config

if TYPE_CHECKING:
    from hostwright.web.asgi import Asgi

OPEN_REQUESTS: Final = 8192
"""Per process. Every open page holds one event stream, and a stream counts until it ends."""
KILL_SECONDS: Final = 4
YEAR: Final = 31_536_000  # hashed names: a file never changes


def worker_app() -> Asgi:
    """What each of granian's processes calls. It ends with granian's own process, even when that one is killed."""
    end_with_parent(signal.SIGKILL, os.getppid())
    return_large_blocks()
    from hostwright.app import create_app  # noqa: PLC0415  only the processes that answer need it

    return create_app()


def serve(options: argparse.Namespace) -> int:
    """Answer requests until SIGTERM or SIGINT; ends within five seconds, open streams included.

    With ``SHUTDOWN_DELAY_SECONDS`` SIGTERM is followed by that long a time in which it says that it is not ready.
    """
    config, keyring = role_config()
    require_assets()
    require_port(options.host, options.port)
    require_database(config, keyring)
    from granian.constants import HTTPModes, Interfaces, Loops  # noqa: PLC0415  only this command needs them
    from granian.log import LogLevels  # noqa: PLC0415
    from granian.server import Server  # noqa: PLC0415

    leave_out("rich", "pydantic")
    import_module("hostwright.app")  # once for all processes, which then share its memory

    Server(
        "hostwright.cli.serve:worker_app",
        address=options.host,
        port=options.port,
        interface=Interfaces.ASGI,
        factory=True,
        workers=options.workers,
        loop=Loops.uvloop,
        http=HTTPModes.auto,
        backlog=OPEN_REQUESTS,
        backpressure=OPEN_REQUESTS,
        workers_kill_timeout=KILL_SECONDS + config.shutdown_delay,
        log_level=LogLevels.warning,
        log_access=False,
        static_path_route=["/static"],
        static_path_mount=[MANIFEST.parent],
        static_path_expires=YEAR,
    ).serve()
    return 0
