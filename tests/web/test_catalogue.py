"""The German catalogue holds what the code says: nothing is missing, left over, empty or a guess."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import cast

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
GERMAN = ROOT / "src/hostwright/web/locale/de/LC_MESSAGES/hostwright.po"


def extracted(target: Path) -> bytes:
    """What `pybabel extract` finds, with the options that CONTRIBUTING names."""
    options = ["-q", "extract", "-F", "babel.cfg", "-k", "marked", "--no-location", "--sort-output"]
    pybabel = Path(sys.executable).with_name("pybabel")
    subprocess.run([pybabel, *options, "-o", target, "."], cwd=ROOT, check=True, capture_output=True)
    return b"\n".join(line for line in target.read_bytes().splitlines() if b"-Date:" not in line)


def ids(catalogue: Catalog) -> set[str]:
    return {message.id if isinstance(message.id, str) else message.id[0] for message in catalogue if message.id}


def test_every_message_has_a_german_one_and_none_is_left_over(tmp_path: Path) -> None:
    first = extracted(tmp_path / "first.pot")
    assert extracted(tmp_path / "second.pot") == first
    with (tmp_path / "first.pot").open("rb") as file:
        wanted = ids(read_po(file))
    with GERMAN.open("rb") as file:
        german = read_po(file, locale="de")
    assert len(wanted) > 200
    assert wanted - ids(german) == set()
    assert ids(german) - wanted == set()
    words = {message.id: cast("str | tuple[str, ...]", message.string) for message in german if message.id}
    assert [key for key, text in words.items() if not all([text] if isinstance(text, str) else text)] == []
    assert [message.id for message in german if message.id and message.fuzzy] == []
