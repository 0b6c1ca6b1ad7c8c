"""The route table of the application, as the walk and the hostile inputs go through it."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar.routes import HTTPRoute, WebSocketRoute

from hostwright.app import App


class Route(msgspec.Struct, frozen=True, order=True):
    """One method of one path; ``auth`` and ``scope`` are what the handler declares."""

    path: str
    method: str
    name: str
    auth: str | None
    scope: str | None
    operation: str | None
    page: bool

    @property
    def label(self) -> str:
        """How a rule and a failure name it."""
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        """The names in its path."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    def filled(self, **values: Any) -> str:
        """An address of it."""
        return self.path.format(**{name: values.get(name, 1) for name in self.parameters})


def routes_of(app: App) -> list[Route]:
    """Every route but Litestar's own OPTIONS, in order."""
    found: list[Route] = []
    for route in app.litestar.routes:
        if isinstance(route, WebSocketRoute):
            continue  # see `sockets_of`
        assert isinstance(route, HTTPRoute), f"{route.path} is no HTTP route: teach the walk about it"
        for handler in route.route_handlers:
            opt = handler.opt
            found += [
                Route(
                    path=route.path_format,
                    method=method,
                    name=handler.handler_name,
                    auth=opt.get("auth"),
                    scope=opt.get("scope"),
                    operation=opt.get("op"),
                    page=bool(opt.get("page")),
                )
                for method in sorted(handler.http_methods)
                if method != "OPTIONS"
            ]
    return sorted(found)


def sockets_of(app: App) -> list[str]:
    """The paths of WebSockets. Each has tests of its own: the walk opens none."""
    return sorted(route.path_format for route in app.litestar.routes if isinstance(route, WebSocketRoute))
