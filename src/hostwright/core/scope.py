"""Whose rows a caller may touch. A type, never a nullable parameter: a lost scope cannot mean "everyone"."""

from __future__ import annotations

import msgspec


class OwnedBy(msgspec.Struct, frozen=True):
    """Rows of one customer."""

    customer_id: int


class Staff(msgspec.Struct, frozen=True):
    """Rows of all customers, for staff who hold ``permission`` (named ``area.verb``)."""

    permission: str


type Scope = OwnedBy | Staff
