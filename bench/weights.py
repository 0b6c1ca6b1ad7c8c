"""What browsers have to load, after gzip."""

from __future__ import annotations

import gzip

import msgspec

from bench.results import Row, at_most
from hostwright.web.render import STATIC


def _kilobytes(*files: str) -> float:
    return sum(len(gzip.compress((STATIC / file).read_bytes(), 9)) for file in files) / 1000


def measure() -> list[Row]:
    """Scripts of a normal page, with graphs, and the styles."""
    manifest = msgspec.json.decode((STATIC / "manifest.json").read_bytes())
    normal = [manifest["app.js"], *manifest["app.js:imports"], manifest["theme.js"]]
    graphs = {*normal, manifest["charts.js"], *manifest["charts.js:imports"]}
    return [
        at_most("JavaScript of a normal page, gzip", _kilobytes(*normal), "kB", 25),
        at_most("JavaScript of a page with graphs, gzip", _kilobytes(*graphs), "kB", 50),
        at_most("CSS, gzip", _kilobytes(manifest["app.css"]), "kB", 32),
    ]
