"""Logs: structlog events with request and job ids, as JSON or for a console, through one redacting pipe."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, cast

import structlog

from hostwright.core.config import Config

HIDDEN: Final = "[hidden]"

SECRET_KEY: Final = re.compile(
    r"pass(word|wd|phrase)|secret|token|authori[sz]ation|cookie|credential|api_?key|dsn|private|^keys?$|"
    r"^(e_?mail|username|full_?name|phone|payload|headers?|body)$",
    re.IGNORECASE,
)
KEY_SUFFIX: Final = re.compile(r"_keys?$", re.IGNORECASE)
HARMLESS: Final = frozenset({"stream_key", "dedupe_key", "token_count", "public_key"})

PATTERNS: Final = (
    (re.compile(r"\bhw_[A-Za-z0-9_-]{8,}"), HIDDEN),
    (re.compile(r"\b(Bearer|Basic)\s+[^\s\"',]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"(://)[^\s/@:]*:[^\s/@]+@"), rf"\1{HIDDEN}@"),
    (
        re.compile(
            r"\b([a-z_-]*(?:password|passwd|token|secret|api_?key|cookie))([\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;]+",
            re.IGNORECASE,
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]+"), HIDDEN),
    (re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"), HIDDEN),
)


def redact_text(text: str) -> str:
    """A text without keys, tokens, passwords in addresses, and e-mail addresses."""
    for pattern, instead in PATTERNS:
        text = pattern.sub(instead, text)
    return text


def _is_secret(name: object) -> bool:
    text = str(name)
    return text not in HARMLESS and bool(SECRET_KEY.search(text) or KEY_SUFFIX.search(text))


def redacted(value: object) -> Any:
    """A value without secrets: by the names of its keys, and by the look of its texts."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {name: HIDDEN if _is_secret(name) else redacted(part) for name, part in items}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(part) for part in cast("list[object]", value)]
    if isinstance(value, bytes | bytearray | memoryview):
        return HIDDEN
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact_text(str(value))


KEPT: Final = frozenset({"_record", "_from_structlog"})


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The processor."""
    for name, value in event.items():
        if name not in KEPT:
            event[name] = HIDDEN if _is_secret(name) else redacted(value)
    return event


def configure(config: Config) -> None:
    """Send everything, other libraries' logs too, through one handler to stdout. May be called again."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=config.environment != "test",
    )
    last: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if config.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, last],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(config.log_level.upper())
    _tame_libraries()


def _tame_libraries() -> None:
    """Libraries with handlers of their own use ours; chatty ones speak from warnings on."""
    for name in ("_granian", "granian", "granian.access", "uvicorn", "uvicorn.error", "uvicorn.access", "litestar"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
    for name in ("asyncio", "aiohttp.access", "asyncpg"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # The queue's library logs tracebacks of jobs, which we log ourselves, redacted and with ids.
    logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)


def error_text(error: BaseException) -> str:
    """One line for staff: the kind of error and its first line, without secrets and without a database's row values."""
    lines = str(error).strip().splitlines()
    first = redact_text(lines[0])[:300] if lines else ""
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
