"""A whole company in one command."""

from __future__ import annotations

import re
import stat
import urllib.request
from pathlib import Path

from .programs import PROMISED_SECONDS, READY, call, running_demo

STATES = {"active", "suspended", "building", "failed"}


def test_a_hosting_company_in_one_command(folder: Path) -> None:
    data = folder / "with space"
    with running_demo(data) as demo:
        assert demo.said.splitlines()[1] == f"{READY}{demo.url}"
        told = demo.file()
        assert stat.S_IMODE((data / "demo.json").stat().st_mode) == 0o600
        assert set(told) == {"url", "simulators", "accounts"}
        assert told["url"] == demo.url
        assert [account["role"] for account in told["accounts"]] == ["admin", "client", "client"]
        for account in told["accounts"]:
            assert set(account) == {"role", "email", "password", "apiKey", "customerId"}
            assert re.search(rf"{account['email']}  password {account['password']}$", demo.said, re.MULTILINE)

        admin, first, second = told["accounts"]
        assert call(f"{demo.url}/api/admin/servers", admin["apiKey"])["pagination"]["total"] == 400
        servers = call(f"{demo.url}/api/user/servers?pageSize=100", first["apiKey"])
        assert servers["pagination"]["total"] >= 12
        assert {server["state"] for server in servers["items"]} == STATES
        assert {server["power"] for server in servers["items"]} >= {"running", "stopped"}
        # The lists are filled when the page opens: nothing waits for a worker.
        assert all(server["addresses"] for server in servers["items"] if server["state"] == "active")
        assert call(f"{demo.url}/api/user/servers", second["apiKey"])["pagination"]["total"] >= 3
        active = next(server for server in servers["items"] if server["state"] == "active")
        activity = call(f"{demo.url}/api/user/servers/{active['id']}/logs", first["apiKey"])
        assert len(activity["items"]) >= 3

        signed_in = call(f"{demo.url}/api/auth/login", body={"username": first["email"], "password": first["password"]})
        assert signed_in["customer"]["id"] == first["customerId"]
        assert call(f"{told['simulators']['virtfusion']}/_sim/world")["servers"] == 400
        with urllib.request.urlopen(f"{demo.url}/sign-in", timeout=10) as page:
            sheet = re.search(rb'/static/app-[^"]*\.css', page.read())
        assert sheet is not None
        with urllib.request.urlopen(demo.url + sheet[0].decode(), timeout=10) as asset:
            assert asset.headers["Cache-Control"] == "max-age=31536000"
        secrets = [account[name] for account in told["accounts"] for name in ("password", "apiKey")]
        for log in (data / "logs").iterdir():
            assert not [secret for secret in secrets if secret in log.read_text()]

        assert demo.stop() < PROMISED_SECONDS
        assert demo.process.returncode == 0
        assert demo.said.endswith("\nStopped.\n")
