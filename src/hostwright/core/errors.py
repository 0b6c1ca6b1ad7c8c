"""Expected failures. Each carries a stable code for programs, a status, and a message that is safe to show."""

from __future__ import annotations

from typing import Final

import msgspec


class FieldProblem(msgspec.Struct, frozen=True):
    """One field of a request that cannot be accepted."""

    field: str
    message: str


class AppError(Exception):
    """Base of everything that a caller may be told. ``message`` is shown to people, ``code`` is for programs."""

    code: str = "internal_error"
    status: int = 500
    default_message: str = "Something went wrong on our side. Nothing was changed."

    def __init__(self, message: str | None = None, *, code: str | None = None, details: object = None) -> None:
        self.message = message or self.default_message
        self.code = code or self.code
        self.details = details
        super().__init__(self.message)


class BadRequest(AppError):
    code = "bad_request"
    status = 400
    default_message = "The request cannot be understood."


class Invalid(AppError):
    """A request whose fields do not pass; ``problems`` has one entry per field. 400 for programs, 422 for forms."""

    code = "invalid_request"
    status = 400
    default_message = "Some fields need attention."

    def __init__(self, problems: list[FieldProblem], message: str | None = None) -> None:
        self.problems = problems
        super().__init__(message, details=problems)


class Unauthorized(AppError):
    code = "unauthorized"
    status = 401
    default_message = "Sign in to do this."


class Forbidden(AppError):
    code = "forbidden"
    status = 403
    default_message = "You may not do this."


class InvalidScope(Forbidden):
    """A key that lacks the scope of an operation; the answer names it as ``required_scope``."""

    code = "invalid_scope"

    def __init__(self, required_scope: str) -> None:
        self.required_scope: Final = required_scope
        super().__init__("The API key does not have the required scope.")


class NotFound(AppError):
    code = "not_found"
    status = 404
    default_message = "There is nothing here."


class Conflict(AppError):
    code = "conflict"
    status = 409
    default_message = "This cannot be done in the current state."


class BodyTooLarge(AppError):
    """More bytes arrived, or were announced, than a request may have."""

    code = "request_too_large"
    status = 413
    default_message = "The request is larger than 1 MB."


class TooManyRequests(AppError):
    """Refused by a limit; ``retry_after`` is in whole seconds."""

    code = "rate_limited"
    status = 429
    default_message = "Too many requests. Wait a moment and try again."

    def __init__(self, retry_after: int, message: str | None = None) -> None:
        self.retry_after = max(1, retry_after)
        super().__init__(message)


class Unavailable(AppError):
    """Something that we depend on does not answer; trying again later helps."""

    code = "unavailable"
    status = 503
    default_message = "This is not available right now. Nothing was changed. Try again in a moment."

    def __init__(self, message: str | None = None, *, code: str | None = None, retry_after: int = 5) -> None:
        self.retry_after = retry_after
        super().__init__(message, code=code)
