"""Databases to give orders about, and data folders."""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from hostwright.cli.main import main
from hostwright.core.crypto import new_key

from .programs import clean, open_folder, running_demo

type Order = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Order:
    """Carries out a command within this process, which saves it the start; the environment holds what is given."""

    def carry_out(*arguments: str, said: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(os, "environ", clean(environment))
        monkeypatch.setattr("sys.stdin", io.StringIO(said))
        try:
            code = main(arguments)
        except SystemExit as error:
            code = int(error.code or 0)
        output = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, output.out, output.err)

    return carry_out


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may pass through."""
    with open_folder() as path:
        yield path


@pytest.fixture(scope="session")
def filled_demo() -> Iterator[Path]:
    """The data folder of a demo that was started once and stopped."""
    with open_folder() as path:
        data = path / "data"
        with running_demo(data) as demo:
            demo.stop()
        yield data


@pytest.fixture
def demo_data(filled_demo: Path, folder: Path) -> Path:
    """A copy of such a folder, owners and modes included."""
    target = folder / "a copy"
    subprocess.run(["cp", "-a", filled_demo, target], check=True)
    return target


@pytest.fixture
def keys() -> str:
    """A key for processes that need one."""
    return new_key()


@pytest.fixture
def new_name() -> str:
    """A name that no database has."""
    return f"t_{uuid4().hex[:12]}"
