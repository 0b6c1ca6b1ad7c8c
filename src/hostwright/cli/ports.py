"""Whether a port can be listened on."""

from __future__ import annotations

import errno
import socket
import time
from contextlib import suppress
from typing import Final

from hostwright.cli.problems import Problem

PAUSE: Final = 0.1


def require_port(host: str, port: int, *, patience: float = 0.0) -> None:
    """Raises `Problem` when nothing can listen there; waits ``patience`` seconds for a program that is leaving.

    A server that shares its port (SO_REUSEPORT) would not notice another one by itself.
    """
    limit = time.monotonic() + patience
    while time.monotonic() < limit:
        with suppress(Problem):
            _try(host, port)
            return
        time.sleep(PAUSE)
    _try(host, port)


def _try(host: str, port: int) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except socket.gaierror as error:
        message = f"{host!r} is no address of this machine"
        raise Problem(message) from error
    except OSError as error:
        raise _unusable(host, port, error) from error


def _unusable(host: str, port: int, error: OSError) -> Problem:
    if error.errno == errno.EADDRINUSE:
        return Problem(f"Port {port} is in use by another program. Choose another: --port {port + 1}, or make PORT=…")
    if error.errno == errno.EACCES:
        return Problem(f"Port {port} is kept for root. Choose one above 1023.")
    return Problem(f"Nothing can listen on {host} port {port}: {(error.strerror or str(error)).lower()}")
