"""Answers to htmx and to plain browsers: the block that was asked for, the whole page, or a redirect."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from litestar import Request, Response
from litestar.response import Redirect
from markupsafe import Markup

from hostwright.web.render import HEADERS, HTML, renderer

type AnyRequest = Request[Any, Any, Any]

NUMBER_AT_END: Final = re.compile(r"-\d+$")


def hx_target(request: AnyRequest) -> str | None:
    """The id that htmx will put a partial answer into (its header says ``tag#id``); None for whole pages."""
    if request.headers.get("hx-request-type") != "partial":
        return None
    return request.headers.get("hx-target", "").partition("#")[2] or None


def _block(request: AnyRequest, template: str) -> str | None:
    """The template's block for the target: ``#list`` is ``list``, ``#power-actions-17`` is ``power_actions``."""
    target = hx_target(request)
    if target is None:
        return None
    name = NUMBER_AT_END.sub("", target).replace("-", "_")
    return name if renderer().has_block(template, name) else None


def page(
    request: AnyRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    also: Iterable[Markup] = (),
) -> Response[Any]:
    """The page, or the block that htmx asks for, followed by the partials in ``also``. Refused forms: 422."""
    block = _block(request, template)
    content = renderer().html(request, template, context or {}, block)
    if block is not None:
        content += "".join(also)
    return Response(content.encode(), media_type=HTML, status_code=status, headers=HEADERS)


def answer(
    request: AnyRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    otherwise: str,
    status: int = 200,
    also: Iterable[Markup] = (),
) -> Response[Any]:
    """After an action: the changed block for htmx, a redirect to ``otherwise`` for a plain browser."""
    if hx_target(request) is None or _block(request, template) is None:
        return go(request, otherwise)
    return page(request, template, context, status=status, also=also)


def go(request: AnyRequest, url: str) -> Response[Any]:
    """Send the browser to another page of ours, whoever asked."""
    if request.headers.get("hx-request"):
        return Response(
            b"",
            media_type=HTML,
            status_code=200,
            headers={**HEADERS, "HX-Redirect": url},
        )
    return Redirect(url, status_code=303)


def partials(*parts: Markup) -> Response[Any]:
    """An answer that only updates other places."""
    return Response("".join(parts).encode(), media_type=HTML, headers=HEADERS)


def partial(target: str, content: str, *, swap: str = "outerMorph") -> Markup:
    """Update another place, ``target`` a selector; a missing one is ignored. Only Markup stays HTML in ``content``."""
    shape = '<hx-partial hx-target="{}" hx-swap="{}">{}</hx-partial>'
    return Markup(shape).format(target, swap, content)  # noqa: S704  a constant; format() escapes


def toast(category: str, title: str, text: str = "") -> Markup:
    """A message at the foot of the page; ``category`` is success, error, warning or info."""
    return partial("#toaster", renderer().macro("toast", category, title, text), swap="beforeend")
