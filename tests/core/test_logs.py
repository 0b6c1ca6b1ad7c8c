"""Logs hold no secrets."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import structlog

from hostwright.core import logs, sentry
from tests.support.logs import Lines

SECRETS = {
    "password": "kV7-tulip",
    "newPassword": "kV7-tulip",
    "authorization": "Bearer kV7-tulip",
    "set-cookie": "hw_session=kV7-tulip",
    "api_key": "kV7-tulip",
    "signing_key": "kV7-tulip",
    "email": "ada@example.com",
    "full_name": "kV7-tulip",
}
TEXTS = (
    "called with hw_kV7tulip_0123456789",
    "Authorization: Bearer kV7-tulip",
    "postgresql://hostwright:kV7-tulip@db.internal/x",
    '{"token": "kV7-tulip"}',
    "password=kV7-tulip&next=/",
    "eyJhbGciOiJIUzI1NiJ9.kV7-tulip.c2ln",
    "mail to kV7-tulip@example.com failed",
)


def test_secrets_are_hidden_by_name_and_by_look(log_lines: Lines) -> None:
    log = structlog.get_logger("test")
    log.info("user.signed_in", user_id=5, stream_key="user:5", nested={"deep": [SECRETS]}, **SECRETS)
    for text in TEXTS:
        log.info(text, detail=text, url=text)
    assert "tulip" not in log_lines.text
    assert "ada@" not in log_lines.text
    first = log_lines.all()[0]
    assert first["user_id"] == 5
    assert first["stream_key"] == "user:5"
    assert first["level"] == "info"
    assert first["event"] == "user.signed_in"


def test_ids_are_bound_and_tracebacks_are_redacted(log_lines: Lines) -> None:
    structlog.contextvars.bind_contextvars(request_id="r-1", job_id=9)
    try:
        try:
            message = "cannot use token=kV7-tulip"
            raise ValueError(message)
        except ValueError:
            structlog.get_logger("test").exception("job.failed")
    finally:
        structlog.contextvars.clear_contextvars()
    found = log_lines.all()[0]
    assert found["request_id"] == "r-1"
    assert found["job_id"] == 9
    assert "ValueError" in found["exception"]
    assert "tulip" not in log_lines.text


@pytest.mark.parametrize("name", ["_granian", "uvicorn.error", "litestar", "asyncpg", "anything.else"])
def test_other_libraries_go_through_it(log_lines: Lines, name: str) -> None:
    logging.getLogger(name).warning("failed for %s", "Bearer kV7-tulip")
    found = log_lines.all()
    assert found[0]["logger"] == name
    assert "tulip" not in log_lines.text


def test_the_error_tracker_gets_no_secrets() -> None:
    event: Any = {
        "request": {"url": "https://a/b", "headers": {"Cookie": "x"}, "cookies": {"a": "b"}, "data": {"password": "x"}},
        "user": {"email": "a@b.example"},
        "exception": {"values": [{"type": "E", "value": "Bearer kV7-tulip"}]},
        "extra": {"token": "kV7-tulip"},
    }
    sent = sentry.before_send(event, {})
    assert sent is not None
    assert sent.get("request") == {"url": "https://a/b"}
    assert "tulip" not in str(sent)
    assert "user" not in sent


def test_an_error_for_staff_is_one_clean_line() -> None:
    text = logs.error_text(ValueError("no token=kV7-tulip\nDETAIL: Key (email)=(a@b.example)"))
    assert text == "ValueError: no token=[hidden]"
    assert logs.error_text(KeyError()) == "KeyError"
