"""Which operations of the API tests called, and how they ended: one JSON object a line in `.cache/operations.jsonl`."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from hostwright.web.asgi import Asgi, Message, Receive, Send

PATH: Final = Path(__file__).parents[2] / ".cache" / "operations.jsonl"
KEEP: Final = "KEEP_OPERATIONS"
"""Set in the environment, a run adds to the file of the run before."""

_known: set[tuple[str, str, int]] = set()
_paths: list[tuple[str, re.Pattern[str]]] = []


def begin() -> None:
    """Forget the runs before, unless `KEEP` is set."""
    PATH.parent.mkdir(exist_ok=True)
    if not os.environ.get(KEEP):
        PATH.write_bytes(b"")
    _known.clear()


def _line(method: str, template: str, status: int) -> bytes:
    return msgspec.json.encode({"method": method, "path": template, "status": status}) + b"\n"


def note(method: str, template: str, status: int) -> None:
    """Write down one call, its path as the document writes it; the same again in one run is not repeated."""
    call = (method, template, status)
    if call in _known:
        return
    _known.add(call)
    with PATH.open("ab", buffering=0) as file:
        file.write(_line(*call))


def finish() -> None:
    """Write all calls of this run again: another run beside it may have begun anew meanwhile."""
    kept = PATH.read_bytes() if os.environ.get(KEEP) and PATH.exists() else b""
    lines = [_line(*call) for call in sorted(_known)]
    fresh = PATH.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(kept + b"".join(line for line in lines if line not in kept))
    fresh.replace(PATH)


def recorded(app: Asgi) -> Asgi:
    """The application, with calls of its API noted."""

    async def call(scope: Any, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            template = scope.get("path_template") or ""
            if message["type"] == "http.response.start" and template.startswith("/api/"):
                note(scope["method"], template, message["status"])
            await send(message)

        await app(scope, receive, sent)

    return call


async def _templates(address: httpx.URL) -> list[tuple[str, re.Pattern[str]]]:
    """Every path of the API as the document of a web process writes it, those with more fixed parts first."""
    if not _paths:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            paths = (await client.get(address.join("/api/openapi.json"))).json().get("paths", {})
        patterns = {path: re.sub(r"\\{[^/]+?\\}", "[^/]+", re.escape(path)) for path in paths}
        _paths.extend((path, re.compile(patterns[path])) for path in sorted(paths, key=lambda path: path.count("{")))
    return _paths


async def note_answer(answer: httpx.Response) -> None:
    """Note a call of another process, as an event hook of httpx; not one of a process that is just ending."""
    path = answer.request.url.path
    if not path.startswith("/api/"):
        return
    with suppress(httpx.TransportError):
        known = await _templates(answer.request.url)
        template = next((template for template, pattern in known if pattern.fullmatch(path)), None)
        if template is not None:
            note(answer.request.method, template, answer.status_code)
