"""Pages, blocks, kept fragments and languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from litestar import Request, Response, get
from litestar.params import FromPath
from litestar.testing import TestClient, create_test_client

from hostwright.core.config import Config, Environment
from hostwright.web import formats, i18n
from hostwright.web.answer import answer, page
from hostwright.web.icons import UnknownIcon
from hostwright.web.render import Renderer, render, renderer, set_shell_parts
from hostwright.web.shell import NavGroup, NavItem

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Somebody(msgspec.Struct, frozen=True):
    full_name: str = "Anna <b>Kovac</b>"
    email: str = "anna@example.org"
    customer_id: int = 1
    customer_name: str = "Northwind GmbH"
    is_staff: bool = False
    language: str = ""


class Part:
    def groups(self, viewer: Any, counts: Mapping[str, int]) -> Sequence[NavGroup]:
        items = (NavItem(icon="server", label=i18n.gettext("Servers"), url="/servers", count=counts.get("servers")),)
        return [NavGroup(i18n.gettext("Services"), items)]

    async def counts(self, db: Any, viewer: Any) -> Mapping[str, int]:
        return {"servers": 3}


@get("/servers/{number:int}")
async def shown(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[Any]:
    request.scope["state"].update(viewer=Somebody(), csrf="token-1", request_id="r1", counts={"servers": number})
    context = {"status": 404, "title": "T", "message": "M <i>", "hint": "H"}
    return page(request, "error.html", context)


@get("/sign-in")
async def form(request: Request[Any, Any, Any]) -> Response[Any]:
    context = {"values": {"username": "a<b"}, "errors": {"username": "Too short."}, "next": "/x"}
    return page(request, "identity/sign_in.html", context, status=422)


@get("/answer")
async def answered(request: Request[Any, Any, Any]) -> Response[Any]:
    return answer(request, "identity/sign_in.html", {"values": {}, "errors": {}, "next": ""}, otherwise="/done")


@get("/plain")
async def plain(request: Request[Any, Any, Any]) -> Response[Any]:
    return render(request, "identity/register.html", {"values": {}, "errors": {}, "next": ""})


@pytest.fixture
def pages() -> Iterator[TestClient[Any]]:
    set_shell_parts(Config(environment=Environment.TEST, company_name="Northwind"), [Part()])
    with create_test_client([shown, form, answered, plain]) as client:
        yield client


def test_a_page_escapes_names_and_marks_the_place(pages: TestClient[Any]) -> None:
    text = pages.get("/servers/7").text
    assert "Anna &lt;b&gt;Kovac" in text
    assert "M &lt;i&gt;" in text
    assert '<a class="side-link" href="/servers" aria-current="page">' in text
    assert 'name="csrf" value="token-1"' in text
    assert '<span class="count" translate="no">7</span>' in text


def test_counts_change_the_kept_sidebar(pages: TestClient[Any]) -> None:
    assert ">7</span>" in pages.get("/servers/7").text
    assert ">8</span>" in pages.get("/servers/8").text


def test_a_refused_form_comes_back_filled_in(pages: TestClient[Any]) -> None:
    response = pages.get("/sign-in")
    assert response.status_code == 422
    assert 'value="a&lt;b"' in response.text
    assert 'aria-describedby="username-error"' in response.text
    assert "data-focus" in response.text


def test_htmx_gets_the_block_of_its_target(pages: TestClient[Any]) -> None:
    headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "section#form"}
    response = pages.get("/sign-in", headers=headers)
    assert response.text.startswith('<section class="plain-card" id="form">')
    assert response.headers["vary"] == "HX-Request, HX-Target"
    assert response.headers["cache-control"] == "private, no-cache"
    assert pages.get("/sign-in", headers={**headers, "HX-Request-Type": "full"}).text.startswith("<!doctype html>")


def test_an_answer_redirects_a_plain_browser(pages: TestClient[Any]) -> None:
    response = pages.get("/answer", follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (303, "/done")
    headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "section#form"}
    assert pages.get("/answer", headers=headers).status_code == 200


def test_languages_come_from_cookie_then_browser(pages: TestClient[Any]) -> None:
    assert '<html lang="de"' in pages.get("/plain", headers={"Accept-Language": "fr;q=0.9, de-AT;q=0.8, en;q=0.5"}).text
    assert "Konto erstellen" in pages.get("/plain", headers={"Cookie": "hw_lang=de"}).text
    assert "Create an account" in pages.get("/plain", headers={"Cookie": "hw_lang=xx"}).text


def test_the_pseudo_locale_marks_what_is_wrapped(pages: TestClient[Any]) -> None:
    text = pages.get("/plain", headers={"Cookie": "hw_lang=qps"}).text
    assert "⟦Créåté åñ åççöüñt" in text
    assert '<html lang="en"' in text


def test_the_theme_is_set_before_anything_is_painted(pages: TestClient[Any]) -> None:
    assert ' class="dark">' in pages.get("/plain", headers={"Cookie": "hw_theme=dark"}).text.partition("<head>")[0]
    head = pages.get("/plain").text
    assert head.index("theme-") < head.index("stylesheet")


def test_a_fragment_is_rendered_once_per_record_and_language(pages: TestClient[Any]) -> None:
    groups = (NavGroup("A", ()),)
    one = renderer().cached_fragment("shell/navigation.html", groups, "/x")
    assert renderer().cached_fragment("shell/navigation.html", (NavGroup("A", ()),), "/x") is one


def test_an_icon_that_was_not_built_is_an_error(pages: TestClient[Any]) -> None:
    with pytest.raises(UnknownIcon):
        renderer().icons.icon("no-such-icon")


def test_flags_and_systems_that_are_not_known_have_a_picture(pages: TestClient[Any]) -> None:
    icons = renderer().icons
    assert "#globe" in icons.flag(None)
    assert "#f-nl" in icons.flag("NL")
    assert "#os-ubuntu" in icons.system("Ubuntu 24.04 LTS")
    assert "#os-linux" in icons.system(None)


def test_every_string_is_said_in_german() -> None:
    catalogue: Any = i18n.catalogue("de")
    messages = {key for key in catalogue._catalog if key}
    assert messages
    assert [key for key in messages if not catalogue._catalog[key]] == []


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(seconds=-20), "just now"),
        (timedelta(minutes=-12), "12 minutes ago"),
        (timedelta(hours=3), "in 3 hours"),
        (timedelta(days=-3), "3 days ago"),
        (timedelta(days=-90), "Aug 26, 2026"),
    ],
)
def test_times_are_told_relative_with_the_exact_one(distance: timedelta, words: str) -> None:
    i18n.LANG.set("en")
    text = formats.ago(NOW + distance, NOW)
    assert f">{words}</time>" in text
    assert "UTC" in text


def test_sizes() -> None:
    i18n.LANG.set("en")
    assert formats.mebibytes(8192) == "8\u00a0GB"
    assert formats.mebibytes(1536) == "1.5\u00a0GB"
    assert formats.mebibytes(512) == "512\u00a0MB"
    assert formats.byte_size(1_240_000_000_000) == "1.24\u00a0TB"
    assert formats.byte_size(None) == "\u2013"
    i18n.LANG.set("de")
    assert formats.number(1234567) == "1.234.567"
    i18n.LANG.set("en")


@pytest.mark.parametrize(
    ("agent", "text", "mobile"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/147 Safari/537", "Chrome on Linux", False),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19 Safari/604", "Safari on iPhone", True),
        ("curl/8.1", "curl", False),
        (None, "Unknown device", False),
    ],
)
def test_devices(agent: str | None, text: str, mobile: bool) -> None:
    i18n.LANG.set("en")
    assert formats.device(agent) == (text, mobile)


def test_production_has_no_pseudo_locale() -> None:
    assert Renderer(Config()).pseudo is False
