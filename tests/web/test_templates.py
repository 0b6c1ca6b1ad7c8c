"""What the content security policy blocks does not stand in a template, and no template is broken."""

from __future__ import annotations

import re
from pathlib import Path

import jinja2
import pytest

SOURCE = Path(__file__).parents[2] / "src" / "hostwright"
TEMPLATES = sorted(SOURCE.glob("*/templates/**/*.html"))
FORBIDDEN = {
    "an inline style": re.compile(r"""\sstyle\s*="""),
    "an inline handler": re.compile(r"""\son[a-z]+\s*="""),
    "hx-on": re.compile(r"""\bhx-on[:\s=]"""),
    "a javascript address": re.compile(r"""["'\s](javascript|js):"""),
    "a trigger filter": re.compile(r"""hx-trigger="[^"]*\["""),
    "an inline script": re.compile(r"""<script(?![^>]*\b(src=|type="application/json"))"""),
    "a style element": re.compile(r"""<style\b"""),
    "the safe filter": re.compile(r"""\|\s*safe\b"""),
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_nothing_that_the_policy_blocks(template: Path) -> None:
    text = template.read_text()
    found = [name for name, pattern in FORBIDDEN.items() if pattern.search(text)]
    assert found == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_the_template_can_be_parsed(template: Path) -> None:
    jinja2.Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(template.read_text())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_posting_form_carries_the_token(template: Path) -> None:
    for form in re.findall(r'<form[^>]*method="post".*?</form>', template.read_text(), re.DOTALL):
        assert "csrf" in form


PARTS = [
    (path, found)
    for path in TEMPLATES
    for element in re.findall(r"<\w+(?:\s[^<>]*?)?\sdata-(?:refresh|about)\b[^<>]*", path.read_text())
    for found in re.findall(r'\sid="([\w-]+?)(?:-?\{\{[^"]*)?"', element)
]


@pytest.mark.parametrize(("template", "part"), PARTS, ids=[f"{path.stem}-{part}" for path, part in PARTS])
def test_what_is_fetched_again_alone_is_a_block(template: Path, part: str) -> None:
    block = f"{{% block {part.replace('-', '_')}"
    assert any(block in other.read_text() for other in template.parent.glob("*.html"))
