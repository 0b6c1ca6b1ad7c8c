"""The language that a browser asks for."""

from __future__ import annotations

from hostwright.web import i18n


def test_headers_that_anybody_can_send_are_not_kept_for_ever() -> None:
    for number in range(2000):
        i18n._accepted(f"x{number};q=0.1")
    assert i18n._accepted.cache_info().currsize <= 512


def test_the_best_language_that_we_speak() -> None:
    assert i18n._accepted("fr;q=0.9, de-AT;q=0.8, en;q=0.5") == "de"
    assert i18n._accepted("fr, it") is None
    assert i18n._accepted("de;q=x, en") == "en"
