"""One figure beside its budget; the table; `bench/results.json`."""

from __future__ import annotations

from pathlib import Path

import msgspec

TARGET = Path(__file__).parent / "results.json"


class Row(msgspec.Struct):
    """A figure. ``ratio`` is value to baseline, measured in the same run; ``budget`` is in words."""

    name: str
    value: float
    unit: str
    baseline: float | None
    ratio: float | None
    budget: str
    holds: bool


def at_most(name: str, value: float, unit: str, limit: float) -> Row:
    """A figure that must not pass ``limit``."""
    return Row(name, round(value, 3), unit, None, None, f"at most {limit:g} {unit}", value <= limit)


def at_least_share(name: str, value: float, unit: str, baseline: float, share: float) -> Row:
    """A figure that must reach a share of its baseline."""
    ratio = value / baseline if baseline else 0.0
    budget = f"at least {share:.0%}"
    return Row(name, round(value, 1), unit, round(baseline, 1), round(ratio, 3), budget, ratio >= share)


def at_most_times(name: str, value: float, unit: str, baseline: float, times: float) -> Row:
    """A figure that must stay within so many times its baseline."""
    ratio = value / baseline if baseline else float("inf")
    return Row(name, round(value, 3), unit, round(baseline, 3), round(ratio, 2), f"at most {times:g}×", ratio <= times)


def show(rows: list[Row]) -> str:
    """The table as Markdown."""
    lines = ["| What | Figure | Baseline | Ratio | Budget | Holds |", "|---|---|---|---|---|---|"]
    for row in rows:
        baseline = "" if row.baseline is None else f"{row.baseline:g} {row.unit}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        holds = "yes" if row.holds else "**no**"
        lines.append(f"| {row.name} | {row.value:g} {row.unit} | {baseline} | {ratio} | {row.budget} | {holds} |")
    return "\n".join(lines)


def write(rows: list[Row]) -> None:
    """Leave the figures for others to read."""
    TARGET.write_bytes(msgspec.json.format(msgspec.json.encode({"rows": rows})) + b"\n")
