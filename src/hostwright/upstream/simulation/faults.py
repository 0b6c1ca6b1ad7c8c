"""Faults that a test asks for: which requests they meet, and for how long."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

ANY: Final = "*"


class Mode(StrEnum):
    """What happens to a request.

    ``status`` answers with a status and does nothing; ``delay`` waits, then goes on as usual; ``drop_before`` hangs up
    and does nothing; ``drop_after`` does it and hangs up; ``late`` hangs up and does it later; ``malformed`` does it
    and answers with something that is no JSON; ``rate_limit`` answers 429 and does nothing.
    """

    STATUS = "status"
    DELAY = "delay"
    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    LATE = "late"
    MALFORMED = "malformed"
    RATE_LIMIT = "rate_limit"


class Fault(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A fault. ``path`` is a regular expression searched for in the path; ``times`` 0 is for ever.

    With ``rate_limit``, ``delay_ms`` is what ``Retry-After`` says, rounded up to seconds.
    """

    mode: Mode
    method: str = ANY
    path: str = ""
    status: int = 500
    delay_ms: int = 0
    times: int = 0

    def meets(self, method: str, path: str) -> bool:
        return self.method in {ANY, method} and re.search(self.path, path) is not None


class Received(msgspec.Struct, rename="camel"):
    """A request that came in. Headers, and so the token, are not kept. ``outcome`` is a status or a fault's mode."""

    at: datetime
    method: str
    path: str
    query: str
    body: Any
    outcome: str


class Faults:
    """The faults in force; the first that meets a request wins."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._left: list[int] = []

    def replace(self, rules: list[Fault]) -> None:
        """Put ``rules`` into force instead of those before; raises `re.error` for a path that is no expression."""
        for rule in rules:
            re.compile(rule.path)
        self._rules = rules
        self._left = [rule.times for rule in rules]

    @property
    def in_force(self) -> list[Fault]:
        """What can still happen."""
        return [rule for rule, left in zip(self._rules, self._left, strict=True) if not rule.times or left]

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that meets a request, used up by one."""
        for number, rule in enumerate(self._rules):
            if rule.meets(method, path) and (not rule.times or self._left[number] > 0):
                self._left[number] -= 1
                return rule
        return None


def received(method: str, path: str, query: str, body: bytes) -> Received:
    """The record of a request."""
    content: Any = None
    if body:
        try:
            content = msgspec.json.decode(body)
        except msgspec.DecodeError:
            content = f"{len(body)} bytes"
    return Received(datetime.now(UTC), method, path, query, content, "pending")
