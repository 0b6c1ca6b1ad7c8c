"""Decorators for operations and pages: the id, who may call, the scope and the errors stand at the handler."""

from collections.abc import Callable, Iterable
from inspect import signature
from typing import Any, Final, Literal

from litestar import Litestar, Router, delete, get, patch, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.routes import BaseRoute
from litestar.types import ControllerRouterHandler

from hostwright.web.bodies import read_json
from hostwright.web.errors import ErrorOut

type Auth = Literal["public", "user", "admin", "api-key"]
type Decorator = Callable[[Callable[..., Any]], HTTPRouteHandler]

WORDS: Final = {
    400: "The request has fields that cannot be accepted; `details` names each. Or it must name a customer.",
    401: "Nobody is signed in, or the API key is not valid.",
    403: "Signed in, but not allowed; a key that lacks a scope gets `required_scope`.",
    404: "There is no such thing, or it is not yours.",
    409: "It cannot be done in the current state.",
    413: "The request is larger than 1 MB.",
    415: "The body is something else than JSON.",
    422: "The idempotency key was used with another body.",
    429: "A limit was reached; `Retry-After` says when it goes on.",
    502: "The answer of the upstream was lost or refused.",
    503: "Something we depend on does not answer; try again.",
}


def scopes_asked_for(app: Litestar) -> frozenset[str]:
    """Those that some operation names. Another one can stand in a key, but opens nothing yet."""
    handlers = (handler for route in app.routes for handler in getattr(route, "route_handlers", ()))
    return frozenset(handler.opt["scope"] for handler in handlers if handler.opt.get("scope"))


def _responses(errors: Iterable[int]) -> dict[int, ResponseSpec]:
    return {
        status: ResponseSpec(ErrorOut, description=WORDS[status], generate_examples=False)
        for status in sorted(set(errors))
    }


def _errors(auth: Auth, extra: Iterable[int], *, takes_body: bool) -> set[int]:
    always = {400, 401, 429, 503}  # a bad Authorization header is 401 on public routes too
    signed_in: set[int] = set() if auth == "public" else {403}
    of_bodies: set[int] = {413, 415} if takes_body else set()
    return always | signed_in | of_bodies | set(extra)


def _ways(auth: Auth, scope: str | None) -> list[dict[str, list[str]]]:
    if auth == "public":
        return []
    ways = [] if auth == "api-key" else ["session"]
    return [{way: []} for way in ([*ways, "key"] if scope else ways)]


def _operation(  # noqa: PLR0913  each is a fact that the document shows
    method: Callable[..., Any],
    path: str,
    *,
    op: str,
    summary: str,
    auth: Auth = "user",
    scope: str | None = None,
    errors: Iterable[int] = (),
    status: int = 200,
    tag: str,
    **more: Any,
) -> Decorator:
    described = f"{summary}." if scope is None else f"{summary}. API keys need the scope `{scope}`."
    if scope is None and auth != "public":
        described += " API keys are refused."

    def decorate(handler: Callable[..., Any]) -> HTTPRouteHandler:
        takes_body = "data" in signature(handler).parameters
        return method(
            path,
            operation_id=op,
            summary=summary,
            description=described,
            status_code=status,
            opt={"auth": auth, "scope": scope, "op": op},
            responses=_responses(_errors(auth, errors, takes_body=takes_body)),
            security=_ways(auth, scope),
            tags=[tag],
            raises=[],
            before_request=read_json if takes_body else None,
            **more,
        )(handler)

    return decorate


def get_op(path: str, **facts: Any) -> Decorator:
    """A reading operation."""
    return _operation(get, path, **facts)


def post_op(path: str, **facts: Any) -> Decorator:
    """A writing operation; 200 unless ``status`` says otherwise."""
    return _operation(post, path, **facts)


def put_op(path: str, **facts: Any) -> Decorator:
    """A replacing operation."""
    return _operation(put, path, **facts)


def patch_op(path: str, **facts: Any) -> Decorator:
    """A changing operation."""
    return _operation(patch, path, **facts)


def delete_op(path: str, *, status: int = 204, **facts: Any) -> Decorator:
    """A deleting operation; answers 204 unless ``status`` says otherwise."""
    return _operation(delete, path, status=status, **facts)


class _DocumentRouter(Router):
    """Serves the document alone: Litestar would answer unknown paths beside it with a page of its own."""

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        if "/{path:str}" in getattr(value, "paths", ()):
            return []
        return super().register(value)


def document_router() -> Router:
    """Where the API's document is: ``/api/openapi.json``, and ``/api`` itself."""
    return _DocumentRouter("/api", route_handlers=[], include_in_schema=False, opt={"auth": "public"})


def page_get(path: str | list[str], *, auth: Auth = "user") -> Decorator:
    """A page. Not part of the API's document."""
    return get(path, opt={"auth": auth, "page": True}, include_in_schema=False)


def page_post(path: str | list[str], *, auth: Auth = "user") -> Decorator:
    """A form's target: answers a block, or 303 to a page."""
    return post(path, opt={"auth": auth, "page": True}, status_code=200, include_in_schema=False)
