"""Errors as answers: one JSON shape for the API, a page in the design for people, no word of why a 500 happened."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import asyncpg
import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.params import ParameterKwarg
from litestar.utils.scope.state import ScopeState

from hostwright.core.errors import (
    AppError,
    BadRequest,
    FieldProblem,
    Invalid,
    InvalidScope,
    TooManyRequests,
    Unavailable,
)
from hostwright.web.bodies import field_problems, plain

log = structlog.get_logger(__name__)

type AnyRequest = Request[Any, Any, Any]

CODES: Final[Mapping[int, str]] = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    413: "request_too_large",
    415: "unsupported_media_type",
    429: "rate_limited",
}
MESSAGES: Final[Mapping[int, str]] = {
    400: "The request cannot be understood.",
    404: "There is nothing here.",
    405: "This address does not take that method.",
    413: "The request is too large.",
    415: "Send JSON with the content type application/json.",
}
UNSTORABLE: Final = ("22021", "22P05")  # a zero byte, which PostgreSQL's text cannot hold: Appendix A
BUSY_STATES: Final = ("08", "53", "57")  # connection, resources, operator intervention: PostgreSQL, Appendix A


class ErrorBody(msgspec.Struct, rename={"request_id": "requestId"}, omit_defaults=True):
    """Why a request was refused. ``code`` is stable; ``requestId`` names the request in our logs."""

    code: str
    message: str
    status: int
    request_id: str
    details: list[FieldProblem] | None = None
    required_scope: str | None = None


class ErrorOut(msgspec.Struct):
    """The shape of every error of the API."""

    error: ErrorBody


def wants_json(request: AnyRequest) -> bool:
    """The API speaks JSON; everything else is looked at by people."""
    return request.scope["path"].startswith(("/api/", "/health", "/metrics")) or request.scope["path"] == "/api"


def request_id(request: AnyRequest) -> str:
    """The id that stands in our logs and in the answer's ``X-Request-Id``."""
    return request.scope["state"].get("request_id", "")


def as_app_error(request: AnyRequest, error: Exception) -> AppError:
    """Whatever was raised, as something that may be shown."""
    if isinstance(error, AppError):
        return error
    if isinstance(error, ValidationException):
        return Invalid(_problems(request, error))
    if isinstance(error, HTTPException):
        known = AppError(MESSAGES.get(error.status_code, "The request was refused."))
        known.status = error.status_code
        known.code = CODES.get(error.status_code, "bad_request" if error.status_code < 500 else "internal_error")  # noqa: PLR2004
        return known
    if isinstance(error, asyncpg.PostgresError) and error.sqlstate in UNSTORABLE:
        return BadRequest("The request holds a character that cannot be stored.")
    if isinstance(error, asyncpg.PostgresError) and (error.sqlstate or "").startswith(BUSY_STATES):
        return Unavailable(code="database_busy")
    if isinstance(error, (asyncpg.InterfaceError, asyncpg.InternalClientError, ConnectionError, TimeoutError)):
        return Unavailable(code="database_busy")
    return AppError()


def _handler(request: AnyRequest) -> object:
    """The handler that was found for the request, None when there was none."""
    scope: Any = request.scope  # where no route was found it lacks the key
    return scope.get("route_handler")


def _problems(request: AnyRequest, error: ValidationException) -> list[FieldProblem]:
    """One entry per field. Of a body Litestar names only the first, so the body is looked at again, field by field."""
    extra = error.extra if isinstance(error.extra, list) else []
    data = getattr(_handler(request), "parsed_data_field", None)
    body = ScopeState.from_scope(request.scope).body
    if data is not None and isinstance(body, bytes) and any(entry.get("source") == "body" for entry in extra):
        return field_problems(data.annotation, body)
    found = [
        FieldProblem(_outer_name(request, str(entry.get("key", "body"))), plain(str(entry.get("message", ""))))
        for entry in extra
    ]
    return found or [FieldProblem("body", "must be a JSON object")]


def _outer_name(request: AnyRequest, name: str) -> str:
    """A parameter's name as callers write it, which is not always the handler's."""
    signature = getattr(_handler(request), "parsed_fn_signature", None)
    parameter = signature.parameters.get(name) if signature is not None else None
    mark = parameter.kwarg_definition if parameter is not None else None
    return mark.name if isinstance(mark, ParameterKwarg) and mark.name else name


def json_answer(request: AnyRequest, error: AppError) -> Response[bytes]:
    """The one JSON shape."""
    body = ErrorBody(
        code=error.code,
        message=error.message,
        status=error.status,
        request_id=request_id(request),
        details=error.problems if isinstance(error, Invalid) else None,
        required_scope=error.required_scope if isinstance(error, InvalidScope) else None,
    )
    return Response(
        msgspec.json.encode(ErrorOut(body)),
        status_code=error.status,
        media_type="application/json",
        headers={"Cache-Control": "no-store", **_headers(error)},
    )


def _headers(error: AppError) -> dict[str, str]:
    if isinstance(error, TooManyRequests | Unavailable):
        return {"Retry-After": str(error.retry_after)}
    if error.status == 401:  # noqa: PLR2004
        return {"WWW-Authenticate": "Bearer"}
    return {}


def _allowed_methods(raised: Exception) -> dict[str, str]:
    """A 405 names what the address takes."""
    found = raised.headers or {} if isinstance(raised, HTTPException) else {}
    return {name: value for name, value in found.items() if name.lower() == "allow"}


type PageMaker = Callable[[AnyRequest, AppError], Response[Any]]


def error_handlers(page: PageMaker) -> dict[Any, Any]:
    """Litestar's ``exception_handlers``; ``page`` makes the answer for people."""

    def handle(request: AnyRequest, raised: Exception) -> Response[Any]:
        error = as_app_error(request, raised)
        if isinstance(raised, AppError) and error.status >= 500:  # noqa: PLR2004
            log.warning("request.unavailable", path=request.scope["path"], code=error.code)
        elif error.status >= 500:  # noqa: PLR2004
            log.error("request.failed", path=request.scope["path"], code=error.code, exc_info=raised)
        answer = json_answer(request, error) if wants_json(request) else page(request, error)
        answer.headers.update({**_headers(error), **_allowed_methods(raised)})
        return answer

    return {HTTPException: handle, Exception: handle, 404: handle, 405: handle, 500: handle}
