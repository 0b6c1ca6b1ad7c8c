"""VirtFusion's API over a simulated company, and paths under ``/_sim/`` to meddle with it."""

from __future__ import annotations

import hmac
import time
from collections import deque
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Response
from litestar.di import Provide

from hostwright.upstream.simulation.asgi import Receive, Scope, Send
from hostwright.upstream.simulation.stage import Stage
from hostwright.upstream.virtfusion.simulator.control import Restart, control
from hostwright.upstream.virtfusion.simulator.keeper import Keeper
from hostwright.upstream.virtfusion.simulator.permissions import area_of
from hostwright.upstream.virtfusion.simulator.routes import API, SHAPES, api
from hostwright.upstream.virtfusion.simulator.screen import Screens
from hostwright.upstream.virtfusion.simulator.world import World

MINUTE: Final = 60.0


class VirtFusionSimulator:
    """An ASGI application. With ``state_file`` the company outlives the process.

    Between `start` and `close` changes are written to the file shortly after they happen.
    """

    def __init__(self, world: World, state_file: Path | None = None) -> None:
        self.world = world
        self._keeper = Keeper(world, state_file)
        self._calls: deque[float] = deque()
        self.screens = Screens(lambda: self.world)
        self.stage = Stage(self._litestar())

    def _litestar(self) -> Litestar:
        def world() -> World:
            return self.world

        def stage() -> Stage:
            return self.stage

        def screens() -> Screens:
            return self.screens

        def restart() -> Restart:
            return Restart(self.reset)

        return Litestar(
            [api(), control()],
            before_request=self._admit,
            dependencies={
                "world": Provide(world, sync_to_thread=False),
                "stage": Provide(stage, sync_to_thread=False),
                "screens": Provide(screens, sync_to_thread=False),
                "restart": Provide(restart, sync_to_thread=False),
            },
            exception_handlers=SHAPES,
            openapi_config=None,
            logging_config=None,
        )

    def reset(self) -> None:
        """Begin anew: no faults, nothing received, and the company as its plan made it."""
        self.stage.reset()
        self._calls.clear()
        self.screens.forget()
        plan = msgspec.structs.replace(self.world.plan, born=self.world.born)
        self.world = World(plan, clock=self.world.clock)
        self._keeper.watch(self.world)

    async def start(self) -> None:
        """Begin to keep the company and to show screens; raises OSError when its file cannot be written."""
        await self._keeper.start()
        await self.screens.start()

    async def close(self) -> None:
        """Write the company down a last time."""
        await self.screens.close()
        await self.stage.close()
        await self._keeper.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.screens.websocket(scope, receive, send)
        else:
            await self.stage(scope, receive, send)

    async def _admit(self, request: Request[Any, Any, Any]) -> Response[Any] | None:
        """The token first, its permissions, then the rate, as the vendor does. Control paths need neither."""
        if not request.url.path.startswith(API):
            return None
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.world.plan.token}".encode()):
            return Response("401 Unauthorized", status_code=401, media_type="text/plain")
        if area_of(request.url.path.removeprefix(API)) in self.world.denied:
            return Response({"message": "This action is unauthorized."}, status_code=403)
        return self._slow_down()

    def _slow_down(self) -> Response[Any] | None:
        limit = self.world.plan.calls_per_minute
        if not limit:
            return None
        now = time.monotonic()
        while self._calls and now - self._calls[0] > MINUTE:
            self._calls.popleft()
        if len(self._calls) >= limit:
            wait = max(1, round(MINUTE - (now - self._calls[0])))
            headers = {"Retry-After": str(wait), "X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": "0"}
            return Response({"message": "Too Many Attempts."}, status_code=429, headers=headers)
        self._calls.append(now)
        return None
