"""How VirtFusion is spoken to: its address, its token, its errors and its pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, cast

import msgspec

from hostwright.core.http import Call, HttpClient, Method, Pace, Settings
from hostwright.core.providers import Transient
from hostwright.upstream.virtfusion.types import Page

API: Final = "/api/v1"
PAGE_SIZE: Final = 200  # the vendor's most
READINGS: Final = 3

_error = msgspec.json.Decoder()


def decoder[T](what: type[T]) -> Callable[[bytes], T]:
    """Reads answers as ``what``, loosely."""
    return msgspec.json.Decoder(what, strict=False).decode


def nothing(body: bytes) -> None:
    """For an answer whose body the vendor does not describe."""
    del body


def json(**fields: object) -> bytes:
    """The body of a request."""
    return msgspec.json.encode(fields)


class Shifted(Exception):
    """The list changed while its pages were read."""


class Transport(HttpClient):
    """What all calls to VirtFusion have in common. Every call raises one of the four provider errors."""

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

    async def read[T](
        self,
        operation: str,
        path: str,
        decode: Callable[[bytes], T],
        *,
        query: Mapping[str, str] | None = None,
        of_one: bool = True,
    ) -> T:
        """Ask for something; repeated on whatever may pass."""
        call = Call(operation=operation, method=Method.GET, path=path, decode=decode, query=query or {}, of_one=of_one)
        return await self.send(call)

    async def write[T](
        self,
        operation: str,
        path: str,
        decode: Callable[[bytes], T],
        body: bytes | None = None,
        *,
        method: Method = Method.POST,
        query: Mapping[str, str] | None = None,
    ) -> T:
        """Change the one thing that the path names; repeated only when it surely was not done."""
        call = Call(
            operation=operation, method=method, path=path, decode=decode, body=body, query=query or {}, of_one=True
        )
        return await self.send(call)

    async def page_of[T](
        self,
        operation: str,
        path: str,
        decode: Callable[[bytes], Page[T]],
        number: int,
        *,
        size: int = PAGE_SIZE,
        of_one: bool = False,
    ) -> Page[T]:
        """One page of a list, in no stated order."""
        query = {"results": str(size), "page": str(number)}
        return await self.read(operation, path, decode, query=query, of_one=of_one)


async def whole_list[T](
    page: Callable[[int], Awaitable[Page[T]]], key: Callable[[T], int], what: str
) -> tuple[list[T], int]:
    """All entries of a list, and how many calls that took. Complete, or it raises.

    A list that shifts while its pages are read shows in a total that changes or in an entry that comes twice; it is
    read anew, and after three times `Transient` says so.
    """
    calls = 0
    for _ in range(READINGS):
        found: dict[int, T] = {}
        number, last, total = 1, 1, -1
        try:
            while number <= last:
                calls += 1
                read = await page(number)
                total = read.total if number == 1 else total
                _add(found, read, key, number, total)
                number, last = number + 1, read.last_page
            if len(found) == total:
                return list(found.values()), calls
        except Shifted:
            continue
    message = f"The list of {what} at VirtFusion kept changing while it was read."
    raise Transient(message)


def _add[T](found: dict[int, T], page: Page[T], key: Callable[[T], int], number: int, total: int) -> None:
    """Take a page over; raises `Shifted` when it does not continue what was read before."""
    fresh = {key(entry): entry for entry in page.data}
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
