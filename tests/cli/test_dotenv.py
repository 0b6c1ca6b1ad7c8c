"""Settings from a file: the environment goes before it, mistakes have their line, values are never shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hostwright.cli import dotenv
from hostwright.cli.problems import Problem

from .conftest import Order

WHERE = Path("file")
SECRET = "kV7-tulip-9zQ"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=plain", "plain"),
        ("  A = with blanks around  ", "with blanks around"),
        ("export A=as a shell has it", "as a shell has it"),
        ("A=", ""),
        ("A=with # a comment", "with"),
        ("A=#all comment", ""),
        ("A=p#ss$word${B}", "p#ss$word${B}"),
        ("A='# kept '", "# kept "),
        ('A="kept" # not this', "kept"),
        ('A="it\'s"', "it's"),
        ("A=a=b==", "a=b=="),
        ("A=größe", "größe"),
    ],
)
def test_values(line: str, value: str) -> None:
    assert dotenv.parse(f"\n# first\n{line}\r\n", WHERE) == {"A": value}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"A=1\n{SECRET}\n", "file, line 2: this is no NAME=value"),
        (f"A=1\n\nA={SECRET}", "file, line 3: A is set twice, first in line 1"),
        (f"# x\nA='{SECRET}", "file, line 2: the quotation mark is not closed"),
        (f"1A={SECRET}", "file, line 1: this is no NAME=value"),
    ],
)
def test_mistakes_have_their_line_and_show_no_value(text: str, told: str) -> None:
    with pytest.raises(Problem) as caught:
        dotenv.parse(text, WHERE)
    assert caught.value.message == told


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file\n")
    environ = {"A": "environment"}
    dotenv.load(None, environ, folder=tmp_path)
    assert environ == {"A": "environment", "B": "file"}


def test_a_named_file_goes_before_the_usual_one(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=usual\n")
    (tmp_path / "named").write_text("A=named\n")
    (tmp_path / "chosen").write_text("A=chosen\n")
    environ = {dotenv.VARIABLE: str(tmp_path / "named")}
    dotenv.load(None, environ, folder=tmp_path)
    assert environ["A"] == "named"
    environ = {dotenv.VARIABLE: str(tmp_path / "named")}
    dotenv.load(tmp_path / "chosen", environ, folder=tmp_path)
    assert environ["A"] == "chosen"


def test_nothing_is_read_where_nothing_is(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    dotenv.load(None, environ, folder=tmp_path)
    assert environ == {}


def test_a_named_file_has_to_be_there(order: Order, tmp_path: Path) -> None:
    done = order("--env-file", str(tmp_path / "none"), "check")
    assert (done.returncode, done.stderr) == (1, f"hostwright: {tmp_path}/none: no such file or directory\n")


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, True), (0o604, True)])
def test_secrets_that_others_may_read_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: int, warned: bool
) -> None:
    path = tmp_path / ".env"
    path.write_text(f"DATABASE_URL=postgresql://app:{SECRET}@db/hostwright\n")
    path.chmod(mode)
    dotenv.load(None, {}, folder=tmp_path)
    told = capsys.readouterr()
    assert told.out == ""
    expected = f"hostwright: {path} holds DATABASE_URL, and others may read it. Run: chmod 600 {path}\n"
    assert told.err == (expected if warned else "")


def test_a_file_without_secrets_may_be_read_by_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".env").write_text("COMPANY_NAME=Northwind\n")
    (tmp_path / ".env").chmod(0o644)
    dotenv.load(None, {}, folder=tmp_path)
    assert capsys.readouterr().err == ""


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff\xfe")
    with pytest.raises(Problem, match="is no text in UTF-8"):
        dotenv.load(None, {}, folder=tmp_path)


def test_commands_read_it(order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("LOG_FORMAT=loud\n")
    done = order("serve")
    assert done.returncode == 1
    assert done.stderr == "hostwright: LOG_FORMAT must be one of json, console, not 'loud'\n"
    assert "LOG_FORMAT" in os.environ
