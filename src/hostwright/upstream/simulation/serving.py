"""A small HTTP server for simulators that can hang up in the middle, which granian answers with 500 instead.

aiohttp's server carries an ASGI application; one that returns without an answer has its connection cut.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from hostwright.upstream.simulation.asgi import Answer, Asgi, replay
from hostwright.upstream.simulation.sockets import serve_socket, wants_socket

GRACE: Final = 0.2  # seconds that requests under way get at the end


def _scope(request: web.BaseRequest) -> dict[str, object]:
    peer = request.transport.get_extra_info("peername") if request.transport else None
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": request.raw_path.partition("?")[0].encode(),
        "query_string": request.query_string.encode(),
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.raw_headers],
        "client": peer[:2] if peer else None,
        "server": None,
        "state": {},
    }


def _handler(app: Asgi) -> Callable[[web.BaseRequest], asyncio.Future[web.StreamResponse]]:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if wants_socket(request):
            return await serve_socket(app, _scope(request), request)
        answer = Answer(status=0)
        await app(_scope(request), replay(await request.read()), answer.collect)
        if not answer.status:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        response = web.Response(status=answer.status, body=answer.body)
        response.headers.popall("Content-Type", None)
        for name, value in answer.headers:
            if name.lower() != b"content-length":
                response.headers.add(name.decode(), value.decode())
        return response

    return handle  # pyright: ignore[reportReturnType]  aiohttp awaits whatever it gives


@asynccontextmanager
async def serving(app: Asgi, host: str = "127.0.0.1", port: int = 0) -> AsyncGenerator[int]:
    """Serve ``app`` and yield the port; 0 takes a free one. Raises OSError when the port is in use."""
    runner = web.ServerRunner(web.Server(_handler(app), access_log=None), shutdown_timeout=GRACE)
    await runner.setup()
    try:
        listening = socket.create_server((host, port))
        site = web.SockSite(runner, listening)
        await site.start()
        yield listening.getsockname()[1]
    finally:
        await runner.cleanup()


async def until_stopped() -> None:
    """Wait for SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await stop.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
