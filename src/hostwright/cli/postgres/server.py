"""Starting, sharing and stopping one server. Several processes may use it; the last one that leaves stops it."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final, Self
from urllib.parse import quote

from hostwright.cli.postgres.account import Account, server_account
from hostwright.cli.postgres.binaries import programs
from hostwright.cli.postgres.cluster import (
    ENVIRONMENT,
    SUPERUSER,
    make_cluster,
    require_this_major,
    server_command,
    write_configuration,
)
from hostwright.cli.postgres.place import Place, find_place
from hostwright.cli.problems import FULL_TEXT, Problem, disk_is_full
from hostwright.cli.processes import ending_with_parent

DATABASE: Final = "hostwright"
OWNER_ROLE: Final = "hostwright_owner"
APP_ROLE: Final = "hostwright"

PAUSE: Final = 0.02
LINGER_SECONDS: Final = 15.0
FAST_SECONDS: Final = 3.0
LOG_BYTES: Final = 10_000_000

PROVISION: Final = f"""
select 'create role {OWNER_ROLE} login' where not exists (select from pg_roles where rolname = '{OWNER_ROLE}')
\\gexec
select 'create role {APP_ROLE} login' where not exists (select from pg_roles where rolname = '{APP_ROLE}')
\\gexec
select 'create database {DATABASE} owner {OWNER_ROLE}'
where not exists (select from pg_database where datname = '{DATABASE}')
\\gexec
"""


class Server:
    """A server over one cluster in the folder ``home``, which is ours alone.

    ``throwaway`` is for tests: quick instead of safe, and gone at once when this process is. ``waiting`` is called once
    when a start takes long: recovery after a crash has no limit.
    """

    def __init__(
        self, home: Path, *, throwaway: bool = False, extra: str = "", waiting: Callable[[], None] | None = None
    ) -> None:
        self.home = home.expanduser().resolve()
        self.throwaway = throwaway
        self.extra = extra
        self.waiting = waiting
        self.process: subprocess.Popen[bytes] | None = None
        self._users: IO[bytes] | None = None
        self._place: Place | None = None
        self._programs: Path | None = None
        self._begin = 0

    @property
    def place(self) -> Place:
        """Where it stands; known once it was started."""
        assert self._place is not None, "the server has not been started"
        return self._place

    def dsn(self, role: str = OWNER_ROLE, database: str = DATABASE) -> str:
        """How to connect as ``role``. Holds no secret."""
        who, what, where = (quote(part, safe="") for part in (role, database, str(self.place.sockets)))
        return f"postgresql://{who}@/{what}?host={where}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server, or use the one that runs already. Roles and database exist afterwards.

        Raises `Problem`. Waits for as long as the server needs.
        """
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        account = server_account()
        with self._exclusively():
            self._place = find_place(self.home, account)
            self._programs = programs(account)
            if not require_this_major(self.place):
                make_cluster(self.place, self._programs, account, throwaway=self.throwaway)
            if not self._is_ready():
                self._launch(account)
            self._users = (self.home / "users.lock").open("ab")
            fcntl.flock(self._users, fcntl.LOCK_SH)
            if not self.throwaway:
                self.sql(PROVISION)

    def stop(self, seconds: float = FAST_SECONDS) -> None:
        """Stop the server unless somebody else uses it; after ``seconds`` without care, which costs a recovery."""
        if self._place is None:
            return
        with self._exclusively():
            if self._users is not None:
                try:
                    fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return
                finally:
                    self._users.close()
                    self._users = None
            self._end(seconds)
        if self.throwaway and self.place.sockets.parent != self.place.root:
            shutil.rmtree(self.place.sockets, ignore_errors=True)

    def sql(self, text: str, database: str = "postgres") -> None:
        """Run statements as the superuser; raises `Problem` with the server's reason."""
        assert self._programs is not None
        done = subprocess.run(
            [
                *(self._programs / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"),
                *("-h", self.place.sockets, "-U", SUPERUSER, "-d", database),
            ],
            check=False,
            input=text,
            capture_output=True,
            text=True,
            env={**ENVIRONMENT, "PSQLRC": "/dev/null"},
        )
        if done.returncode != 0:
            if FULL_TEXT in done.stderr:
                raise disk_is_full(self.home)
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[0]
            message = f"PostgreSQL refused to set up the database: {reason}"
            raise Problem(message)

    @contextmanager
    def _exclusively(self) -> Generator[None]:
        """One process at a time starts or stops. The kernel lets go when a process dies."""
        with (self.home / "start.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _postmaster(self) -> tuple[int, str] | None:
        """The server's number and state as its own file says it, when that process really works in our cluster."""
        try:
            lines = (self.place.cluster / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
            pid = int(lines[0])
        except (OSError, ValueError, IndexError):
            return None
        if not _works_in(pid, self.place.cluster):
            return None
        return pid, lines[7].strip() if len(lines) > 7 else "starting"  # noqa: PLR2004  the eighth line is the state

    def _is_ready(self) -> bool:
        found = self._postmaster()
        return found is not None and found[1] == "ready"

    def _launch(self, account: Account) -> None:
        self._clear_stale()
        if self._is_ready():
            return
        configuration = write_configuration(self.place, account, throwaway=self.throwaway, extra=self.extra)
        if self.place.log.exists() and self.place.log.stat().st_size > LOG_BYTES:
            self.place.log.replace(self.place.log.with_suffix(".log.1"))
        assert self._programs is not None
        with self.place.log.open("ab") as log:
            self._begin = log.tell()
            process = subprocess.Popen(
                server_command(self.place, self._programs, configuration),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=ENVIRONMENT,
                start_new_session=True,
                user=account.user,
                group=account.group,
                extra_groups=account.groups,
                preexec_fn=ending_with_parent(signal.SIGQUIT if self.throwaway else signal.SIGINT),  # noqa: PLW1509  no threads
            )
        self.process = process
        self._wait(process)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        late = time.monotonic() + 5
        while not self._is_ready():
            if process.poll() is not None:
                raise self._failed(self._begin)
            if self.waiting is not None and time.monotonic() > late:
                self.waiting()
                self.waiting = None
            time.sleep(PAUSE)

    def ended(self) -> Problem:
        """Why the server that this process started is not there any more."""
        return self._failed(self._begin, "ended unexpectedly")

    def _failed(self, begin: int, what: str = "did not start") -> Problem:
        with self.place.log.open("rb") as log:
            log.seek(begin)
            said = log.read().decode(errors="replace")
        if FULL_TEXT in said:
            return disk_is_full(self.home)
        reasons = [line for line in said.splitlines() if "FATAL:" in line or "PANIC:" in line] or said.splitlines()[-1:]
        reason = reasons[-1].partition(":  ")[2] or reasons[-1] if reasons else "it gave no reason"
        return Problem(f"PostgreSQL {what}: {reason}. Its log is {self.place.log}")

    def _clear_stale(self) -> None:
        """Remove what a killed server left: it takes a zombie, or another program with its old number, for itself.

        Every process of a server works in the cluster's folder, so while one does, it is left alone and waited for.
        """
        limit = time.monotonic() + LINGER_SECONDS
        while any(_works_in(pid, self.place.cluster) for pid in _processes()):
            if self._is_ready():
                return
            if time.monotonic() > limit:
                message = f"Another PostgreSQL still works in {self.place.cluster}. Stop it first."
                raise Problem(message)
            time.sleep(PAUSE)
        (self.place.cluster / "postmaster.pid").unlink(missing_ok=True)
        for left in self.place.sockets.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)

    def _end(self, seconds: float) -> None:
        # What runs may have been started by another process, after ours was killed.
        running, own = self._postmaster(), self.process
        pid = running[0] if running is not None else own.pid if own is not None else None
        if pid is None:
            return
        for number, patience in ((signal.SIGINT, seconds), (signal.SIGQUIT, 1.0), (signal.SIGKILL, 1.0)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
            if self._gone(pid, patience):
                break
        if self.process is not None:
            self.process.poll()

    def _gone(self, pid: int, patience: float) -> bool:
        limit = time.monotonic() + patience
        while time.monotonic() < limit:
            if self.process is not None and self.process.pid == pid:
                if self.process.poll() is not None:
                    return True
            elif not _works_in(pid, self.place.cluster):
                return True
            time.sleep(PAUSE)
        return False


def _processes() -> Iterator[int]:
    return (int(found.name) for found in Path("/proc").iterdir() if found.name.isdigit())


def _works_in(pid: int, folder: Path) -> bool:
    """Whether a process lives and has ``folder`` as its working directory; a zombie has none."""
    try:
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    except OSError:
        return False
