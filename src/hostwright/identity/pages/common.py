"""What the pages of identity share: where to go, and forms that are shown again."""

from typing import Any, Final
from urllib.parse import urlsplit

from litestar import Response
from litestar.datastructures import Cookie
from litestar.response import Redirect

from hostwright.core.errors import AppError, Invalid
from hostwright.identity.records import Role
from hostwright.web.i18n import choose_language, gettext
from hostwright.web.inject import AnyRequest
from hostwright.web.messages import field_message
from hostwright.web.render import render, renderer

HOME: Final = "/servers"
STAFF_HOME: Final = "/admin/servers"


def home_of(role: Role) -> str:
    """Where the day begins: with one's own servers, for staff with everybody's."""
    return STAFF_HOME if role is Role.ADMIN else HOME


def safe_next(target: str | None, home: str) -> str:
    """Where to go after signing in: a path of ours, or home."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return home
    parts = urlsplit(target)
    return home if parts.scheme or parts.netloc or "\\" in target or not target.isprintable() else target


def go(target: str, cookies: list[Cookie] | None = None) -> Response[Any]:
    return Redirect(target, status_code=303, cookies=cookies or [])


def form(
    request: AnyRequest, template: str, values: dict[str, str], errors: dict[str, str], status: int
) -> Response[Any]:
    shown = {name: value for name, value in values.items() if name not in ("password", "csrf")}
    context = {"values": shown, "errors": errors, "next": values.get("next", "")}
    return render(request, template, context, status=status)


def field_errors(request: AnyRequest, error: AppError) -> dict[str, str]:
    choose_language(request, pseudo=renderer().pseudo)
    if isinstance(error, Invalid):
        return {problem.field: field_message(problem.message) for problem in error.problems}
    return {"": gettext(error.message)}
