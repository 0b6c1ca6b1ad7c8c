"""Requests a second: our lists beside the bare handler, alternating in one run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

from bench.results import Row, at_least_share, at_most_times
from bench.world import Filled

LOAD = Path(__file__).with_name("load.py")
ROUNDS = 3
SECONDS = 4.0
CONNECTIONS = 32
MOST = 1000  # different callers in one round


def request(path: str, header: str) -> bytes:
    """A GET on a connection that stays open."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}\r\n\r\n".encode()


def load(port: int, requests: list[bytes], *, seconds: float = SECONDS) -> dict[str, float]:
    """One round of load from another process; every answer must be 2xx."""
    command = [sys.executable, str(LOAD), str(port), str(seconds), str(CONNECTIONS)]
    done = subprocess.run(command, input=b"\0".join(requests), capture_output=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    if figures["refused"] or figures["lost"] or not figures["answers"]:
        message = f"the load was not answered well: {figures}"
        raise RuntimeError(message)
    return figures


def cookies(filled: Filled, path: str) -> list[bytes]:
    """Requests of signed-in browsers."""
    return [request(path, f"Cookie: hw_session={token}") for token in filled.sessions[:MOST]]


def keys(filled: Filled, path: str) -> list[bytes]:
    """Requests of programs; every key takes turns, so that none meets its limit."""
    return [request(path, f"Authorization: Bearer {key}") for key in filled.keys]


def measure(ours: int, bare: int, filled: Filled) -> list[Row]:
    """The rows of the budgets about requests; ``ours`` and ``bare`` are ports."""
    cases = {
        "session": (ours, cookies(filled, "/api/user/servers")),
        "session, bare": (bare, cookies(filled, "/session")),
        "key": (ours, keys(filled, "/api/user/servers")),
        "key, bare": (bare, keys(filled, "/key")),
        "page": (ours, cookies(filled, "/servers")),
    }
    for port, requests in cases.values():
        load(port, requests, seconds=1.0)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, (port, requests) in cases.items():
            found[name].append(load(port, requests))
    rate = {name: median(figures["rate"] for figures in rounds) for name, rounds in found.items()}
    p50 = median(figures["p50"] for figures in found["page"])
    p99 = median(figures["p99"] for figures in found["page"])
    return [
        at_least_share("JSON list of 20, by session", rate["session"], "requests/s", rate["session, bare"], 0.75),
        at_least_share("JSON list of 20, by one of 3,000 keys", rate["key"], "requests/s", rate["key, bare"], 0.75),
        at_least_share("Rendered list of 20, to its JSON twin", rate["page"], "requests/s", rate["session"], 0.12),
        at_most_times("Rendered list, p99 to p50 at 32 connections", p99, "ms", p50, 4.0),
    ]
