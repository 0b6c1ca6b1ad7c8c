"""Our own processes measured: how soon `serve` answers, what a web worker weighs, how soon the demo is ready."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import psutil

from bench.results import Row, at_most

HOSTWRIGHT = Path(sys.executable).with_name("hostwright")
GRANIAN = Path(sys.executable).with_name("granian")
PATIENCE = 60.0
STORM = 120  # sign-ins at once


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def answers(port: int, path: str) -> bool:
    """Whether a server gives any answer at all."""
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@contextmanager
def running(
    command: list[str], port: int, path: str, environ: dict[str, str]
) -> Generator[tuple[psutil.Process, float]]:
    """A server process, and the seconds until its first answer. Ended with SIGTERM."""
    began = time.perf_counter()
    child = subprocess.Popen(command, env=os.environ | environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not answers(port, path):
            if child.poll() is not None or time.perf_counter() - began > PATIENCE:
                message = f"it did not start: {' '.join(command)}"
                raise RuntimeError(message)
            time.sleep(0.01)
        yield psutil.Process(child.pid), time.perf_counter() - began
    finally:
        child.terminate()
        child.wait(15)


def serve(port: int) -> list[str]:
    """Our web process with one worker."""
    return [str(HOSTWRIGHT), "serve", "--port", str(port), "--workers", "1"]


def bare(port: int) -> list[str]:
    """The baseline, on the same server."""
    options = ["--interface", "asgi", "--factory", "--loop", "uvloop", "--no-ws", "--log-level", "error"]
    return [str(GRANIAN), *options, "--port", str(port), "bench.bare:create_app"]


async def _storm(port: int, password: str) -> int:
    url = f"http://127.0.0.1:{port}/api/auth/login"
    async with aiohttp.ClientSession() as session:

        async def sign_in(n: int) -> int:
            body = {"username": f"user{n % 40 + 1}", "password": password}
            async with session.post(url, json=body) as answer:
                return answer.status

        return sum(status == 200 for status in await asyncio.gather(*(sign_in(n) for n in range(STORM))))


def weight(process: psutil.Process, port: int, password: str, first_answer: float) -> list[Row]:
    """Resident memory of the web worker after everything before and a storm of sign-ins."""
    good = asyncio.run(_storm(port, password))
    workers = process.children(recursive=True)
    resident = max(worker.memory_info().rss for worker in workers) / 2**20
    name = f"Web worker, resident after load and {STORM} sign-ins at once ({good} let in)"
    return [at_most("serve, start to first answer", first_answer, "s", 2.0), at_most(name, resident, "MiB", 130)]


def demo() -> list[Row]:
    """From nothing to "ready", everything installed; then from SIGTERM to the last process's end."""
    with tempfile.TemporaryDirectory(prefix="hw-bench-demo-") as folder:
        command = [str(HOSTWRIGHT), "demo", "--port", str(free_port()), "--data", folder]
        first, ended = _until_ready(command)
        again, _ = _until_ready(command)
    return [
        at_most("demo, first start to ready", first, "s", 15),
        at_most("demo, second start to ready", again, "s", 15),
        at_most("demo, SIGTERM to the last process's end", ended, "s", 5),
    ]


def _until_ready(command: list[str]) -> tuple[float, float]:
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("Hostwright is ready"):
            break
    else:
        message = "the demo did not become ready"
        raise RuntimeError(message)
    ready = time.perf_counter() - began
    family = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
    began = time.perf_counter()
    child.send_signal(signal.SIGTERM)
    child.stdout.read()
    _, alive = psutil.wait_procs(family, timeout=10)
    if alive:
        message = f"still running: {alive}"
        raise RuntimeError(message)
    return ready, time.perf_counter() - began
