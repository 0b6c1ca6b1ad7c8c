"""Every component in every state, for those who build pages. Not served in production."""

from datetime import timedelta
from typing import Any, Final

from litestar import Controller, Response

from hostwright.web.answer import page, partials, toast
from hostwright.web.i18n import gettext, marked
from hostwright.web.inject import AnyRequest, Injected
from hostwright.web.openapi import page_get
from hostwright.web.render import renderer

STATES: Final = (
    ("running", marked("Running")),
    ("stopped", marked("Stopped")),
    ("building", marked("Building")),
    ("busy", marked("Restarting")),
    ("suspended", marked("Suspended")),
    ("failed", marked("Failed")),
    ("unknown", marked("Unknown")),
    ("gone", marked("Gone")),
)
GREYS: Final = (
    "background",
    "surface",
    "muted",
    "accent",
    "border",
    "muted-foreground",
    "foreground",
)
TRAFFIC_MONTHS: Final = ("Jun", "Jul", "Aug", "Sep", "Oct", "Nov")
TRAFFIC: Final = {
    "unit": "GB",
    "names": ["In", "Out"],
    "labels": TRAFFIC_MONTHS,
    "data": [
        [0, 1, 2, 3, 4, 5],
        [412, 508, 463, 731, 690, 344],
        [120, 96, 181, 240, 133, 75],
    ],
}


def no_link(**changes: object) -> str:
    """The list of the style page has one page only."""
    del changes
    return "/styleguide"


class StyleguidePages(Controller):
    """The style page."""

    path = "/styleguide"

    @page_get("")
    async def styleguide(self, request: AnyRequest, viewer: Injected[object]) -> Response[Any]:
        """All components."""
        del viewer
        now = renderer().now()
        context = {
            "states": STATES,
            "greys": GREYS,
            "traffic": TRAFFIC,
            "no_link": no_link,
            "systems": (
                "Ubuntu 24.04",
                "Debian 13",
                "AlmaLinux 10",
                "Rocky Linux 10",
                "Fedora 43",
                "Windows Server",
                "Other",
            ),
            "countries": ("nl", "de", "fi", "us", "sg", "gb", "xx"),
            "times": (
                now - timedelta(seconds=20),
                now - timedelta(minutes=12),
                now - timedelta(days=3),
                now - timedelta(days=90),
            ),
        }
        return page(request, "styleguide.html", context)

    @page_get("/toast")
    async def toast(self, request: AnyRequest, viewer: Injected[object]) -> Response[Any]:
        """A toast from the server, as an action sends it."""
        del viewer
        category = request.query_params.get("category", "success")
        renderer().shell(request)
        return partials(
            toast(
                category,
                gettext("Server restarted"),
                gettext("web-prod-01 is running again."),
            )
        )
