"""The product as it is run: `hostwright serve` and `hostwright worker` as processes of their own on one database.

Each process writes its log to a file, and ends with the test session even when that one is killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Final

import httpx

from hostwright.cli.children import clean_environment
from tests.support.app import KEYS
from tests.support.databases import as_app

LAUNCH: Final = """
import os, signal, sys
from hostwright.cli.processes import end_with_parent
end_with_parent(signal.SIGKILL, int(os.environ.pop("STARTED_BY")))
from hostwright.cli.main import main
sys.exit(main())
"""
PATIENCE: Final = 60.0


class NotInTime(AssertionError):
    """A condition was not met in time."""


async def until[T](check: Callable[[], Awaitable[T]], seconds: float = PATIENCE, *, pause: float = 0.05) -> T:
    """Wait until ``check`` gives something true, and return that."""
    limit = time.monotonic() + seconds
    while True:
        found = await check()
        if found:
            return found
        if time.monotonic() > limit:
            message = f"not within {seconds:g} s; last seen: {found!r}"
            raise NotInTime(message)
        await asyncio.sleep(pause)


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Program:
    """One process of ours, and what it wrote."""

    def __init__(self, name: str, process: Process, log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log

    @property
    def said(self) -> str:
        """Everything that it wrote."""
        return self.log.read_text(encoding="utf-8")

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.returncode is None

    async def ended(self, seconds: float = 10.0) -> int:
        """Its exit code, once it has ended by itself."""
        return await asyncio.wait_for(self.process.wait(), seconds)

    async def stop(self, seconds: float = 10.0) -> int:
        """End it as an operator does; its exit code."""
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
        return await self.ended(seconds)

    async def kill(self) -> None:
        """End it in the middle of whatever it does."""
        if self.alive:
            self.process.kill()
        await self.process.wait()


class Web(Program):
    """A web process; ``url`` has no slash at its end."""

    url: str = ""


class Stack:
    """Processes on the database of ``dsn`` (the owner's; they get the role that owns nothing)."""

    def __init__(self, dsn: str, folder: Path, **environ: str) -> None:
        self.programs: list[Program] = []
        self._folder = folder
        self._numbers = count(1)
        self._environ = {
            **clean_environment(os.environ),
            "DATABASE_URL": as_app(dsn),
            "HOSTWRIGHT_KEYS": KEYS,
            # Not "test": that one leaves out what ends open streams on SIGTERM.
            "HOSTWRIGHT_ENVIRONMENT": "development",
            **environ,
        }

    async def _start[P: Program](self, kind: type[P], name: str, *arguments: str, **environ: str) -> P:
        name = f"{name}-{next(self._numbers)}"
        log = self._folder / f"{name}.log"
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                LAUNCH,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**self._environ, **environ, "STARTED_BY": str(os.getpid())},
            )
        program = kind(name, process, log)
        self.programs.append(program)
        return program

    async def worker(self, **environ: str) -> Program:
        """A worker that takes jobs."""
        program = await self._start(Program, "worker", "worker", **environ)
        await self._ready(program, lambda: _has_said(program, '"worker.started"'))
        return program

    async def web(self, port: str | None = None, **environ: str) -> Web:
        """A web process that answers, on a free port or the one that is given."""
        port = port or str(free_port())
        url = f"http://127.0.0.1:{port}"
        program = await self._start(Web, "web", "serve", "--port", port, **{"PUBLIC_URL": url, **environ})
        program.url = url
        await self._ready(program, lambda: _answers(url))
        return program

    async def _ready(self, program: Program, check: Callable[[], Awaitable[bool]]) -> None:
        async def ready() -> bool:
            assert program.alive, program.said
            return await check()

        await until(ready)

    @property
    def logs(self) -> str:
        """What all processes wrote."""
        return "".join(program.said for program in self.programs)

    async def close(self) -> None:
        """End all of them: asked first, killed when they do not."""
        for program in self.programs:
            if program.alive:
                program.process.terminate()
        for program in self.programs:
            try:
                await program.ended()
            except TimeoutError:
                await program.kill()


async def _has_said(program: Program, words: str) -> bool:
    return words in program.said


async def _answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"{url}/health/live", timeout=2)).status_code == 200
    except httpx.TransportError:
        return False


@asynccontextmanager
async def running_stack(dsn: str, folder: Path, **environ: str) -> AsyncGenerator[Stack]:
    """A stack without processes yet; those that are started end with the block."""
    stack = Stack(dsn, folder, **environ)
    try:
        yield stack
    finally:
        await stack.close()


class Live:
    """An open event stream, read as it comes."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._task: asyncio.Task[None] | None = None
        self._opened = asyncio.Event()
        self.status = 0
        self.text = ""

    async def open(self) -> None:
        """Ask for the stream and wait for its first line."""
        self._task = asyncio.create_task(self._read())
        await asyncio.wait_for(self._opened.wait(), 10)

    async def _read(self) -> None:
        timeout = httpx.Timeout(10, read=40)
        try:
            async with self._client.stream("GET", "/events", timeout=timeout) as answer:
                self.status = answer.status_code
                async for part in answer.aiter_text():
                    self.text += part
                    self._opened.set()
        finally:
            self._opened.set()

    @property
    def goes_on(self) -> bool:
        """Whether the server has not ended it."""
        return self._task is not None and not self._task.done()

    async def heard(self, *words: str, seconds: float = PATIENCE) -> str:
        """Wait for one message that holds all ``words``, and return it."""

        async def found() -> str:
            assert self.goes_on, "the stream has ended"
            return next((one for one in self.messages if all(word in one for word in words)), "")

        try:
            return await until(found, seconds)
        except NotInTime as error:
            message = f"{error}; messages: {self.messages[-3:]}"
            raise NotInTime(message) from None

    @property
    def messages(self) -> list[str]:
        """Whole messages so far: each one's HTML."""
        whole = self.text.rpartition("\n\n")[0]
        blocks = [block for block in whole.split("\n\n") if block.startswith("data: ")]
        return ["\n".join(line.removeprefix("data: ") for line in block.splitlines()) for block in blocks]

    async def end(self, seconds: float = 10.0) -> None:
        """Wait until the server ends it; raises what broke it otherwise."""
        assert self._task is not None
        await asyncio.wait_for(self._task, seconds)

    async def leave(self) -> None:
        """Go away."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
