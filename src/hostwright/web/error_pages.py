"""Errors for people: what happened, whether anything was lost, what to do. Needs no database."""

from typing import Any, Final
from urllib.parse import quote

from litestar import Request, Response
from litestar.response import Redirect

from hostwright.core.errors import AppError
from hostwright.web.errors import AnyRequest, request_id
from hostwright.web.i18n import choose_language, gettext
from hostwright.web.render import render, renderer

UNAUTHORIZED: Final = 401


def _words(error: AppError) -> tuple[str, str]:
    """Title and what to do, translated."""
    match error.status:
        case 403:
            return gettext("You may not see this"), gettext(
                "Ask an owner of your account or the company's support for access."
            )
        case 404:
            return gettext("There is nothing here"), gettext("Check the address, or go back to your servers.")
        case 405:
            return gettext("That does not work here"), gettext("Go back and use the buttons of the page.")
        case 409:
            return gettext("That cannot be done now"), gettext("Go back, look at the current state and try again.")
        case 413:
            return gettext("That is too large"), gettext("Send less than 1 MB.")
        case 429:
            return gettext("Too many tries"), gettext("Wait a moment and try again.")
        case 503:
            return gettext("We are busy"), gettext("Nothing was changed. Try again in a moment.")
        case status if status >= 500:  # noqa: PLR2004
            return gettext("Something broke on our side"), gettext(
                "Nothing was lost. Try again, and tell support the number below."
            )
        case _:
            return gettext("That did not work"), gettext("Go back and try again.")


def error_page(request: AnyRequest, error: AppError) -> Response[Any]:
    """The page for an error, or its message for htmx. Who is not signed in is asked to, and comes back afterwards."""
    if error.status == UNAUTHORIZED:
        return _to_sign_in(request)
    choose_language(request, pseudo=renderer().pseudo)  # the handler may not have got as far
    message = gettext(error.message)
    if request.headers.get("hx-request"):
        # htmx swaps no errors; our script says what happened in a toast.
        return Response("", status_code=error.status, headers={"Hostwright-Message": quote(message)})
    title, hint = _words(error)
    context = {
        "status": error.status,
        "title": title,
        "message": message,
        "hint": hint,
        "request_id": request_id(request),
    }
    return render(request, "error.html", context, status=error.status)


def _to_sign_in(request: Request[Any, Any, Any]) -> Response[Any]:
    target = "/sign-in"
    if request.method == "GET" and not request.headers.get("hx-request"):
        path = request.scope["path"]
        query = request.scope["query_string"].decode("latin-1")
        if path != "/":
            target += "?next=" + quote(path + ("?" + query if query else ""), safe="/")
    if request.headers.get("hx-request"):
        return Response("", status_code=UNAUTHORIZED, headers={"HX-Redirect": target})
    if request.headers.get("accept", "").startswith("text/event-stream"):
        return Response("", status_code=UNAUTHORIZED)
    return Redirect(target, status_code=303)
