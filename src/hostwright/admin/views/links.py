"""Addresses of lists, and values in them that make no sense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from hostwright.core.text import storable

LONGEST_ID: Final = 18  # digits of a bigint


def address(base: str, values: Mapping[str, str | int | None]) -> str:
    """``base`` with the values that say something."""
    kept = {name: value for name, value in values.items() if value not in ("", None) and (name, value) != ("page", 1)}
    return f"{base}?{urlencode(kept)}" if kept else base


def number_in(text: str) -> int | None:
    """A number in an address; None for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) < LONGEST_ID else None


def words_in(text: str, longest: int = 100) -> str:
    """Text in an address."""
    return storable(text).strip()[:longest]
