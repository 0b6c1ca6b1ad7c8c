"""A circuit breaker: after failures in a row a vendor is left alone for a while, then one call tries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

FAILURES: Final = 5
FIRST_REST: Final = 5.0
LONGEST_REST: Final = 60.0


class Breaker:
    """Counts calls in a row that got no sensible answer. The rest doubles, to a minute, while probes keep failing."""

    def __init__(self, monotonic: Callable[[], float], *, failures: int = FAILURES, rest: float = FIRST_REST) -> None:
        self._monotonic = monotonic
        self._limit = failures
        self._first_rest = rest
        self._failed = 0
        self._rests = 0
        self._closed_at = 0.0  # when an open circuit lets a probe through
        self._probing = False

    @property
    def open(self) -> bool:
        """Whether calls are refused, but for a probe."""
        return self._failed >= self._limit

    def enter(self) -> float | None:
        """Ask to make a call: None when it may be made, otherwise the seconds to wait before asking again."""
        if not self.open:
            return None
        left = self._closed_at - self._monotonic()
        if left > 0 or self._probing:
            return max(left, 1.0)
        self._probing = True
        return None

    def succeeded(self) -> bool:
        """The vendor answered; whether that closed an open circuit."""
        was_open = self.open
        self._failed, self._rests, self._probing = 0, 0, False
        return was_open

    def failed(self) -> bool:
        """The vendor gave no sensible answer; whether that opened the circuit (again)."""
        probing, self._probing = self._probing, False
        self._failed += 1
        if self._failed != self._limit and not probing:
            # Calls that were under way when it opened say nothing new.
            return False
        self._closed_at = self._monotonic() + min(LONGEST_REST, self._first_rest * 2.0**self._rests)
        self._rests += 1
        return True

    def abandoned(self) -> None:
        """A call ended without saying anything about the vendor, for instance because it was cancelled."""
        self._probing = False
