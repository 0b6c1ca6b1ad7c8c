"""The processes of an installation on one machine: started with logs, watched, and ended together."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from hostwright.cli.problems import FULL_TEXT, Problem, disk_is_full
from hostwright.cli.processes import ending_with_parent, kill_group

LOG_BYTES: Final = 10_000_000
OWN: Final = "hostwright: "  # how our commands begin the one line that says what is wrong
SHOWN_LINES: Final = 5
TAIL_BYTES: Final = 4096
PAUSE: Final = 0.02
KEPT: Final = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"),
    *("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LD_LIBRARY_PATH"),  # how this Python was started
)


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a child takes over. Stray variables such as PGHOST or SENTRY_DSN must not reach into an own installation."""
    return {name: environ[name] for name in KEPT if name in environ}


class Child:
    """One process in a session of its own, so that a Ctrl-C at the terminal reaches only us."""

    def __init__(self, name: str, arguments: Iterable[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            self.begin = output.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hostwright.cli", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environment),
                start_new_session=True,
                preexec_fn=ending_with_parent(signal.SIGTERM),  # noqa: PLW1509  this process has no threads
            )

    @property
    def code(self) -> int | None:
        """How it ended, None while it runs."""
        return self.process.poll()

    def said(self) -> list[str]:
        """The last lines that it wrote in this life."""
        with self.log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(self.begin, file.tell() - TAIL_BYTES))
            return [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]

    def ended(self) -> Problem:
        """Why everything has to stop: which process ended, and what it said last."""
        lines = self.said()[-SHOWN_LINES:]
        if any(FULL_TEXT in line for line in lines):
            return disk_is_full(self.log.parent)
        if lines and lines[-1].startswith(OWN):
            return Problem(f"The {self.name} process ended: {lines[-1].removeprefix(OWN)}")
        code = self.process.returncode
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        shown = "".join(f"\n  {line}" for line in lines)
        return Problem(f"The {self.name} process ended unexpectedly ({how}). Its log is {self.log}{shown}")

    def require_success(self) -> None:
        """Of a process that had one thing to do and has ended; raises `Problem` with its own line when it could not."""
        if self.process.returncode == 0:
            return
        lines = self.said()
        if lines and lines[-1].startswith(OWN):
            raise Problem(lines[-1].removeprefix(OWN))
        raise self.ended()


class Children:
    """All of them. Ended in any order and at once: each copes with the others being gone."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._all: list[Child] = []
        self._lasting: list[Child] = []

    def start(
        self, name: str, arguments: Iterable[str], environment: Mapping[str, str], *, lasts: bool = True
    ) -> Child:
        """Start one; ``lasts``: it must not end by itself."""
        child = Child(name, arguments, environment, self._logs / f"{name}.log")
        self._all.append(child)
        if lasts:
            self._lasting.append(child)
        return child

    def check(self) -> None:
        """Raises `Problem` when one that should last has ended."""
        for child in self._lasting:
            if child.code is not None:
                raise child.ended()

    def wait(self, seconds: float, *others: int) -> None:
        """Wait until a lasting one, or one of ``others`` (process ids), ends; at most so long."""
        poll = select.poll()
        opened: list[int] = []
        try:
            for pid in (*(child.process.pid for child in self._lasting), *others):
                try:
                    opened.append(os.pidfd_open(pid))
                except ProcessLookupError:
                    return
                poll.register(opened[-1], select.POLLIN)
            poll.poll(seconds * 1000)
        finally:
            for handle in opened:
                os.close(handle)

    def stop(self, seconds: float) -> None:
        """End all of them: asked first, killed with what they started after so many seconds."""
        for child in self._all:
            if child.code is None:
                child.process.terminate()
        limit = time.monotonic() + seconds
        while time.monotonic() < limit and any(child.code is None for child in self._all):
            time.sleep(PAUSE)
        for child in self._all:
            kill_group(child.process.pid)  # whatever a process left behind in its session, too
            child.process.wait()
