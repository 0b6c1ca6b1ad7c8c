"""Making a cluster and writing its configuration."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from hostwright.cli.postgres.account import Account, calling_user
from hostwright.cli.postgres.place import Place
from hostwright.cli.problems import FULL_TEXT, Problem, disk_is_full

MAJOR: Final = "18"
SUPERUSER: Final = "postgres"
ENVIRONMENT: Final = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}

SETTINGS: Final = """\
listen_addresses = ''
unix_socket_permissions = 0700
password_encryption = scram-sha-256
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = off
log_destination = stderr
log_min_duration_statement = 500ms
shared_buffers = 128MB
max_connections = 60
wal_compression = on
min_wal_size = 32MB
max_wal_size = 512MB
"""
THROWAWAY: Final = """\
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 32MB
max_connections = 100
log_min_duration_statement = -1
autovacuum_naptime = 1d
file_copy_method = clone
"""


def require_this_major(place: Place) -> bool:
    """Whether there is a cluster; raises `Problem` for one that this release cannot run."""
    marker = place.cluster / "PG_VERSION"
    if not place.cluster.exists():
        others = sorted(found.name for found in place.root.glob("pg[0-9][0-9]") if found.is_dir())
        if others:
            message = f"{place.root / others[-1]} was made by another release of Hostwright. Use another data folder."
            raise Problem(message)
        return False
    try:
        version = marker.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        version = ""
    if version != MAJOR:
        message = (
            f"{place.cluster} is damaged: its PG_VERSION should say {MAJOR}. Restore it, or use another data folder."
        )
        raise Problem(message)
    return True


def make_cluster(place: Place, programs: Path, account: Account, *, throwaway: bool) -> None:
    """An empty cluster with checksums, made beside and then renamed, so that a half made one is never taken for one."""
    fresh = place.cluster.with_name(place.cluster.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    account.own(fresh)
    command: list[str | Path] = [
        programs / "initdb",
        *("-D", fresh, "-U", SUPERUSER, "-E", "UTF8", "--auth=peer", "--data-checksums", "--no-instructions"),
        # Sorting must not depend on the machine's LANG.
        *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        *(["--no-sync"] if throwaway else []),
    ]
    made = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env=ENVIRONMENT,
        user=account.user,
        group=account.group,
        extra_groups=account.groups,
    )
    if made.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise _not_made(place, made.stderr)
    fresh.rename(place.cluster)


def _not_made(place: Place, reason: str) -> Problem:
    if FULL_TEXT in reason:
        return disk_is_full(place.root)
    lines = [line for line in reason.splitlines() if "error:" in line or "FATAL" in line] or reason.splitlines()[-1:]
    return Problem(f"The database could not be made in {place.root}: {lines[0] if lines else 'no reason given'}")


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("\\", "\\\\").replace("'", "''") + "'"


def write_configuration(place: Place, account: Account, *, throwaway: bool, extra: str = "") -> Path:
    """What the server reads at its start; returns the file.

    Only the user who runs us may connect, as any role: the kernel names the caller (``peer``).
    """
    folder = place.configuration
    folder.mkdir(exist_ok=True, mode=0o700)
    account.let_through(folder)
    main, access, names = folder / "postgresql.conf", folder / "pg_hba.conf", folder / "pg_ident.conf"
    # A list of folders, so a quoted name within the quoted value.
    sockets = _quoted(Path('"' + str(place.sockets).replace('"', '""') + '"'))
    lines = [
        f"include {_quoted(place.cluster / 'postgresql.conf')}",  # what initdb found out about this machine
        f"hba_file = {_quoted(access)}",
        f"ident_file = {_quoted(names)}",
        f"unix_socket_directories = {sockets}",
        SETTINGS + (THROWAWAY if throwaway else "") + extra,
    ]
    _write(main, "\n".join(lines), account)
    _write(access, "local all all peer map=hostwright\n", account)
    _write(names, f'hostwright "{calling_user()}" all\n', account)
    return main


def _write(path: Path, text: str, account: Account) -> None:
    """The server's user reads it, and nobody else. It holds no secret."""
    path.write_text(text, encoding="utf-8")
    account.let_through(path)
    path.chmod(0o640)


def server_command(place: Place, programs: Path, configuration: Path) -> list[str | Path]:
    """How the server is started."""
    return [programs / "postgres", "-D", place.cluster, f"--config-file={configuration}"]
