"""One machine, one command: PostgreSQL, its schema, web and worker, kept together until they are told to stop.

`demo` adds simulators and sample data. What is particular to a command is handed in; the rest is here.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from hostwright.cli import dotenv
from hostwright.cli.children import Child, Children, clean_environment
from hostwright.cli.folder import DataFolder
from hostwright.cli.postgres import APP_ROLE, Server
from hostwright.cli.postgres.account import server_account
from hostwright.cli.problems import Problem
from hostwright.cli.processes import parent_was_interrupted, set_death_signal

HOST: Final = "127.0.0.1"
CHILD_SECONDS: Final = 3.2
DATABASE_SECONDS: Final = 1.0
STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
START_SECONDS: Final = 120.0
PAUSE: Final = 0.05
LOOK_SECONDS: Final = 0.5
"""How often it is looked whether the parent was interrupted. Everything else wakes us by itself."""
CALM_SECONDS: Final = 60.0


class Stopped(BaseException):
    """SIGINT or SIGTERM arrived. Not an `Exception`: nothing on the way may take it for an error."""


@contextmanager
def stopping_on_signals() -> Generator[None]:
    """Raise `Stopped` in the main thread at the first signal; further ones do not disturb the clearing up."""

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        for each in STOPPING:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # nohup: it is to outlive the terminal
    wanted = [each for each in STOPPING if each is not signal.SIGHUP or not ignored]
    before = {each: signal.signal(each, stop) for each in wanted}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class Installation:
    """The processes of a data folder. ``with_parent``: what ends or interrupts our parent does so to us."""

    def __init__(
        self,
        folder: DataFolder,
        port: int,
        settings: Mapping[str, str],
        say: Callable[[str], None],
        *,
        with_parent: bool = False,
    ) -> None:
        self.folder = folder
        self.port = port
        self.url = f"http://{HOST}:{port}"
        self.say = say
        self._settings = settings
        self._with_parent = with_parent
        if with_parent:
            set_death_signal(signal.SIGTERM)
        logs = folder.path / "logs"
        logs.mkdir(exist_ok=True, mode=0o700)
        self.children = Children(logs)
        self.server = Server(folder.path / "postgres", waiting=self._database_recovers)

    def _database_recovers(self) -> None:
        self.say("PostgreSQL is putting its data in order after it was stopped without warning. This may take a while.")

    @property
    def keys(self) -> Path:
        """The file with the keys of this installation."""
        return self.folder.path / "keys"

    def prepare_keys(self) -> None:
        """Keys for a new folder; raises `Problem` when those of an older one are missing."""
        if self.keys.exists():
            return
        if (self.folder.path / "postgres").exists():
            message = f"{self.keys} is missing, and what is encrypted in the database needs it. Restore that file."
            raise Problem(message)
        from hostwright.core.crypto import new_key  # noqa: PLC0415  a second start does not need the library

        self.folder.write(self.keys.name, f"{new_key()}\n".encode())

    def start_database(self) -> None:
        """A running database with its roles; raises `Problem`."""
        server_account().let_through(self.folder.path)
        self.server.start()

    def plain_environment(self) -> dict[str, str]:
        """What a process gets that has nothing to do with the database."""
        # Its own settings only: no file of the folder in which we were started.
        return {**clean_environment(os.environ), **self._settings, dotenv.VARIABLE: os.devnull}

    def environment(self, **more: str) -> dict[str, str]:
        """What a process of this installation gets."""
        return {
            **self.plain_environment(),
            "DATABASE_URL": self.server.dsn(APP_ROLE),
            "HOSTWRIGHT_KEYS_FILE": str(self.keys),
            "HOSTWRIGHT_DATA": str(self.folder.path),
            "PUBLIC_URL": self._settings.get("PUBLIC_URL", self.url),
            **more,
        }

    def migrate(self) -> None:
        """Bring the schema up to date; raises `Problem` when it is newer than this release, or was changed."""
        owner = self.environment(DATABASE_ADMIN_URL=self.server.dsn())
        self.finish("migrate", ["db", "migrate", "--refuse-newer"], owner)

    def finish(self, name: str, arguments: list[str], environment: Mapping[str, str]) -> None:
        """Run a process that has one thing to do; raises `Problem` with its own line when it could not."""
        child = self.children.start(name, arguments, environment, lasts=False)
        while child.code is None:
            self.check()
            self.children.wait(LOOK_SECONDS, child.process.pid)
        child.require_success()

    def start_web(self) -> Child:
        """The process that answers."""
        return self.children.start("web", ["serve", "--host", HOST, "--port", str(self.port)], self.environment())

    def start_worker(self) -> Child:
        """The process that works in the background."""
        return self.children.start("worker", ["worker"], self.environment())

    def wait_until_ready(self) -> None:
        """Wait until a page can be opened and a worker beats; raises `Problem` when a process ends meanwhile."""
        self.wait_for(lambda: _answers(self.port, "/health/ready"), "web pages")

    def wait_for(self, ready: Callable[[], bool], what: str) -> None:
        """Wait for something that a process brings about."""
        limit = time.monotonic() + START_SECONDS
        while not ready():
            self.check()
            if time.monotonic() > limit:
                message = (
                    f"The {what} are not there after {START_SECONDS:.0f} seconds. See the logs in {self.folder.path}"
                )
                raise Problem(message)
            self.children.wait(PAUSE)

    def check(self) -> None:
        """Raises `Problem` when something that should last has ended, `Stopped` when the parent was interrupted."""
        self.children.check()
        if self.server.process is not None and self.server.process.poll() is not None:
            raise self.server.ended()
        if self._with_parent and parent_was_interrupted():
            raise Stopped

    def run(self) -> None:
        """Watch until a signal arrives or something ends."""
        database = [self.server.process.pid] if self.server.process else []
        while True:
            self.check()
            self.children.wait(LOOK_SECONDS if self._with_parent else CALM_SECONDS, *database)

    def stop(self) -> None:
        """End everything within five seconds."""
        self.children.stop(CHILD_SECONDS)
        self.server.stop(DATABASE_SECONDS)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def listens(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
