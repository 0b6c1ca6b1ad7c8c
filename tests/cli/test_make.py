"""`make` as a person calls it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import hostwright
from hostwright.cli.postgres import binaries

from .programs import PROMISED_SECONDS, Demo, call, running_demo

ROOT = Path(__file__).parents[2]
TARGETS = "help demo up setup test test-long lint format types imports assets bench screenshots lock clean".split()
UNNEEDED = shutil.ignore_patterns("test", "tests", "site-packages", "__pycache__", "idlelib", "ensurepip", "config-*")


def test_make_alone_lists_the_commands() -> None:
    done = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True)
    listed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("  make ")]
    assert sorted(listed) == sorted(TARGETS)
    assert all(len(line.split(maxsplit=2)) == 3 for line in done.stdout.splitlines() if line.startswith("  make "))
    assert done.stderr == ""


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_make_alone_ends_everything(demo_data: Path, number: signal.Signals) -> None:
    """As a supervisor or a script sends it, unlike a terminal, which reaches every process."""
    demo = Demo(demo_data, command=["make", "-C", str(ROOT)])
    try:
        demo.wait_until_ready()
        assert len(demo.processes()) > 8
        assert demo.stop(number) < PROMISED_SECONDS
        assert demo.process.returncode in {-number, 2, 128 + number}
    finally:
        demo.end()


@pytest.fixture
def everybodys_python() -> Iterator[list[str]]:
    """A Python that every user may start; the usual one may stand in root's home."""
    if os.geteuid() != 0:
        pytest.skip("only root becomes another user")
    home = Path(tempfile.mkdtemp(prefix="hw-python-"))
    home.chmod(0o755)
    base = Path(sys.base_prefix)
    (home / "bin").mkdir()
    shutil.copy2(Path(sys._base_executable).resolve(), home / "bin" / "python3.13")  # type: ignore[attr-defined]
    shutil.copytree(base / "lib" / "python3.13", home / "lib" / "python3.13", ignore=UNNEEDED)
    for library in (base / "lib").glob("libpython3*"):
        shutil.copy2(library, home / "lib")
    yield [str(home / "bin" / "python3.13"), "-m", "hostwright.cli"]
    shutil.rmtree(home)


@pytest.mark.long
def test_an_ordinary_user(everybodys_python: list[str], folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    place = folder / "home"
    place.mkdir()
    os.chown(place, nobody.pw_uid, nobody.pw_gid)
    paths = [str(Path(hostwright.__file__).parents[1]), sysconfig.get_path("purelib")]
    if subprocess.run(["test", "-r", str(binaries.wheel())], check=False, user=nobody.pw_uid).returncode != 0:
        pytest.skip("the checkout stands in a folder that is closed to other users")
    library = str(Path(everybodys_python[0]).parents[1] / "lib")
    environment = {"PYTHONPATH": ":".join(paths), "HOME": str(place), "LD_LIBRARY_PATH": library}
    with running_demo(place / "data", command=everybodys_python, environment=environment, user=nobody.pw_uid) as demo:
        assert {process.username() for process in demo.processes()} == {"nobody"}
        _, first, _ = demo.file()["accounts"]
        assert call(f"{demo.url}/api/user/servers", first["apiKey"])["pagination"]["total"] == 14
        assert demo.stop() < PROMISED_SECONDS
    assert {path.stat().st_uid for path in (place / "data").rglob("*")} == {nobody.pw_uid}
    (place / "closed").mkdir(mode=0o700)
    refused = subprocess.run(
        [*everybodys_python, "demo", "--data", str(place / "closed" / "data"), "--port", str(demo.port)],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": os.environ["PATH"], **environment},
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
    )
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert refused.stderr.startswith(f"hostwright: {place}/closed/data cannot be used: ")
