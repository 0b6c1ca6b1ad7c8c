"""What stands in deploy/ speaks of commands, options and variables that exist, and keeps its own rules."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hostwright.cli.main import parser

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted(path.name for path in (DEPLOY / "systemd").glob("*.service"))
HARDENED = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "MemoryDenyWriteExecute": "yes",
    "UMask": "0077",
}
PROGRAM = "/opt/hostwright/.venv/bin/hostwright"
PLACES = {"/opt/hostwright", "/etc/hostwright/hostwright.env", "/etc/hostwright/admin.env"}
MOST_EXPOSED = 2.5


class Several(dict[str, Any]):
    """A section in which a name may stand several times: the lines are put together."""

    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, list) and isinstance(self.get(key), list):
            self[key].extend(value)
        else:
            super().__setitem__(key, value)


def unit(name: str) -> configparser.RawConfigParser:
    found = configparser.RawConfigParser(strict=False, dict_type=Several)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read(DEPLOY / "systemd" / name)
    return found


def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def documented() -> set[str]:
    page = (ROOT / "docs/configuration.md").read_text()
    return set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))


def names_in(file: Path) -> set[str]:
    return set(re.findall(r"^([A-Z_]+)=", file.read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", UNITS)
def test_units_start_commands_that_exist(name: str) -> None:
    service = unit(name)["Service"]
    program, *arguments = shlex.split(service["ExecStart"].replace("%i", "8001"))
    assert program == PROGRAM
    parser().parse_args(arguments)
    assert service["User"] == service["Group"] == "hostwright"


@pytest.mark.parametrize("name", UNITS)
def test_units_are_hardened(name: str) -> None:
    service = unit(name)["Service"]
    assert {key: service.get(key) for key in HARDENED} == HARDENED
    assert service["SystemCallFilter"].split("\n") == ["@system-service", "~@privileged"]


def test_only_the_migration_knows_the_owner() -> None:
    with_owner = [name for name in UNITS if "admin.env" in unit(name)["Service"]["EnvironmentFile"]]
    assert with_owner == ["hostwright-migrate.service"]
    assert names_in(DEPLOY / "admin.env.example") == {"DATABASE_ADMIN_URL"}
    services = compose()["services"]
    knowing = {name for name, one in services.items() if "DATABASE_ADMIN_URL" in (one.get("environment") or {})}
    assert knowing == {"roles", "migrate"}


def test_a_web_process_has_the_time_to_leave() -> None:
    delay = int(re.search(r"SHUTDOWN_DELAY_SECONDS=(\d+)", (DEPLOY / "hostwright.env.example").read_text())[1])  # type: ignore[index]
    service = unit("hostwright-web@.service")["Service"]
    assert int(service["TimeoutStopSec"]) > delay + 5
    assert service["KillMode"] == "mixed"
    web = compose()["services"]["web"]
    assert int(web["stop_grace_period"].removesuffix("s")) > int(web["environment"]["SHUTDOWN_DELAY_SECONDS"]) + 5


def test_every_variable_is_documented() -> None:
    known = documented()
    assert names_in(DEPLOY / "hostwright.env.example") - known == set()
    for name, one in compose()["services"].items():
        ours = one.get("image") == "hostwright"
        assert not ours or set(one["environment"]) - known == set(), name


def test_containers_run_commands_that_exist() -> None:
    services = compose()["services"]
    ours = {name: one["command"] for name, one in services.items() if one.get("image") == "hostwright"}
    assert set(ours) == {"roles", "migrate", "web", "worker"}
    lines = (DEPLOY / "Containerfile").read_text()
    commands = [*ours.values(), yaml.safe_load(re.findall(r"^CMD (\[.*\])$", lines, re.MULTILINE)[0])]
    for program, *arguments in commands:
        assert program == "hostwright"
        parser().parse_args(arguments)


def test_containers_may_do_little_and_wait_for_each_other() -> None:
    services = compose()["services"]
    for name in ("web", "worker", "migrate", "roles"):
        one = services[name]
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert set(one.get("depends_on", {})) <= set(services)
    assert services["web"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert [name for name, one in services.items() if "ports" in one] == ["proxy"]


def test_the_image_is_built_from_what_is_here_and_runs_as_nobody_in_particular() -> None:
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    known = {"FROM", "COPY", "RUN", "WORKDIR", "ENV", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "CMD"}
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert {line.split()[0] for line in lines} <= known | {"CMD"}
    for line in lines:
        if line.startswith("COPY") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source
    users = [line.split()[1] for line in lines if line.startswith("USER")]
    assert users == ["10001"]
    assert lines.index("USER 10001") > lines.index(next(line for line in lines if line.startswith("RUN useradd")))
    assert f"uv=={re.search(r'UV_VERSION := (.+)', (ROOT / 'Makefile').read_text())[1]}" in text  # type: ignore[index]


def test_proxies_pass_streams_and_consoles_on() -> None:
    nginx = (DEPLOY / "proxy/nginx.conf").read_text()
    assert nginx.count("{") == nginx.count("}")
    events = re.search(r"location = /events \{(.*?)\}", nginx, re.DOTALL)
    console = re.search(r"location /console/ \{(.*?)\}", nginx, re.DOTALL)
    assert events is not None
    assert console is not None
    assert "proxy_buffering off;" in events[1]
    assert "proxy_read_timeout 1h;" in console[1]
    assert "proxy_set_header Upgrade $http_upgrade;" in nginx
    assert "X-Forwarded-For $proxy_add_x_forwarded_for" in nginx
    assert "non_idempotent" not in nginx  # a write is never sent twice
    caddy = (DEPLOY / "proxy/Caddyfile").read_text()
    assert caddy.count("{") == caddy.count("}")
    assert "health_uri /health/ready" in caddy
    assert "respond /metrics 404" in caddy


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_units_and_finds_them_safe(name: str, tmp_path: Path) -> None:
    for path in (DEPLOY / "systemd").iterdir():
        text = path.read_text().replace(PROGRAM, "/bin/true")
        (tmp_path / path.name.replace("@.", "@8001.")).write_text(text)
    file = tmp_path / name.replace("@.", "@8001.")
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)],
        capture_output=True,
        text=True,
        check=False,
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
    )
    assert [line for line in told.stderr.splitlines() if str(tmp_path) in line or line.startswith("hostwright")] == []
    safe = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(file)], capture_output=True, text=True, check=False
    ).stdout
    found = re.search(r"exposure level for \S+ ([0-9.]+)", safe)
    assert found is not None, safe[-300:]
    assert float(found[1]) < MOST_EXPOSED
