"""`hostwright`: reads the command, imports what it needs, and turns expected trouble into one line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NoReturn

from hostwright import __version__
from hostwright.cli import dotenv
from hostwright.cli.problems import Problem, line_of

WRONG: Final = 2
INTERRUPTED: Final = 130
# Told by name, so that `--help` and the supervisor do not import the database driver for it.
EXPECTED: Final = frozenset(
    {"ConfigError", "KeysUnusable", "KeyMissing", "MigrationError", "MigrationChanged", "AssetsMissing"}
)

type Run = Callable[[argparse.Namespace], int]


def _run(place: str) -> Run:
    """The function ``module:name`` of this package, imported when it is called."""

    def run(options: argparse.Namespace) -> int:
        module, _, name = place.partition(":")
        function: Run = getattr(import_module(f"hostwright.cli.{module}"), name)
        return function(options)

    return run


class Parser(argparse.ArgumentParser):
    """Complains in one line."""

    def error(self, message: str) -> NoReturn:
        """End with 2, as is usual for a command that is wrong."""
        raise SystemExit(_complain(f"{message} (see {self.prog} --help)", WRONG))


def port(text: str) -> int:
    """A port number as a person writes it."""
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        message = f"a port is a number from 1 to 65535, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        message = f"must be a whole number from 1, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _folder(text: str) -> Path:
    if not text.strip():
        message = "names no folder"
        raise argparse.ArgumentTypeError(message)
    return Path(text).expanduser()


def _add_roles(commands: Any) -> None:
    serve = commands.add_parser("serve", help="answer web and API requests", description="Run the web process.")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=port, default=8000, help="port to listen on (default: %(default)s)")
    serve.add_argument("--workers", type=_positive, default=1, help="processes that answer (default: %(default)s)")
    serve.set_defaults(run=_run("serve:serve"))
    worker = commands.add_parser("worker", help="do the background work", description="Run a worker process.")
    worker.set_defaults(run=_run("roles:worker"))


def _add_database(commands: Any) -> None:
    db = commands.add_parser("db", help="make, update, empty or look at the database")
    steps = db.add_subparsers(metavar="step", required=True)
    steps.add_parser("init", help="make the database and the application's role when they are missing").set_defaults(
        run=_run("database:init")
    )
    migrate = steps.add_parser("migrate", help="bring the schema up to date")
    migrate.add_argument("--refuse-newer", action="store_true", help="fail when a newer release changed the schema")
    migrate.set_defaults(run=_run("database:migrate"))
    steps.add_parser("list", help="show which migrations are applied, pending, changed or missing").set_defaults(
        run=_run("database:show")
    )
    reset = steps.add_parser("reset", help="delete everything in the database; asks for its name")
    reset.add_argument("--yes-drop", metavar="NAME", help="the database's name, for scripts: nothing is asked")
    reset.set_defaults(run=_run("database:reset"))


def _add_installation(commands: Any) -> None:
    up = commands.add_parser("up", help="run everything on this machine, with an own PostgreSQL")
    up.add_argument("--port", type=port, default=8000, help="port of the web pages (default: %(default)s)")
    up.add_argument("--data", type=_folder, default=Path(".hostwright"), help="its data folder (default: %(default)s)")
    up.add_argument("--with-parent", action="store_true", help=argparse.SUPPRESS)
    up.set_defaults(run=_run("up:up"))
    token = commands.add_parser("setup-token", help="print a new token for the set-up in the browser")
    token.add_argument("--if-needed", action="store_true", help="say nothing when the company is set up")
    token.set_defaults(run=_run("setup_token:setup_token"))
    check = commands.add_parser("check", help="look whether everything that is needed is there and works")
    check.add_argument("--json", action="store_true", help="for programs")
    check.set_defaults(run=_run("check:check"))
    for found in (token, check):
        _add_data(found)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=_folder, help="data folder of 'hostwright up' (default: what DATABASE_URL names)"
    )


def _add_people(commands: Any) -> None:
    user = commands.add_parser("user", help="make, list, disable people, or give them a password")
    steps = user.add_subparsers(metavar="step", required=True)
    create = steps.add_parser("create", help="make a user; asks for what is not given")
    create.add_argument("--username", help="name to sign in with")
    create.add_argument("--email", help="e-mail address")
    create.add_argument("--full-name", help="name as others see it")
    create.add_argument("--admin", action="store_true", help="may do everything")
    create.set_defaults(run=_run("people:create"))
    listed = steps.add_parser("list", help="list everybody")
    listed.set_defaults(run=_run("people:show"))
    password = steps.add_parser("password", help="give somebody another password and sign them out")
    password.set_defaults(run=_run("people:password"))
    disable = steps.add_parser("disable", help="keep somebody out")
    disable.add_argument("--undo", action="store_true", help="let them in again")
    disable.set_defaults(run=_run("people:disable"))
    for found in (create, password):
        found.add_argument(
            "--password-stdin", action="store_true", help="read the password from the input's first line"
        )
    key = commands.add_parser("key", help="make API keys")
    kinds = key.add_subparsers(metavar="step", required=True)
    make = kinds.add_parser("create", help="make an API key of somebody; it is shown once")
    make.add_argument("--name", dest="key_name", default="Command line", help="what it is for (default: %(default)s)")
    make.add_argument("--scope", action="append", help="what it may do; may be given again (default: all)")
    make.set_defaults(run=_run("people:create_key"))
    for found in (password, disable, make):
        found.add_argument("name", help="user name or e-mail address")
    for found in (create, listed, password, disable, make):
        _add_data(found)


def _add_tools(commands: Any) -> None:
    openapi = commands.add_parser("openapi", help="print the API's description as JSON")
    openapi.set_defaults(run=_run("roles:openapi"))
    secrets = commands.add_parser("secrets", help="work with the keys that protect secrets")
    kinds = secrets.add_subparsers(metavar="step", required=True)
    kinds.add_parser("new-key", help="print a new key for HOSTWRIGHT_KEYS").set_defaults(run=_run("roles:new_key"))


def _add_demo(commands: Any) -> None:
    demo = commands.add_parser("demo", help="run a whole hosting company on this machine, with sample data")
    demo.add_argument("--port", type=port, default=8000, help="port of the web pages (default: %(default)s)")
    demo.add_argument("--data", type=_folder, default=Path(".demo"), help="its data folder (default: %(default)s)")
    demo.add_argument("--with-parent", action="store_true", help=argparse.SUPPRESS)
    demo.set_defaults(run=_run("demo.command:demo"))
    simulate = commands.add_parser("simulate", help="run the stand-ins for the vendors that the demo uses")
    simulate.add_argument("--port", type=port, required=True, help="port to listen on")
    simulate.add_argument("--data", type=_folder, required=True, help="folder that keeps their state")
    simulate.set_defaults(run=_run("demo.command:simulate"))
    for found in (demo, simulate):
        found.set_defaults(own_settings=True)
    # The demo calls this itself, in a process of its own that can be ended at any time.
    commands.add_parser("demo-fill").set_defaults(run=_run("demo.fill:fill"))


def parser() -> argparse.ArgumentParser:
    """Every command. ``run`` of what it returns is the function to call."""
    found = Parser(prog="hostwright", description="The control panel of a hosting company.")
    found.add_argument("--version", action="version", version=f"hostwright {__version__}")
    found.add_argument(
        "--env-file", type=Path, metavar="FILE", help="file with settings (default: .env, if it is there)"
    )
    commands = found.add_subparsers(metavar="command", required=True)
    _add_roles(commands)
    _add_database(commands)
    _add_demo(commands)
    _add_installation(commands)
    _add_people(commands)
    _add_tools(commands)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command; the exit code is 0, 1 for trouble that one line explains, 2 for a command that is wrong."""
    options = parser().parse_args(arguments)
    try:
        if not getattr(options, "own_settings", False):
            dotenv.load(options.env_file, os.environ, folder=Path.cwd())
        return options.run(options)
    except Problem as problem:
        return _complain(problem.message, problem.code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains when it ends
        return 1
    except OSError as error:
        return _complain(line_of(error), 1)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if type(error).__name__ in EXPECTED:
            return _complain(str(error), 1)
        raise


def _complain(message: str, code: int) -> int:
    print(f"hostwright: {message}", file=sys.stderr, flush=True)
    return code
