"""Passwords: argon2id on two threads, so that sign-ins neither hold the loop nor starve the machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from hostwright.core.errors import TooManyRequests

MEMORY_KIB: Final = 19 * 1024
ITERATIONS: Final = 2
THREADS: Final = 2
MAX_WAITING: Final = 64
"""26 ms each on two threads: the last one waits under a second."""
HASHING_SHARE: Final = 4
"""Making passwords may take a quarter of the places: a flood of new accounts leaves room for those who sign in."""


class Passwords:
    """Hashes and verifies. Tests pass ``memory_kib=8, iterations=1``; everything else keeps the defaults."""

    def __init__(
        self, *, memory_kib: int = MEMORY_KIB, iterations: int = ITERATIONS, max_waiting: int = MAX_WAITING
    ) -> None:
        self._hasher = PasswordHasher(
            time_cost=iterations, memory_cost=memory_kib, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
        )
        self._threads: ThreadPoolExecutor | None = None
        self._max_waiting = max_waiting
        self._waiting = 0
        self._hashing = 0
        self._dummy = self._hasher.hash("nobody has this password")

    async def _run[T](self, work: Callable[[], T]) -> T:
        if self._waiting >= self._max_waiting:
            raise TooManyRequests(2)
        self._waiting += 1
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        future = self._threads.submit(work)
        # Counted until the thread is done: a caller that went away does not make its work cheaper.
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: loop.is_closed() or loop.call_soon_threadsafe(self._done))
        return await asyncio.wrap_future(future)

    def _done(self) -> None:
        self._waiting -= 1

    async def hash_password(self, password: str) -> str:
        """An encoded argon2id hash; raises `TooManyRequests` when too many wait."""
        if self._hashing >= max(1, self._max_waiting // HASHING_SHARE):
            raise TooManyRequests(2)
        self._hashing += 1
        try:
            return await self._run(lambda: self._hasher.hash(password))
        finally:
            self._hashing -= 1

    async def verify_password(self, encoded: str | None, password: str) -> bool:
        """Whether it is the password. With None (unknown user) it takes as long and says no."""
        return await self._run(lambda: self._verify(encoded, password))

    def _verify(self, encoded: str | None, password: str) -> bool:
        try:
            self._hasher.verify(encoded if encoded is not None else self._dummy, password)
        except (VerificationError, InvalidHashError):
            return False
        return encoded is not None

    def needs_rehash(self, encoded: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(encoded)

    def close(self) -> None:
        """Let the threads go; work in them is finished first. The next call makes new ones."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None
