"""`hostwright up`: from an empty folder to a panel that is set up over HTTP, killed in between, and opened again."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import urllib.parse
from collections.abc import Generator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

from .programs import PROMISED_SECONDS, Demo, call, clean, eventually, run, running_demo

pytestmark = pytest.mark.long

ADMIN = {
    "fullName": "Grace Hopper",
    "email": "grace@northwind.example",
    "username": "grace",
    "password": "tulip-anchor-breeze-9",
}
TOKEN = re.compile(r"^Open (http://[0-9.:]+)/setup and enter: ([A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4})$", re.MULTILINE)


class Up(Demo):
    """One `hostwright up`."""

    step = "up"

    @property
    def token(self) -> str:
        """What it printed for the set-up."""
        found = TOKEN.search(self.said)
        assert found is not None, self.said
        assert found[1] == self.url
        return found[2]


class Browser:
    """Follows no redirects, keeps cookies, and sends forms as a page without scripts would."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Status, where to go, and the page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode({"csrf": self.cookies.get("hw_csrf", ""), **form})
        connection.request("GET" if form is None else "POST", path, body, headers)
        answer = connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                self.cookies |= {key: one.value for key, one in SimpleCookie(value).items()}
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers.get("Location", ""), text


@contextmanager
def running_up(data: Path, **options: Any) -> Generator[Up]:
    found = Up(data, **options)
    try:
        found.wait_until_ready()
        eventually(lambda: "Started in" in found.said)
        yield found
    finally:
        found.end()


def test_from_nothing_to_a_panel(folder: Path) -> None:
    data = folder / "with space"
    with running_up(data) as up:
        token = up.token
        assert (data / "version").read_text().split()[2] == "up"
        browser = Browser(up.port)
        assert browser.ask("/")[:2] == (303, "/setup")
        assert browser.ask("/setup/token", {"token": token})[:2] == (303, "/setup/admin")
        # Killed in the middle of it: the next start prints a new token, and who entered the old one goes on.
        up.process.send_signal(signal.SIGKILL)
        up.process.wait(30)
    with running_up(data) as up:
        assert up.token != token
        browser.port = up.port
        assert browser.ask("/setup")[:2] == (303, "/setup/admin")
        assert browser.ask("/setup/admin", ADMIN)[:2] == (303, "/setup/company")
        assert browser.ask("/setup/company", {"name": "Northwind", "brandColour": "#0ea5e9"})[0] == 303
        again = run("setup-token", "--data", str(data))
        assert (again.returncode, again.stdout) == (
            0,
            "The set-up is not finished: sign in as the admin at http://127.0.0.1:8000/setup\n",
        )
        assert up.stop() < PROMISED_SECONDS
        assert up.said.endswith("\nStopped.\n")
    with running_up(data) as up:
        assert f"The set-up is not finished: sign in as the admin at {up.url}/setup" in up.said
        browser.port = up.port
        assert browser.ask("/setup")[:2] == (303, "/setup/virtfusion")
        assert browser.ask("/setup/virtfusion", {"do": "later"})[0] == 303
        assert browser.ask("/setup/import", {})[:2] == (303, "/admin/servers")
        assert browser.ask("/setup")[0] == 404
        assert "· Northwind</title>" in browser.ask("/admin/servers")[2]
        listed = run("user", "list", "--data", str(data))
        assert "grace@northwind.example" in listed.stdout
        done = run("check", "--data", str(data), "--json")
        told = {one["name"]: one["state"] for one in json.loads(done.stdout)["checks"]}
        assert done.returncode == 0, done.stdout
        assert told["worker"] == "ok"
        refused = run("setup-token", "--data", str(data))
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr.startswith("hostwright: This panel is set up already.")
    with running_up(data) as up:
        assert "/setup" not in up.said
        signed_in = call(f"{up.url}/api/auth/login", body={"username": "grace", "password": ADMIN["password"]})
        assert signed_in["role"] == "admin"
        for log in (data / "logs").iterdir():
            text = log.read_text()
            assert token not in text
            assert ADMIN["password"] not in text


def test_it_is_strict_and_takes_its_settings_from_the_environment(folder: Path) -> None:
    settings = {"COMPANY_NAME": "Eastwind", "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing"}
    with running_up(folder / "data", environment=settings) as up:
        browser = Browser(up.port)
        assert browser.ask("/styleguide")[0] == 404  # production
        assert "· Eastwind</title>" in browser.ask("/setup/token")[2]


def test_a_wrong_setting_is_one_line_and_starts_nothing(folder: Path) -> None:
    done = run("up", "--data", str(folder / "data"), PUBLIC_URL="http://panel.example.com")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "hostwright: PUBLIC_URL must start with https:// in production: sessions would travel in the clear"
    ]
    assert not (folder / "data" / "postgres").exists()


def test_it_keeps_to_its_own_kind_of_folder(folder: Path) -> None:
    with running_demo(folder / "demo") as demo:
        demo.stop()
    done = run("up", "--data", str(folder / "demo"))
    assert done.returncode == 1
    assert "belongs to 'hostwright demo'" in done.stderr


def test_commands_about_a_folder_that_is_none(folder: Path) -> None:
    for step in (("setup-token",), ("check",), ("user", "list")):
        done = run(*step, "--data", str(folder / "none"))
        assert done.returncode == 1
        assert "is no data folder of Hostwright" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert not (folder / "none").exists()


def test_make_up(folder: Path) -> None:
    """The same with its usual words; the data folder and the port are make's variables."""
    root = Path(__file__).parents[2]
    command = ["make", "--no-print-directory", "--dry-run", "--directory", str(root), "up"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=clean({})).stdout
    assert '--data ".hostwright" --with-parent' in told
    named = subprocess.run([*command, "DATA=here"], capture_output=True, text=True, check=True, env=clean({})).stdout
    assert '--data "$DATA" --with-parent' in named
