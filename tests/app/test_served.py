"""What only a real server shows: streams that end, bodies that grow, a stop with everything open."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.support.app import PASSWORD, Makers
from tests.support.rows import until
from tests.support.stack import Live, Web, running_stack

pytestmark = pytest.mark.long


@pytest.fixture
async def web(dsn: str, tmp_path: Path) -> AsyncIterator[Web]:
    async with running_stack(dsn, tmp_path) as stack:
        yield await stack.web()


@pytest.fixture
async def ada(web: Web, makers: Makers) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that signed in."""
    person = await makers.user()
    async with httpx.AsyncClient(base_url=web.url, trust_env=False) as client:
        answer = await client.post("/api/auth/login", json={"username": person.username, "password": PASSWORD})
        assert answer.status_code == 200
        client.headers["X-CSRF-Token"] = client.cookies["hw_csrf"]
        yield client


async def streams(client: httpx.AsyncClient) -> int:
    """How many the process says are open."""
    text = (await client.get("/metrics")).text
    found = re.search(r'^hostwright_live_subscribers\{process="web"\} ([0-9.]+)$', text, re.MULTILINE)
    assert found is not None, text
    return int(float(found[1]))


async def test_streams_end_with_their_session_and_with_their_page(ada: httpx.AsyncClient) -> None:
    async def open_now(number: int) -> bool:
        return await streams(ada) == number

    first, second = Live(ada), Live(ada)
    for stream in (first, second):
        await stream.open()
    await until(lambda: open_now(2))
    await first.leave()
    await until(lambda: open_now(1))
    assert (await ada.post("/api/auth/logout")).status_code == 204
    await second.end()
    await until(lambda: open_now(0))
    assert (await ada.get("/api/user")).status_code == 401


async def test_a_stop_ends_open_streams_within_five_seconds(web: Web, ada: httpx.AsyncClient) -> None:
    stream = Live(ada)
    await stream.open()
    began = time.monotonic()
    assert await web.stop() == 0
    assert time.monotonic() - began < 5
    await stream.end()
    assert "Traceback" not in web.said


async def test_bodies_over_a_megabyte_are_refused_on_the_way(ada: httpx.AsyncClient) -> None:
    async def grow() -> AsyncGenerator[bytes]:
        for _ in range(30):
            yield b"x" * 50_000

    for content in (b"x" * 1_100_000, grow()):
        answer = await ada.post("/api/auth/login", content=content, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")
    page = await ada.post("/sign-in", data={"username": "x" * 1_100_000})
    assert page.status_code == 413
    assert (await ada.get("/api/user")).status_code == 200


async def test_files_with_hashed_names_are_kept_for_a_year(ada: httpx.AsyncClient) -> None:
    answer = await ada.get("/servers")
    assert answer.status_code == 200
    assert answer.headers["x-request-id"]
    (sheet,) = set(re.findall(r'href="(/static/app[^"]+\.css)"', answer.text))
    file = await ada.get(sheet)
    assert file.status_code == 200
    assert "31536000" in file.headers["cache-control"]
