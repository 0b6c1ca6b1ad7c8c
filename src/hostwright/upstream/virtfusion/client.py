"""VirtFusion's API, call by call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import msgspec

from hostwright.core.http import Call, HttpClient, Method, Pace, Settings
from hostwright.core.providers import Transient
from hostwright.upstream.virtfusion.types import (
    Absent,
    Data,
    Package,
    PasswordReset,
    Queued,
    QueueItem,
    ServerLine,
    ServerPage,
    TemplateGroup,
    Traffic,
    VirtualServer,
)

API: Final = "/api/v1"
PAGE_SIZE: Final = 200  # the vendor's most
READINGS: Final = 3


def _decoder[T](what: type[T]) -> Callable[[bytes], T]:
    return msgspec.json.Decoder(what, strict=False).decode


_page = _decoder(ServerPage)
_server = _decoder(Data[VirtualServer])
_queued = _decoder(Data[Queued])
_queue_item = _decoder(Data[QueueItem])
_reset = _decoder(Data[PasswordReset])
_traffic = _decoder(Data[Traffic | Absent])
_templates = _decoder(Data[list[TemplateGroup]])
_packages = _decoder(Data[list[Package]])
_error = msgspec.json.Decoder()


def _nothing(body: bytes) -> None:
    """For an answer whose body the vendor does not describe."""
    del body


class Shifted(Exception):
    """The list changed while its pages were read."""


class VirtFusionClient(HttpClient):
    """VirtFusion's global API, as far as we use it.

    Source: docs.virtfusion.com/api (read 2026-11-20). Units as on the wire: memory MB, storage GB, traffic limit GB
    (0 is unmetered), traffic counters bytes. Every call raises one of the four provider errors.
    """

    vendor = "virtfusion"
    label = "VirtFusion"

    def __init__(self, base_url: str, token: str, settings: Settings | None = None, pace: Pace | None = None) -> None:
        base = base_url.strip().rstrip("/")
        base = base if base.endswith(API) else base + API
        super().__init__(base, {"Authorization": f"Bearer {token}"}, settings, pace)

    def error_text(self, status: int, body: bytes) -> str | None:
        """Three shapes are in use: ``errors`` as a list, ``errors`` by field with ``message``, and ``msg``.

        A 401 has no JSON body.
        """
        del status
        try:
            found: object = _error.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        if not isinstance(found, dict):
            return None
        answer = cast("dict[str, object]", found)
        words = _texts(answer.get("errors")) or _texts(answer.get("msg")) or _texts(answer.get("message"))
        return " ".join(words) or None

    async def connect(self) -> None:
        """Whether the token is accepted at all."""
        await self.send(Call(operation="connect", method=Method.GET, path="/connect", decode=_nothing))

    async def page(self, number: int, *, size: int = PAGE_SIZE) -> ServerPage:
        """One page of all servers, in no stated order."""
        query = {"results": str(size), "page": str(number)}
        return await self._get("list_servers", "/servers", _page, query=query, of_one=False)

    async def servers(self) -> tuple[list[ServerLine], int]:
        """All servers, and how many calls that took. Complete, or it raises.

        A list that shifts while its pages are read shows in a total that changes or in a server that comes twice; it
        is read anew, and after three times `Transient` says so.
        """
        calls = 0
        for _ in range(READINGS):
            found: dict[int, ServerLine] = {}
            number, last, total = 1, 1, -1
            try:
                while number <= last:
                    calls += 1
                    page = await self.page(number)
                    total = page.total if number == 1 else total
                    _add(found, page, number, total)
                    number, last = number + 1, page.last_page
                if len(found) == total:
                    return list(found.values()), calls
            except Shifted:
                continue
        message = "The list of servers at VirtFusion kept changing while it was read."
        raise Transient(message)

    async def server(self, server_id: int, *, remote_state: bool) -> VirtualServer:
        """One server; ``remote_state`` asks its hypervisor, which is slow. `Gone` on 404."""
        query = {"remoteState": "true"} if remote_state else {}
        return (await self._get("server", f"/servers/{server_id}", _server, query=query)).data

    async def power(self, server_id: int, action: str) -> Queued:
        """Ask for ``boot``, ``shutdown``, ``restart`` or ``poweroff``."""
        return (await self._post(f"power_{action}", f"/servers/{server_id}/power/{action}", _queued)).data

    async def queue_item(self, queue_id: int) -> QueueItem:
        """How far queued work is; `Gone` when the queue does not know it."""
        return (await self._get("queue", f"/queue/{queue_id}", _queue_item)).data

    async def reset_password(self, server_id: int, user: str) -> PasswordReset:
        """Set a new password for ``root`` or ``Administrator``. The vendor sends no mail about it."""
        body = msgspec.json.encode({"user": user, "sendMail": False})
        return (await self._post("reset_password", f"/servers/{server_id}/resetPassword", _reset, body)).data

    async def traffic(self, server_id: int) -> Traffic:
        """Traffic by period."""
        found = (await self._get("traffic", f"/servers/{server_id}/traffic", _traffic)).data
        return found if isinstance(found, Traffic) else Traffic()

    async def templates(self, server_id: int) -> list[TemplateGroup]:
        """Systems that can be installed on a server."""
        return (await self._get("templates", f"/servers/{server_id}/templates", _templates)).data

    async def packages(self) -> list[Package]:
        """All packages; not paged."""
        return (await self._get("packages", "/packages", _packages, of_one=False)).data

    async def _get[T](
        self,
        operation: str,
        path: str,
        decode: Callable[[bytes], T],
        *,
        query: Mapping[str, str] | None = None,
        of_one: bool = True,
    ) -> T:
        call = Call(operation=operation, method=Method.GET, path=path, decode=decode, query=query or {}, of_one=of_one)
        return await self.send(call)

    async def _post[T](self, operation: str, path: str, decode: Callable[[bytes], T], body: bytes | None = None) -> T:
        call = Call(operation=operation, method=Method.POST, path=path, decode=decode, body=body, of_one=True)
        return await self.send(call)


def _add(found: dict[int, ServerLine], page: ServerPage, number: int, total: int) -> None:
    """Take a page over; raises `Shifted` when it does not continue what was read before."""
    fresh = {line.id: line for line in page.data}
    if (
        page.total != total
        or page.current_page != number
        or len(fresh) != len(page.data)
        or not found.keys().isdisjoint(fresh)
        or (not fresh and total > 0)
    ):
        raise Shifted
    found |= fresh


def _texts(value: Any) -> list[str]:
    """All texts in a nest of lists and objects."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    if isinstance(value, dict):
        value = list(cast("dict[str, object]", value).values())
    if isinstance(value, list):
        return [text for part in cast("list[object]", value) for text in _texts(part)]
    return []
