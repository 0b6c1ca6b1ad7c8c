"""Pages of simple lists: where one is, and links to the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import msgspec

from hostwright.core.paging import DEFAULT_PAGE_SIZE, Page

LONGEST_PAGE: Final = 6  # digits


class Place(msgspec.Struct, frozen=True):
    """A page of a list; ``kept`` are the parameters that stay in its links."""

    base: str
    page: int
    total: int
    shown: int
    kept: dict[str, str]

    @property
    def pages(self) -> int:
        """How many there are."""
        return -(-self.total // DEFAULT_PAGE_SIZE)

    @property
    def first(self) -> int:
        """The number of the first row shown, 0 when there is none."""
        return (self.page - 1) * DEFAULT_PAGE_SIZE + 1 if self.shown else 0

    @property
    def last(self) -> int:
        """The number of the last row shown."""
        return self.first + self.shown - 1 if self.shown else 0

    def link(self, **changes: str | int | None) -> str:
        """The same list with ``changes``; whatever is empty is left out."""
        wanted: dict[str, str | int | None] = {**self.kept, "page": self.page, **changes}
        kept = {
            name: value for name, value in wanted.items() if value not in ("", None) and (name, value) != ("page", 1)
        }
        return f"{self.base}?{urlencode(kept)}" if kept else self.base


def wanted_page(query: Mapping[str, str]) -> Page:
    """The page in a query string; the first for whatever is none."""
    text = query.get("page", "")
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_PAGE else 1
    return Page(max(1, number))
