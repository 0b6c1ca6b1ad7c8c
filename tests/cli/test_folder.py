"""The data folder is claimed by one process, and refused in one line when it cannot be used."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hostwright import __version__
from hostwright.cli import folder as folder_module
from hostwright.cli.folder import DataFolder
from hostwright.cli.problems import Problem


def refused(path: Path, kind: str = "demo") -> str:
    with pytest.raises(Problem) as told, DataFolder(path, kind):
        pass
    assert "\n" not in told.value.message
    return told.value.message


def made(path: Path) -> Path:
    with DataFolder(path, "demo") as folder:
        folder.settle()
    return path


def test_a_new_folder_is_private_and_marked_once_it_is_settled(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    with DataFolder(path, "demo") as folder:
        assert (folder.is_new, folder.was_killed) == (True, False)
        assert sorted(found.name for found in path.iterdir()) == ["lock"]
        folder.settle()
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert (path / "version").read_text() == f"1 {__version__} demo\n"
    assert {stat.S_IMODE(found.stat().st_mode) for found in path.iterdir()} == {0o600}
    with DataFolder(path, "demo") as folder:
        assert (folder.is_new, folder.was_killed) == (False, False)


def test_one_process_has_it_at_a_time(tmp_path: Path) -> None:
    with DataFolder(made(tmp_path / "data"), "demo"):
        assert refused(tmp_path / "data") == (
            f"{tmp_path}/data is in use by another Hostwright (process {os.getpid()}). "
            "Stop it, or choose another data folder."
        )
    made(tmp_path / "data")


def test_a_process_that_was_killed_lets_go_and_is_noticed(tmp_path: Path) -> None:
    path = made(tmp_path / "data")
    program = (
        "import os, pathlib, sys; from hostwright.cli.folder import DataFolder; "
        "DataFolder(pathlib.Path(sys.argv[1]), 'demo').open(); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", program, path], check=False).returncode == -9
    with DataFolder(path, "demo") as folder:
        assert folder.was_killed
    with DataFolder(path, "demo") as folder:
        assert not folder.was_killed


@pytest.mark.parametrize(
    ("mark", "line"),
    [
        ("2 9.9.9 demo", "was made by a newer release, 9.9.9. Use that release, or another data folder."),
        ("0 0.0.1 demo", "was made by an older release, 0.0.1. Use that release, or another data folder."),
        ("1 0.1.0 up", "belongs to 'hostwright up'. Choose another data folder for 'demo'."),
    ],
)
def test_a_folder_of_another_release_or_kind(tmp_path: Path, mark: str, line: str) -> None:
    path = made(tmp_path / "data")
    (path / "version").write_text(mark + "\n")
    assert refused(path) == f"{path} {line}"
    assert (path / "version").read_text() == mark + "\n"


@pytest.mark.parametrize("mark", [b"", b"nonsense", b"\xff\xfe", b"1 0.1.0", b"one 0.1.0 demo"])
def test_a_damaged_mark(tmp_path: Path, mark: bytes) -> None:
    path = made(tmp_path / "data")
    (path / "version").write_bytes(mark)
    assert refused(path) == (
        f"{path}/version is damaged: it should say something like '1 {__version__} demo'. Restore it from a backup."
    )


def test_a_file_in_its_place(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    assert refused(file) == f"{file} is a file, not a folder. Choose another data folder."
    assert (
        refused(file / "below") == f"{file}/below cannot be made: a part of it is a file. Choose another data folder."
    )
    assert file.read_text() == "mine"


def test_somebody_elses_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    assert refused(tmp_path) == (
        f"{tmp_path} holds other things (thesis.txt) and no Hostwright data. Choose an empty folder."
    )


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    path = made(tmp_path / "data")
    (path / "lock").unlink()
    (path / "lock").symlink_to(target)
    assert refused(path) == f"{path} cannot be used: too many levels of symbolic links. Choose another data folder."
    assert target.read_text() == "mine"


def test_too_little_space(tmp_path: Path) -> None:
    with DataFolder(tmp_path / "data", "demo") as folder:
        folder.require_space(1)
        with pytest.raises(
            Problem, match=r"^The disk that holds .* MB left, and 99999999999 MB are needed\. Free some\.$"
        ):
            folder.require_space(99_999_999_999)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    folder_module.write_private(file, b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device", str(file))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        folder_module.write_private(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
