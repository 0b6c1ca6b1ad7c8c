"""Later starts of a demo: what is kept, what is repaired, and what is refused in one line."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from hostwright.cli.postgres import SUPERUSER, Server

from .programs import (
    COMMAND,
    READY,
    Demo,
    call,
    clean,
    eventually,
    free_port,
    full_disk,
    refusal,
    running_demo,
    wait_until_gone,
)

pytestmark = pytest.mark.long

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def accounts_of(data: Path) -> list[dict[str, str]]:
    return json.loads((data / "demo.json").read_bytes())["accounts"]


def in_database(data: Path, sql: str, database: str = "hostwright") -> None:
    """Meddle with the database of a demo that is not running."""
    with Server(data / "postgres") as server:
        server.sql(sql, database)


def total(demo: Demo, key: str) -> int:
    return call(f"{demo.url}/api/user/servers", key)["pagination"]["total"]


def test_a_second_start_keeps_everything(demo_data: Path) -> None:
    before = accounts_of(demo_data)
    with running_demo(demo_data) as demo:
        assert "Making" not in demo.said
        told = demo.file()
        assert told["accounts"] == before
        assert told["url"] == demo.url  # which is another one: the port was not given before
        assert str(told["simulators"]["virtfusion"]).endswith(
            f":{(demo_data / 'simulators.port').read_text().strip()}/virtfusion"
        )
        admin, first, _ = before
        assert call(f"{demo.url}/api/admin/servers", admin["apiKey"])["pagination"]["total"] == 400
        body = {"username": first["email"], "password": first["password"]}
        assert call(f"{demo.url}/api/auth/login", body=body)["email"] == first["email"]
        assert demo.stop() < 5


def test_simulators_move_when_their_port_was_taken(demo_data: Path) -> None:
    known = int((demo_data / "simulators.port").read_text())
    with socket.create_server(("127.0.0.1", known)), running_demo(demo_data) as demo:
        simulator = demo.file()["simulators"]["virtfusion"]
        assert f":{known}/" not in simulator
        _, first, _ = demo.file()["accounts"]
        server = call(f"{demo.url}/api/user/servers?state=active", first["apiKey"])["items"][0]
        asked = call(f"{demo.url}/api/user/servers/{server['id']}/power/restart", first["apiKey"], {})
        action = f"{demo.url}/api/user/servers/{server['id']}/actions/{asked['id']}"
        eventually(lambda: call(action, first["apiKey"])["state"] == "succeeded", 60)
        assert call(f"{simulator}/_sim/world")["effects"][-1]["work"] == "restart"


def test_a_lost_file_gets_new_passwords_and_keys(demo_data: Path) -> None:
    before = accounts_of(demo_data)
    (demo_data / "demo.json").unlink()
    with running_demo(demo_data) as demo:
        now = demo.file()["accounts"]
        assert [one["email"] for one in now] == [one["email"] for one in before]
        assert not {one["password"] for one in now} & {one["password"] for one in before}
        assert total(demo, now[1]["apiKey"]) == 14
        with pytest.raises(OSError, match="401"):
            total(demo, before[1]["apiKey"])
        with pytest.raises(OSError, match="401"):
            body = {"username": before[1]["email"], "password": before[1]["password"]}
            call(f"{demo.url}/api/auth/login", body=body)


def test_a_start_that_was_killed_before_its_end_is_made_anew(demo_data: Path) -> None:
    in_database(demo_data, "delete from audit_log where action = 'demo.filled'; delete from server_log")
    (demo_data / "demo.json").unlink()
    with running_demo(demo_data) as demo:
        admin, first, second = demo.file()["accounts"]
        assert call(f"{demo.url}/api/admin/servers", admin["apiKey"])["pagination"]["total"] == 400
        assert (total(demo, first["apiKey"]), total(demo, second["apiKey"])) == (14, 3)


def test_nothing_survives_a_killed_supervisor_and_the_next_start_works_at_once(demo_data: Path) -> None:
    with running_demo(demo_data) as demo:
        everything = demo.processes()
        assert len(everything) > 8
        demo.process.kill()
        demo.process.wait()
        again = Demo(demo_data)
        again_port = again.port
        try:
            wait_until_gone(everything, 10)
            again.wait_until_ready()
            assert again.file()["url"].endswith(f":{again_port}")
            assert again.stop() < 5
        finally:
            again.end()


@pytest.mark.parametrize("name", ["web", "worker", "simulators", "postgres"])
def test_a_process_that_ends_by_itself_ends_all_and_is_named(demo_data: Path, name: str) -> None:
    words = {"web": "serve", "worker": "worker", "simulators": "simulate", "postgres": "-D"}
    with running_demo(demo_data) as demo:
        everything = demo.processes()
        victim = next(one for one in everything[0].children() if words[name] in one.cmdline())
        victim.kill()
        assert demo.process.wait(20) == 1
        wait_until_gone(everything, 10)
        told = demo.said.partition("the data stays.\n")[2].splitlines()[0]
        if name == "postgres":
            assert told.startswith("hostwright: PostgreSQL ended unexpectedly: ")
        else:
            log = demo_data / "logs" / f"{name}.log"
            assert told == (f"hostwright: The {name} process ended unexpectedly (signal SIGKILL). Its log is {log}")
        assert "Traceback" not in demo.said


def test_a_signal_while_it_starts_ends_everything(folder: Path) -> None:
    demo = Demo(folder / "data")
    try:
        eventually((folder / "data" / "logs" / "fill.log").exists, 60)
        assert demo.stop() < 5
        assert demo.process.returncode == 0
        assert demo.said.splitlines()[-1] == "Stopped."
    finally:
        demo.end()
    with running_demo(folder / "data") as again:
        assert total(again, again.file()["accounts"][1]["apiKey"]) == 14


def test_a_folder_that_is_in_use_is_refused(demo_data: Path) -> None:
    with running_demo(demo_data) as demo:
        assert refusal(demo_data) == (
            f"hostwright: {demo_data} is in use by another Hostwright (process {demo.process.pid}). "
            "Stop it, or choose another data folder."
        )
        assert call(f"{demo.url}/health/ready")["ready"] is True


def test_a_port_in_use_is_refused_and_nothing_is_made(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert refusal(folder / "data", port).startswith(f"hostwright: Port {port} is in use by another program. ")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        (
            "demo.json",
            "/demo.json is damaged. Delete it, and the next start writes a new one with new passwords and keys.",
        ),
        (
            "accounts",
            "/demo.json lacks accounts. Delete it, and the next start writes a new one with new passwords and keys.",
        ),
        ("keys gone", "/keys is missing, and what is encrypted in the database needs it. Restore that file."),
        ("keys", "the keys file {data}/keys can be read by others; run: chmod 600 {data}/keys"),
        ("version", " was made by a newer release, 9.9.9. Use that release, or another data folder."),
        ("cluster", "/postgres/pg18 is damaged: its PG_VERSION should say 18. Restore it, or use another data folder."),
        (
            "simulators",
            "simulators.json cannot be read: Input data was truncated. Delete that file: ",
        ),
        ("newer", "The database was brought up to date by a newer release (299901010000_later). Use that release."),
        ("changed", "was changed after it had been applied; add a new file instead"),
    ],
)
def test_a_damaged_folder_is_refused_and_left_as_it_is(demo_data: Path, damage: str, line: str) -> None:
    match damage:
        case "demo.json":
            file = demo_data / "demo.json"
            file.write_bytes(file.read_bytes()[:200])
        case "accounts":
            (demo_data / "demo.json").write_text('{"url": "", "simulators": {}, "accounts": []}')
        case "keys gone":
            (demo_data / "keys").rename(demo_data / "keys.kept")
        case "keys":
            (demo_data / "keys").chmod(0o644)
        case "version":
            (demo_data / "version").write_text("2 9.9.9 demo\n")
        case "cluster":
            (demo_data / "postgres" / "pg18" / "PG_VERSION").write_text("nonsense")
        case "simulators":
            (demo_data / "simulators.json").write_text("{")
        case "newer":
            in_database(demo_data, "insert into schema_migrations values ('299901010000_later', 'x')")
        case _:
            in_database(demo_data, "update schema_migrations set checksum = 'x'")
    told = refusal(demo_data)
    assert line.format(data=demo_data) in told
    assert "Traceback" not in told


@root_only
def test_a_full_disk_is_told_in_one_line(folder: Path, filled_demo: Path) -> None:
    with full_disk(folder / "small", mebibytes=30) as small:
        assert refusal(small / "data").startswith(f"hostwright: The disk that holds {small}/data has ")
    with full_disk(folder / "larger", mebibytes=400) as larger:
        data = larger / "data"
        subprocess.run(["cp", "-a", filled_demo, data], check=True)
        with running_demo(data) as demo:
            everything = demo.processes()
            filler = larger / "filler"
            with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(1024 * 1024))
            with (
                Server(data / "postgres") as server,
                pytest.raises(Exception, match=r"^The disk that holds .* is full\."),
            ):
                server.sql("create table much as select repeat('x', 100) from generate_series(1, 200000)", SUPERUSER)
            assert demo.stop() < 8
            wait_until_gone(everything, 5)
        filler.unlink()
        with running_demo(data) as demo:
            assert total(demo, demo.file()["accounts"][1]["apiKey"]) == 14
            demo.stop()


@root_only
def test_root_below_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    data = closed / "data"
    try:
        with running_demo(data) as demo:
            assert total(demo, demo.file()["accounts"][1]["apiKey"]) == 14
            assert demo.stop() < 5
        assert oct(closed.stat().st_mode)[-3:] == "700"
        with running_demo(data) as demo:
            assert total(demo, demo.file()["accounts"][1]["apiKey"]) == 14
            demo.stop()
    finally:
        shutil.rmtree((data / "postgres" / "place").read_text().strip())


def test_it_goes_on_when_nobody_reads_what_it_prints(demo_data: Path) -> None:
    port = free_port()
    command = [*COMMAND, "demo", "--port", str(port), "--data", str(demo_data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=clean({})) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().decode().strip() == f"{READY}http://127.0.0.1:{port}"
            process.stdout.close()
            assert call(f"http://127.0.0.1:{port}/health/ready")["ready"] is True
            process.terminate()
            assert process.wait(10) == 0
        finally:
            process.kill()
