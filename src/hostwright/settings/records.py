"""Rows of the company's settings."""

from __future__ import annotations

import msgspec


class Company(msgspec.Struct, frozen=True):
    """How the company shows itself; None is not said. ``brand_colour`` is ``#rrggbb`` in small letters."""

    name: str | None
    brand_colour: str | None
