"""Error tracking is optional; when it is on, a real server gets errors and a tenth of the traces, without secrets."""

from __future__ import annotations

import asyncio
import gzip
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiohttp import web

SECRET = "kV7-tulip-9zQ"

JOBS = """
import asyncio, os, sys
from hostwright.core import logs, sentry
from hostwright.core.config import load_config

config = load_config(os.environ)
logs.configure(config)
sentry.configure(config, "worker")
for number in range(400):
    with sentry.job("servers.mirror"):
        pass
try:
    with sentry.job("servers.act"):
        password = os.environ["TEST_SECRET"]
        raise ValueError(f"refused token={password} of ada@example.com")
except ValueError as error:
    sentry.capture(error, "servers.act")
sentry.flush()
"""
WEB = """
import asyncio, os
import httpx
from litestar import get
from hostwright.core import logs, sentry
from hostwright.core.config import load_config

config = load_config(os.environ)
logs.configure(config)
sentry.configure(config, "web")

from hostwright.app import build_app
from hostwright.core.errors import Conflict

@get("/api/tests/broken", opt={"auth": "public"})
async def broken() -> str:
    password = os.environ["TEST_SECRET"]
    raise ValueError(f"refused token={password} of ada@example.com")

@get("/api/tests/refused", opt={"auth": "public"})
async def refused() -> str:
    raise Conflict("This is expected.")

async def main():
    app = build_app(config)
    app.litestar.register(broken)
    app.litestar.register(refused)
    secret = os.environ["TEST_SECRET"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app.asgi), base_url="http://panel.test") as client:
        for _ in range(400):
            await client.get("/health/live")
        await client.get("/api/tests/refused")
        headers = {"Authorization": f"Bearer hw_{secret}", "Cookie": f"hw_session={secret}"}
        answer = await client.get(f"/api/tests/broken?token={secret}", headers=headers)
        print(answer.status_code, answer.headers["x-request-id"])

asyncio.run(main())
sentry.flush()
"""
OFF = """
import os, sys
from hostwright.core import sentry
from hostwright.core.config import load_config
sentry.configure(load_config(os.environ), "web")
with sentry.job("servers.mirror"):
    pass
sentry.capture(ValueError())
sentry.flush()
print("sentry_sdk" in sys.modules)
"""


class Tracker:
    """A server that takes envelopes; ``hangs`` makes it never answer."""

    def __init__(self) -> None:
        self.items: list[tuple[str, dict[str, Any]]] = []
        self.raw = ""
        self.hangs = False
        self.port = 0

    @property
    def dsn(self) -> str:
        return f"http://public@127.0.0.1:{self.port}/1"

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.headers.get("content-encoding") == "gzip" and body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        self._note(body)
        if self.hangs:
            await asyncio.sleep(60)
        return web.json_response({})

    def _note(self, body: bytes) -> None:
        self.raw += body.decode()
        lines = body.split(b"\n")[1:]
        for head, item in zip(lines[::2], lines[1::2], strict=False):
            if head and item:
                self.items.append((msgspec.json.decode(head)["type"], msgspec.json.decode(item)))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [item for found, item in self.items if found == kind]


@pytest.fixture
async def tracker() -> AsyncIterator[Tracker]:
    found = Tracker()
    application = web.Application(client_max_size=50_000_000)
    application.router.add_post("/api/1/envelope/", found.take)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    found.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    yield found
    await runner.cleanup()


async def run(program: str, **environ: str) -> tuple[Process, bytes]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "ignore",
        "-c",
        program,
        env=os.environ
        | {"HOSTWRIGHT_ENVIRONMENT": "test", "TEST_SECRET": SECRET, "HOSTWRIGHT_KEYS": "A" * 43 + "="}
        | environ,
        stdout=PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return process, out


def sound(tracker: Tracker, *, role: str) -> dict[str, Any]:
    """The one error that arrived, after looking for secrets in everything that did."""
    for secret in (SECRET, "ada@example.com"):
        assert secret not in tracker.raw
    (event,) = tracker.of("event")
    assert event["tags"]["role"] == role
    assert event["environment"] == "test"
    assert event["release"].startswith("hostwright@")
    assert "user" not in event
    (error,) = event["exception"]["values"]
    assert error["type"] == "ValueError"
    assert "[hidden]" in error["value"]
    assert all("vars" not in frame for frame in error["stacktrace"]["frames"])
    return event


async def test_a_workers_error_and_a_tenth_of_its_named_jobs_arrive(tracker: Tracker) -> None:
    process, _ = await run(JOBS, SENTRY_DSN=tracker.dsn)
    assert process.returncode == 0
    assert sound(tracker, role="worker")["transaction"] == "servers.act"
    traces = tracker.of("transaction")
    assert 10 <= len(traces) <= 90, "a tenth of 400"
    assert {trace["transaction"] for trace in traces} <= {"servers.mirror", "servers.act"}
    assert {trace["contexts"]["trace"]["op"] for trace in traces} == {"queue.process"}


async def test_a_request_that_fails_arrives_without_its_headers_and_query(tracker: Tracker) -> None:
    process, out = await run(WEB, SENTRY_DSN=tracker.dsn)
    assert process.returncode == 0
    status, request_id = out.decode().splitlines()[-1].split()
    assert status == "500"
    event = sound(tracker, role="web")
    assert set(event.get("request", {})) <= {"url", "method", "content_length"}
    assert event["tags"]["request_id"] == request_id, "the event leads to the log"
    assert event["transaction"].endswith("broken")
    assert len(tracker.of("transaction")) <= 90


async def test_without_a_dsn_the_library_is_not_even_loaded() -> None:
    process, out = await run(OFF, SENTRY_DSN="")
    assert process.returncode == 0
    assert out.decode().strip() == "False"


@pytest.mark.long
async def test_a_tracker_that_hangs_holds_up_the_end_for_five_seconds_at_most(tracker: Tracker) -> None:
    tracker.hangs = True
    began = time.monotonic()
    process, _ = await run(JOBS, SENTRY_DSN=tracker.dsn)
    assert process.returncode == 0
    assert tracker.raw, "it was asked"
    assert time.monotonic() - began < 5 + 4, "five seconds, and what Python needs to begin and end"


async def test_a_tracker_that_is_away_is_no_problem() -> None:
    process, _ = await run(JOBS, SENTRY_DSN="http://public@127.0.0.1:9/1")
    assert process.returncode == 0
