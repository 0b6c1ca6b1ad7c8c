"""The relay before a real VNC server: Debian's TigerVNC, with a password, driven as a browser would."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from hostwright.core.rfb import answer_to
from tests.stack.consoles import watching
from tests.stack.panel import Panel
from tests.support.stack import free_port, until

SERVER: Final = shutil.which("Xtigervnc")
PASSWORD: Final = "tulip-9z"
FIXED_KEY: Final = bytes([23, 82, 107, 6, 35, 78, 88, 7])  # what every VNC password file is obscured with
SIZE: Final = (640, 480)

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(SERVER is None, reason="Debian's tigervnc-standalone-server is not installed"),
]


def obscured(password: str) -> bytes:
    """A password as its file has it: DES with a key that everybody knows."""
    # `answer_to` turns the bits of the key round, so the key is given the other way round.
    return answer_to(password.encode().ljust(8, b"\0"), FIXED_KEY.decode("latin-1"))


async def _listening(process: asyncio.subprocess.Process, port: int) -> bool:
    assert process.returncode is None, "Xtigervnc has ended"
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """Where a real VNC server shows an empty desktop."""
    assert SERVER is not None
    secret = tmp_path / "passwd"
    secret.write_bytes(obscured(PASSWORD))
    secret.chmod(0o600)
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        SERVER,
        f":{port}",  # no X socket is asked for, so any number does
        "-rfbport",
        str(port),
        "-interface",
        "127.0.0.1",
        "-geometry",
        f"{SIZE[0]}x{SIZE[1]}",
        "-depth",
        "24",
        "-PasswordFile",
        str(secret),
        "-SecurityTypes",
        "VncAuth",
        "-nolisten",
        "unix",
        "-nolisten",
        "tcp",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await until(lambda: _listening(process, port), 20)
        yield port
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@pytest.fixture
async def panel_before(lonely: Panel, port: int) -> Panel:
    """A panel whose vendor names the real server as the screen of every machine."""
    lonely.vendor.screens.lies = {"wss": False, "ip": "127.0.0.1", "port": port, "password": PASSWORD}
    lonely.secrets.add(PASSWORD)
    await lonely.start(webs=1)
    return lonely


async def test_its_desktop_is_seen_and_keys_reach_it(panel_before: Panel) -> None:
    server_id = await panel_before.server_id(panel_before.fresh())
    browser = await panel_before.browser(panel_before.owner)
    async with watching(browser, server_id) as (_, viewer):
        assert viewer.size == SIZE
        first = await viewer.picture()
        assert len(first) == SIZE[0] * SIZE[1] * 4
        await viewer.type("hello")
        assert await viewer.picture() == first  # it is still there, and nothing runs on that desktop


async def test_two_look_at_it_at_once(panel_before: Panel) -> None:
    server_id = await panel_before.server_id(panel_before.fresh())
    browser = await panel_before.browser(panel_before.owner)
    async with watching(browser, server_id) as (_, one), watching(browser, server_id) as (_, two):
        assert len(await one.picture()) == len(await two.picture()) == SIZE[0] * SIZE[1] * 4


async def test_a_wrong_password_is_told(panel_before: Panel) -> None:
    panel_before.vendor.screens.lies["password"] = "wrong"
    server_id = await panel_before.server_id(panel_before.fresh())
    browser = await panel_before.browser(panel_before.staff)
    answer = await browser.get(f"/api/admin/servers/{server_id}/vnc/test")
    assert answer.json() == {
        "reachable": False,
        "problem": "The server's screen does not take the password that VirtFusion names.",
    }
    panel_before.vendor.screens.lies["password"] = PASSWORD
    answer = await browser.get(f"/api/admin/servers/{server_id}/vnc/test")
    assert answer.json() == {"reachable": True, "problem": None}
