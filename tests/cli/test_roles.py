"""`serve` and `worker` as processes: static files, several copies, streams open at the end, nothing left of a kill."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import psutil
import pytest

from hostwright.cli.ready import MANIFEST
from hostwright.core.db import Database, Scalar

from .programs import COMMAND, PROMISED_SECONDS, alive, call, clean, eventually, free_port, wait_until_gone

pytestmark = pytest.mark.long

present = Scalar(str, "select role from workers order by role")

type Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(dsn: str, keys: str) -> Generator[Start]:
    """Starts roles on the test's database."""
    started: list[subprocess.Popen[bytes]] = []

    def one(*arguments: str) -> subprocess.Popen[bytes]:
        environment = clean({"DATABASE_URL": dsn, "HOSTWRIGHT_KEYS": keys, "HOSTWRIGHT_ENVIRONMENT": "demo"})
        started.append(
            subprocess.Popen([*COMMAND, *arguments], env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
        )
        return started[-1]

    yield one
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


def is_live(port: int) -> bool:
    try:
        return call(f"http://127.0.0.1:{port}/health/live") == {"status": "alive"}
    except (OSError, http.client.HTTPException):
        return False


def workers_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def cookies(port: int) -> str:
    """Cookies of a visitor who just registered."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    person = {"username": "ada.l", "email": "ada@engines.example", "fullName": "Ada Lovelace"}
    body = json.dumps({**person, "password": "Analytical-Engine-1843"})
    headers = {"Content-Type": "application/json", "Origin": "http://127.0.0.1:8000"}
    connection.request("POST", "/api/auth/register", body, headers)
    answer = connection.getresponse()
    assert answer.status in {200, 201}, answer.read()
    found = [value.partition(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"]
    connection.close()
    return "; ".join(found)


@contextmanager
def open_stream(port: int, cookie: str) -> Generator[HTTPResponse]:
    """A page's event stream."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/events", headers={"Cookie": cookie, "Accept": "text/event-stream"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    try:
        yield answer
    finally:
        connection.close()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_open_streams_do_not_hold_the_end_up(start: Start, workers: str) -> None:
    port = free_port()
    server = start("serve", "--port", str(port), "--workers", workers)
    eventually(lambda: is_live(port))
    everything = [psutil.Process(server.pid), *workers_of(server)]
    assert len(everything) >= 1 + int(workers)
    cookie = cookies(port)
    with open_stream(port, cookie) as first, open_stream(port, cookie) as second:
        begun = time.monotonic()
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) == 0
        wait_until_gone(everything, 5)
        assert time.monotonic() - begun < PROMISED_SECONDS
        assert first.read() is not None
        assert second.read() is not None


def test_static_files_are_served_for_a_year(start: Start) -> None:
    port = free_port()
    start("serve", "--port", str(port))
    eventually(lambda: is_live(port))
    name = next(path.name for path in MANIFEST.parent.glob("app-*.css"))
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/static/{name}", timeout=10) as answer:
        assert answer.read() == (MANIFEST.parent / name).read_bytes()
        assert answer.headers["Cache-Control"] == "max-age=31536000"
    with pytest.raises(OSError, match="404"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/static/../app.py", timeout=10)


def test_no_library_is_loaded_that_nothing_uses(start: Start) -> None:
    port = free_port()
    server = start("serve", "--port", str(port))
    eventually(lambda: is_live(port))
    loaded = {Path(file.path).name.partition(".")[0] for file in workers_of(server)[0].memory_maps()}
    assert "_granian" in loaded
    assert "_pydantic_core" not in loaded  # Litestar's plug-in for it, which costs 8 MiB


async def test_several_copies_run_at_once(start: Start, database: Database) -> None:
    ports = [free_port(), free_port()]
    for port in ports:
        start("serve", "--port", str(port))
    workers = [start("worker") for _ in range(2)]
    await asyncio.to_thread(eventually, lambda: all(is_live(port) for port in ports))

    async def roles() -> list[str]:
        async with database.acquire() as db:
            return await present.all(db)

    for _ in range(600):
        if await roles() == ["web", "web", "worker", "worker"]:
            break
        await asyncio.sleep(0.1)
    assert await roles() == ["web", "web", "worker", "worker"]
    assert call(f"http://127.0.0.1:{ports[0]}/health/ready")["ready"] is True
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    assert [worker.wait(10) for worker in workers] == [0, 0]
    assert await roles() == ["web", "web"]


def test_a_second_copy_on_the_same_port_is_refused(start: Start) -> None:
    port = free_port()
    first = start("serve", "--port", str(port))
    eventually(lambda: is_live(port))
    assert start("serve", "--port", str(port)).wait(20) == 1
    assert first.poll() is None


def test_processes_that_answer_end_with_a_killed_server(start: Start) -> None:
    port = free_port()
    server = start("serve", "--port", str(port))
    eventually(lambda: is_live(port))
    children = workers_of(server)
    assert [alive(child) for child in children].count(True) >= 1
    server.kill()
    server.wait()
    wait_until_gone(children, 5)
    assert not is_live(port)


def test_a_signal_in_the_middle_of_the_start_ends_it(start: Start) -> None:
    for delay in (0.2, 0.6, 1.0, 1.4, 1.8):
        server = start("serve", "--port", str(free_port()))
        time.sleep(delay)  # wherever it is then
        everything = [psutil.Process(server.pid), *workers_of(server)]
        begun = time.monotonic()
        server.send_signal(signal.SIGTERM)
        server.wait(20)
        wait_until_gone(everything, 5)
        assert time.monotonic() - begun < PROMISED_SECONDS
