"""Real processes of the command line, and what is left of them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

COMMAND: Final = [sys.executable, "-m", "hostwright.cli"]
READY: Final = "Hostwright is ready at "
PROMISED_SECONDS: Final = 5.0


def run(*arguments: str, said: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """A command to its end, without any of this process's own settings."""
    return subprocess.run(
        [*COMMAND, *arguments],
        check=False,
        capture_output=True,
        text=True,
        input=said,
        timeout=60,
        env=clean(environment),
    )


def clean(more: Mapping[str, str]) -> dict[str, str]:
    """An environment that holds no configuration but ``more``."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **more}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(check: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What ``check`` gives once it gives something; raises `AssertionError` when it does not."""
    limit = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.05)
    return found


@contextmanager
def open_folder() -> Generator[Path]:
    """A folder that every user may pass through, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="hw-cli-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def call(url: str, key: str | None = None, body: object = None) -> Any:
    """The JSON that an address answers with."""
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    else:
        headers["Origin"] = "/".join(url.split("/")[:3])
    content = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, content, headers), timeout=10) as answer:
        return json.loads(answer.read())


def _as_from_a_terminal() -> None:
    """A shell's background job ignores SIGINT, and so would all that it starts: tests may run in one."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Demo:
    """One `hostwright demo`. ``command`` starts it in another way."""

    step = "demo"

    def __init__(
        self,
        data: Path,
        *,
        command: list[str] | None = None,
        environment: Mapping[str, str] | None = None,
        user: int | None = None,
    ) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = Path(tempfile.mkstemp(prefix="hw-cli-demo-")[1])
        self.begun = time.monotonic()
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*(command or COMMAND), self.step, *self._options(command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=clean(environment or {}),
                cwd="/" if user is not None else None,
                preexec_fn=_as_from_a_terminal,  # noqa: PLW1509  this process has no threads
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )

    def _options(self, command: list[str] | None) -> list[str]:
        if command and command[0] == "make":
            return [f"PORT={self.port}", f"DATA={self.data}"]
        return ["--port", str(self.port), "--data", str(self.data)]

    @property
    def said(self) -> str:
        """Everything that it printed."""
        return self.output.read_text()

    def wait_until_ready(self) -> float:
        """Seconds until it said so."""
        eventually(lambda: READY in self.said or self.process.poll() is not None, 110)
        assert READY in self.said, self.said
        return time.monotonic() - self.begun

    def file(self) -> Any:
        """`demo.json`."""
        return json.loads((self.data / "demo.json").read_bytes())

    def processes(self) -> list[psutil.Process]:
        """Itself and everything that it started."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to end, and the seconds until nothing of it was left."""
        everything = self.processes()
        begun = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(30)
        wait_until_gone(everything, 30)
        return time.monotonic() - begun

    def end(self) -> None:
        """Whatever happened in the test, leave nothing."""
        if self.process.poll() is None:
            everything = self.processes()
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
            for process in everything:
                if process.is_running():
                    process.kill()
        self.process.wait()
        self.output.unlink(missing_ok=True)


def wait_until_gone(processes: list[psutil.Process], seconds: float) -> None:
    """Wait until none of them runs; one that nobody waits for counts as gone."""

    def gone() -> bool:
        return not any(alive(process) for process in processes)

    eventually(gone, seconds)


def alive(process: psutil.Process) -> bool:
    """Whether a process runs."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def running_demo(data: Path, **options: Any) -> Generator[Demo]:
    """A demo that is ready."""
    demo = Demo(data, **options)
    try:
        demo.wait_until_ready()
        yield demo
    finally:
        demo.end()


def refusal(data: Path, port: int | None = None) -> str:
    """The one line with which a demo refuses to start; asserts that there is no more."""
    done = run("demo", "--port", str(port or free_port()), "--data", str(data))
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def lines_of(text: str) -> Iterator[str]:
    """Lines that say something."""
    return (line for line in text.splitlines() if line.strip())


@contextmanager
def full_disk(folder: Path, *, mebibytes: int) -> Generator[Path]:
    """A disk of its own that is soon full. For root; skips where nothing may be mounted."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0755", "tmpfs", folder],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("nothing may be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
