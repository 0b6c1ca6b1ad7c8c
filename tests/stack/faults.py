"""The faults that VirtFusion is given, and what each of them says about a write that it meets."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, Final


class Meaning(Enum):
    """What is true of a write that met a fault, and what we can know of it."""

    REFUSED = auto()
    """It was not done, and we know it."""
    GONE = auto()
    """It was not done: the vendor does not know the server."""
    BUSY = auto()
    """It was not done, and may be asked for again."""
    LOST = auto()
    """It was not done, but for all we know it may have been."""
    DONE = auto()
    """It was done, but for all we know it may not have been."""


FAULTS: Final[dict[str, tuple[dict[str, Any], Meaning]]] = {
    "401": ({"mode": "status", "status": 401}, Meaning.REFUSED),
    "403": ({"mode": "status", "status": 403}, Meaning.REFUSED),
    "422": ({"mode": "status", "status": 422}, Meaning.REFUSED),
    "404": ({"mode": "status", "status": 404}, Meaning.GONE),
    "423": ({"mode": "status", "status": 423}, Meaning.BUSY),
    "429": ({"mode": "status", "status": 429}, Meaning.BUSY),
    "rate_limit": ({"mode": "rate_limit", "delayMs": 40_000}, Meaning.BUSY),
    "500": ({"mode": "status", "status": 500}, Meaning.LOST),
    "503": ({"mode": "status", "status": 503}, Meaning.LOST),
    "drop_before": ({"mode": "drop_before"}, Meaning.LOST),
    "drop_after": ({"mode": "drop_after"}, Meaning.DONE),
    "late": ({"mode": "late", "delayMs": 150}, Meaning.DONE),
    "malformed": ({"mode": "malformed"}, Meaning.DONE),
    "delay": ({"mode": "delay", "delayMs": 600}, Meaning.DONE),
}


def meaning(fault: str) -> Meaning:
    return FAULTS[fault][1]
