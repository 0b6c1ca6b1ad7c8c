"""What the program logs, as an operator sees it: JSON lines, already redacted."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import structlog

from hostwright.core import logs
from hostwright.core.config import Config, Environment


class Lines:
    """Everything that was logged since the beginning."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        """As it was written."""
        return self._stream.getvalue()

    def all(self) -> list[dict[str, Any]]:
        """Each line."""
        return [json.loads(line) for line in self.text.splitlines()]

    def named(self, event: str) -> list[dict[str, Any]]:
        """Lines of one event."""
        return [line for line in self.all() if line["event"] == event]


def speak_plainly() -> None:
    """Tests print logs without the default's coloured tracebacks, which take 0.4 s each."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ]
    )


@contextmanager
def logged(level: str = "debug") -> Generator[Lines]:
    """Log into memory, from ``level`` on."""
    root = logging.getLogger()
    handlers, before = root.handlers[:], root.level
    logs.configure(Config(environment=Environment.TEST, log_level=level))
    stream = io.StringIO()
    cast("Any", root.handlers[0]).setStream(stream)
    try:
        yield Lines(stream)
    finally:
        root.handlers[:] = handlers
        root.setLevel(before)
        structlog.reset_defaults()
        speak_plainly()
