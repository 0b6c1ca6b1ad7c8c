"""Error tracking, only when SENTRY_DSN is set. What is sent holds no cookies, headers, bodies or personal text."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import structlog

from hostwright import __version__
from hostwright.core.config import Config
from hostwright.core.errors import AppError
from hostwright.core.logs import redacted

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

FLUSH_SECONDS: Final = 5.0
SAMPLE_RATE: Final = 0.1
IDS: Final = ("request_id", "job_id", "user_id")
DROPPED: Final = ("cookies", "headers", "data", "env", "query_string")

_configured: set[str] = set()


def before_send(event: Event, hint: Hint) -> Event | None:
    """Leave expected failures out, name the request or the job, and take out what could hold a secret."""
    raised = hint.get("exc_info")
    if raised is not None and isinstance(raised[1], AppError):
        return None
    bound = structlog.contextvars.get_contextvars()
    event.setdefault("tags", {}).update({name: str(bound[name]) for name in IDS if name in bound})
    return without_secrets(event, hint)


def without_secrets(event: Event, hint: Hint) -> Event:
    """Take out of an event or a trace what could hold a secret."""
    del hint
    found: dict[str, Any] = event  # pyright: ignore[reportAssignmentType]  a TypedDict, worked on as a dict
    request = found.get("request")
    if isinstance(request, dict):
        for name in DROPPED:
            request.pop(name, None)  # pyright: ignore[reportUnknownMemberType]
    found.pop("user", None)
    for name in ("extra", "contexts", "breadcrumbs", "exception", "message", "logentry"):
        if name in found:
            found[name] = redacted(found[name])
    return event


def configure(config: Config, role: str) -> None:
    """Switch it on for this process when there is a DSN."""
    if config.sentry_dsn is None:
        return
    import sentry_sdk  # noqa: PLC0415  300 ms that most installations need not spend
    from sentry_sdk.integrations.logging import LoggingIntegration  # noqa: PLC0415

    sentry_sdk.init(
        dsn=config.sentry_dsn,
        environment=config.environment.value,
        release=f"hostwright@{__version__}",
        traces_sample_rate=SAMPLE_RATE,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        before_send=before_send,
        before_send_transaction=without_secrets,
        integrations=[LoggingIntegration(event_level=None)],  # a log line about an error would be a second event
        shutdown_timeout=FLUSH_SECONDS,
    )
    sentry_sdk.set_tag("role", role)
    _configured.add(role)


@contextmanager
def job(name: str) -> Generator[None]:
    """A transaction named by the job; does nothing without Sentry."""
    if not _configured:
        yield
        return
    import sentry_sdk  # noqa: PLC0415

    with sentry_sdk.isolation_scope(), sentry_sdk.start_transaction(op="queue.process", name=name):
        yield


def capture(error: BaseException, job_name: str | None = None) -> None:
    """Report an unexpected error under its job's name; does nothing without Sentry."""
    if not _configured:
        return
    import sentry_sdk  # noqa: PLC0415

    with sentry_sdk.new_scope() as scope:
        if job_name is not None:
            scope.set_transaction_name(job_name)
        scope.capture_exception(error)


def flush() -> None:
    """Send what waits, at most five seconds, before the process ends."""
    if _configured:
        import sentry_sdk  # noqa: PLC0415

        # Closed, not only flushed: the library would wait another five seconds when Python ends.
        sentry_sdk.get_client().close(timeout=FLUSH_SECONDS)
