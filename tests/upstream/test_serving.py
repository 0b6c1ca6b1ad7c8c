"""Simulators in a process of their own, as the demo runs them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import msgspec
import pytest

from hostwright.upstream.simulators import serve_simulators
from hostwright.upstream.virtfusion.simulator import World, WorldPlan
from hostwright.upstream.virtfusion.simulator.facts import Work

PROGRAM = """
import sys
from pathlib import Path
from hostwright.upstream.simulators import serve_simulators
from hostwright.upstream.virtfusion.simulator import WorldPlan
serve_simulators("127.0.0.1", int(sys.argv[1]), Path(sys.argv[2]), WorldPlan(servers=15, users=4, speed=50.0))
"""
TOKEN = WorldPlan().token


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def ask(port: int, method: str, path: str, body: object = None) -> Any:
    data = None if body is None else msgspec.json.encode(body)
    request = Request(f"http://127.0.0.1:{port}{path}", method=method, data=data)
    request.add_header("Authorization", f"Bearer {TOKEN}")
    request.add_header("Content-Type", "application/json")
    with urlopen(request, timeout=5) as answer:
        return msgspec.json.decode(answer.read())


@contextmanager
def process(file: Path) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    child = subprocess.Popen([sys.executable, "-W", "error", "-c", PROGRAM, str(port), str(file)])
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                ask(port, "GET", "/virtfusion/_sim/faults")
                break
            except URLError:
                assert child.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield child, port
    finally:
        child.kill()
        child.wait()


def running(port: int, server_id: int) -> bool:
    return ask(port, "GET", f"/virtfusion/_sim/servers/{server_id}")["running"]


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_and_remembers(tmp_path: Path, number: signal.Signals):
    file = tmp_path / "virtfusion.json"
    with process(file) as (child, port):
        ask(port, "PUT", "/virtfusion/_sim/faults", [{"mode": "delay", "path": "/traffic$", "delayMs": 60_000}])
        ask(port, "POST", "/virtfusion/api/v1/servers/1001/power/poweroff")
        with socket.create_connection(("127.0.0.1", port)) as hanging:
            hanging.sendall(
                b"GET /virtfusion/api/v1/servers/1001/traffic HTTP/1.1\r\nHost: x\r\n"
                b"Authorization: Bearer " + TOKEN.encode() + b"\r\n\r\n"
            )
            begun = time.monotonic()
            child.send_signal(number)
            assert child.wait(10) == 0
        assert time.monotonic() - begun < 5
    assert World.load(file).count(1001, Work.POWEROFF) == 1
    with process(file) as (_, port):
        assert not running(port, 1001)


@pytest.mark.long
def test_it_is_written_down_shortly_after_a_change(tmp_path: Path):
    file = tmp_path / "virtfusion.json"
    with process(file) as (child, port):
        ask(port, "POST", "/virtfusion/_sim/servers/1001", {"name": "renamed"})
        deadline = time.monotonic() + 20
        while World.load(file).servers[1001].name != "renamed":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        child.kill()
    assert World.load(file).servers[1001].name == "renamed"


def test_other_prefixes_are_404(tmp_path: Path):
    with process(tmp_path / "virtfusion.json") as (_, port):
        with pytest.raises(HTTPError) as caught:
            ask(port, "GET", "/nothing/api/v1/connect")
        assert caught.value.code == 404
        assert msgspec.json.decode(caught.value.read())["prefixes"] == ["/virtfusion"]
        caught.value.close()


def test_a_port_in_use_is_an_oserror(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        serve_simulators("127.0.0.1", taken.getsockname()[1], None, WorldPlan(servers=1))


def test_a_folder_that_is_not_there_is_an_oserror(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        serve_simulators("127.0.0.1", free_port(), tmp_path / "nowhere" / "world.json", WorldPlan(servers=1))
