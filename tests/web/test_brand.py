"""Every colour pair of the brand can be read, whatever the company's colour is."""

from __future__ import annotations

import pytest

from hostwright.web import brand

COLOURS = ("#ffe600", "#000000", "#ffffff", "#e11d48", "#22c55e", "#0ea5e9", "#4f46e5")
ROUNDING = 0.05  # of two hex digits


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(
    ("theme", "ground", "surface"),
    [
        (brand.light, brand.LIGHT_GROUND, brand.WHITE),
        (brand.dark, brand.DARK_GROUND, brand.DARK_SURFACE),
    ],
)
def test_every_pair_holds(colour: str, theme, ground: brand.Linear, surface: brand.Linear) -> None:
    values = theme(colour)
    assert brand.contrast(brand.linear(values.fill), brand.linear(values.on_fill)) >= brand.TEXT - ROUNDING
    assert brand.contrast(brand.linear(values.text), ground) >= brand.TEXT - ROUNDING
    assert brand.contrast(brand.linear(values.text), surface) >= brand.TEXT - ROUNDING
    assert brand.contrast(brand.linear(values.edge), surface) >= brand.LINE - ROUNDING


def test_a_colour_that_can_be_read_is_kept() -> None:
    assert brand.light("#4f46e5").fill == "#4f46e5"
    assert brand.light("#ffe600").fill == "#ffe600"


def test_oklch_and_back_is_the_same_colour() -> None:
    for colour in COLOURS:
        assert brand.as_hex(brand.to_linear(brand.to_lch(brand.linear(colour)))) == colour


def test_the_sheet_is_named_by_its_content() -> None:
    one, other = brand.BrandFiles.of("#4f46e5", "Northwind"), brand.BrandFiles.of("#e11d48", "Northwind")
    assert one.sheet_url != other.sheet_url
    assert one.sheet.startswith(":root{--brand:#4f46e5;")
    assert "N</text>" in one.icon


def test_the_icon_escapes_the_company() -> None:
    assert "&lt;</text>" in brand.mark("#4f46e5", "<b>")


@pytest.mark.parametrize("colour", ["red", "#fff", "#12345g", "4f46e5"])
def test_anything_else_is_refused(colour: str) -> None:
    with pytest.raises(ValueError, match="a colour looks like"):
        brand.linear(colour)
