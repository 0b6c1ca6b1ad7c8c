"""Pages of lists, and cursors for lists that only grow."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from hostwright.core.errors import FieldProblem

MAX_DIGITS: Final = 18  # more do not fit a bigint
MAX_PAGE_SIZE = 100
DEFAULT_PAGE_SIZE = 20


class Page(msgspec.Struct, frozen=True):
    """Which part of a list is wanted; ``number`` counts from 1."""

    number: Annotated[int, msgspec.Meta(ge=1)] = 1
    size: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE_SIZE)] = DEFAULT_PAGE_SIZE

    @property
    def limit(self) -> int:
        """How many rows to read."""
        return self.size

    @property
    def offset(self) -> int:
        """How many rows to pass over."""
        return (self.number - 1) * self.size


class Pagination(msgspec.Struct, frozen=True, rename="camel"):
    """What a list answer says about its pages."""

    page: int
    page_size: int
    total: int
    total_pages: int


def pagination(page: Page, total: int) -> Pagination:
    """The figures for ``page`` of a list of ``total`` rows; an empty list has 0 pages."""
    return Pagination(page.number, page.size, total, -(-total // page.size))


class Cursor(msgspec.Struct, frozen=True, rename="camel"):
    """Where a growing list goes on: pass ``next`` as ``cursor``; null at the end."""

    next: str | None


def read_cursor(text: str | None, problems: list[FieldProblem]) -> int | None:
    """A cursor of a list that goes on below an id."""
    if text is None:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS:
        return int(text)
    problems.append(FieldProblem("cursor", "is not a cursor of this list"))
    return None
