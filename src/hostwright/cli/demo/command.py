"""`hostwright demo` and `hostwright simulate`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Final

from hostwright.cli.demo import company
from hostwright.cli.demo.accounts import Account, DemoFile, read_accounts
from hostwright.cli.folder import DataFolder
from hostwright.cli.ports import require_port
from hostwright.cli.problems import Problem
from hostwright.cli.supervisor import HOST, Installation, Stopped, free_port, listens, stopping_on_signals
from hostwright.cli.terminal import say

KIND: Final = "demo"
STATE: Final = "simulators.json"
PORT: Final = "simulators.port"
FIRST_SPACE: Final = 250  # megabytes; a new demo takes 70, and its database may need some more for a while
LATER_SPACE: Final = 60
LEAVING_SECONDS: Final = 6.0
SETTINGS: Final = {
    "HOSTWRIGHT_ENVIRONMENT": "demo",
    "COMPANY_NAME": company.NAME,
    "ALLOW_LOCAL_UPSTREAMS": "yes",
}


def demo(options: argparse.Namespace) -> int:
    """Run until SIGINT or SIGTERM, then end every process within five seconds."""
    begun = time.monotonic()
    os.umask(0o077)
    with stopping_on_signals():
        try:
            data = DataFolder(options.data, KIND)
            if not data.exists():
                require_port(HOST, options.port)  # before anything is made
            with data as folder:
                _run(folder, options, begun)
        except Stopped:
            say("Stopped.")
    return 0


def _run(folder: DataFolder, options: argparse.Namespace, begun: float) -> None:
    folder.require_space(FIRST_SPACE if folder.is_new else LATER_SPACE)
    # What a killed demo started ends by itself, a moment later.
    require_port(HOST, options.port, patience=LEAVING_SECONDS if folder.was_killed else 0.0)
    read_accounts(folder.path)
    folder.settle()
    installation = Installation(folder, options.port, SETTINGS, say, with_parent=options.with_parent)
    try:
        found = _start(installation)
        _welcome(found, time.monotonic() - begun)
        installation.run()
    finally:
        installation.stop()


def _start(installation: Installation) -> DemoFile:
    """Start what is missing, in an order in which each finds what it needs; imports of the next run meanwhile."""
    folder = installation.folder
    was_filled = read_accounts(folder.path) is not None
    if folder.is_new:
        say(f"Making a hosting company with {company.CUSTOMERS} customers and {company.SERVERS} servers, once.")
    port = _simulators_port(folder.path)
    simulators = ["simulate", "--port", str(port), "--data", str(folder.path)]
    installation.prepare_keys()
    installation.children.start("simulators", simulators, installation.plain_environment())
    installation.start_database()
    installation.migrate()
    folder.write(PORT, f"{port}\n".encode())
    begun_anew = not was_filled and not folder.is_new  # then its tables are taken away for a moment
    if not begun_anew:
        installation.start_web()
    if was_filled:
        installation.start_worker()
    else:  # a worker would mirror the company before its past is written down
        installation.wait_for(lambda: listens(port), "simulators")
    _fill(installation, f"http://{HOST}:{port}/virtfusion")
    if begun_anew:
        installation.start_web()
    if not was_filled:
        installation.start_worker()
    installation.wait_until_ready()
    installation.wait_for(lambda: listens(port), "simulators")
    found = read_accounts(folder.path)
    assert found is not None, "the process that writes it has ended well"
    return found


def _fill(installation: Installation, simulator: str) -> None:
    """Make the company, or look after the one that is there."""
    environment = installation.environment(
        DATABASE_ADMIN_URL=installation.server.dsn(), HOSTWRIGHT_DEMO_VIRTFUSION=simulator
    )
    installation.finish("fill", ["demo-fill"], environment)


def _simulators_port(folder: Path) -> int:
    """The port of the last start, so that addresses stay the same, unless another program has it now."""
    try:
        known = int((folder / PORT).read_text(encoding="ascii"))
        require_port(HOST, known)
    except (OSError, ValueError, OverflowError, Problem):
        return free_port()
    return known


def _welcome(found: DemoFile, seconds: float) -> None:
    say(f"Hostwright is ready at {found.url}")
    for account in found.accounts:
        say(f"  {_who(account):9} {account.email}  password {account.password}")
    say(f"Started in {seconds:.1f} seconds. Ctrl-C stops everything; the data stays.")


def _who(account: Account) -> str:
    return "admin" if account.role == "admin" else "customer"


def simulate(options: argparse.Namespace) -> int:
    """Serve the simulators until SIGTERM or SIGINT."""
    require_port(HOST, options.port)
    options.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    from hostwright.upstream.simulators import serve_simulators  # noqa: PLC0415  the supervisor needs no simulator
    from hostwright.upstream.virtfusion.simulator import WorldBroken, WorldPlan  # noqa: PLC0415

    plan = WorldPlan(
        servers=company.SERVERS, users=company.CUSTOMERS, first_users=company.FIRST_CUSTOMERS, token=company.TOKEN
    )

    print(f"Simulators on http://{HOST}:{options.port}/virtfusion", file=sys.stderr, flush=True)
    try:
        serve_simulators(HOST, options.port, options.data / STATE, plan)
    except WorldBroken as error:
        reason = str(error).removesuffix(".")
        message = f"{reason}. Delete that file: the simulated company is then as it was at first."
        raise Problem(message) from error
    return 0
