"""The documentation speaks of things that exist, and leaves none of those out that it says it lists."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hostwright.cli.main import parser
from hostwright.cli.up import ITS_OWN, TAKEN
from hostwright.core.config import load_config
from hostwright.core.jobs import Job
from hostwright.core.migrations import migration_files
from tests.core.test_statements import every_module

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")


@cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, *kinds: str) -> list[str]:
    """What stands in fences of these kinds."""
    return [body for kind, body in FENCE.findall(text_of(name)) if kind in kinds]


def commands(name: str) -> list[str]:
    """Every line of a shell block, and every inline piece of code."""
    lines = [line.strip() for body in blocks(name, "sh") for line in body.splitlines()]
    return [*lines, *INLINE.findall(FENCE.sub("", text_of(name)))]


def anchors(name: str) -> set[str]:
    """What a link may lead to within a page, as hosts of code make it out of headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(name)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def tables(name: str) -> set[str]:
    """The code in the first column of every table."""
    return {word for row in re.findall(r"^\| (`[^|]+) \|", text_of(name), re.MULTILINE) for word in INLINE.findall(row)}


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    broken: list[str] = []
    for target in LINK.findall(FENCE.sub("", text_of(name))):
        path, _, anchor = target.partition("#")
        if "://" in path:
            continue
        found = (ROOT / name).parent / path if path else ROOT / name
        if not found.exists() or (anchor and anchor not in anchors(str(found.resolve().relative_to(ROOT)))):
            broken.append(target)
    assert broken == []


def test_every_page_can_be_reached() -> None:
    linked = {
        (ROOT / name).parent.joinpath(target.partition("#")[0]).resolve()
        for name in NAMES
        for target in LINK.findall(text_of(name))
    }
    assert [name for name in NAMES if ROOT / name not in linked and name != "README.md"] == []


# --- commands


@cache
def make_targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z][a-z-]*):", text_of("Makefile"), re.MULTILINE))


def steps(arguments: list[str], found: Any) -> str | None:
    """What is wrong with the words after ``hostwright``: each has to be a step, or an option of it."""
    for word in arguments:
        if word.startswith("--"):
            if word.partition("=")[0] not in found._option_string_actions:
                return f"no option {word}"
            continue
        choices = next((action.choices for action in found._actions if isinstance(action.choices, dict)), None)
        if choices is None:
            continue  # a value of an option
        if word not in choices:
            return f"no step {word}"
        found = choices[word]
    return None


def called(name: str, program: str) -> Iterator[list[str]]:
    """The words after a program's name, up to a comment, a redirection, or what stands for more."""
    for line in commands(name):
        match = re.search(rf"(?:^|[(\s/]){program} ([a-z-][^#>&|;)…]*)", line)
        if match and not line.startswith(("curl", "from ", "import ")):
            yield match[1].split()


@pytest.mark.parametrize("name", NAMES)
def test_make_knows_what_is_called(name: str) -> None:
    words = {words[0] for words in called(name, "make") if "=" not in words[0]}
    assert words - make_targets() == set()


@pytest.mark.parametrize("name", NAMES)
def test_hostwright_knows_what_is_called(name: str) -> None:
    wrong = [f"{' '.join(words)}: {why}" for words in called(name, "hostwright") if (why := steps(words, parser()))]
    assert wrong == []


def test_a_command_that_does_not_exist_would_be_found() -> None:
    assert steps(["db", "migrate", "--refuse-newer"], parser()) is None
    assert steps(["serve", "--port", "8000"], parser()) is None
    assert steps(["db", "dump"], parser()) == "no step dump"
    assert steps(["serve", "--port", "8000", "--tls"], parser()) == "no option --tls"


def test_every_command_is_described() -> None:
    """What `make` lists, and the steps of `hostwright --help`; the demo's own part is not for people."""
    described = " ".join(text_of(name) for name in NAMES)
    targets = set(re.findall(r"^([a-z-]+):[^#\n]*## ", text_of("Makefile"), re.MULTILINE)) - {"help"}
    assert len(targets) > 10
    assert {target for target in targets if f"make {target}" not in described} == set()
    found: Any = parser()
    steps_of = next(action.choices for action in found._actions if isinstance(action.choices, dict))
    assert {step for step in steps_of if f"hostwright {step}" not in described} == {"demo-fill"}


# --- what the pages say they list


class Read(Mapping[str, str]):
    """An environment that notes which variables are asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, key: str) -> str:
        self.names.add(key)
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_configuration_has_every_variable_and_no_other() -> None:
    read = Read()
    load_config(read)
    assert len(read.names) > 15
    assert tables("docs/configuration.md") == read.names


def test_up_takes_every_setting_that_is_not_its_own() -> None:
    read = Read()
    load_config(read)
    assert read.names == ITS_OWN | set(TAKEN)


def test_defaults_in_configuration_are_the_programs() -> None:
    plain = load_config({})
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| `([^`]+)` \|", text_of("docs/configuration.md"), re.MULTILINE))
    assert rows.pop("DATABASE_ADMIN_URL") == "DATABASE_URL"
    expected: dict[str, object] = {
        "DATABASE_POOL_SIZE": plain.pool_size,
        "PUBLIC_URL": plain.public_url,
        "HOSTWRIGHT_ENVIRONMENT": plain.environment.value,
        "ALLOW_LOCAL_UPSTREAMS": "yes" if plain.allow_local_upstreams else "no",
        "SESSION_IDLE_HOURS": plain.session_idle_hours,
        "SESSION_DAYS": plain.session_days,
        "WORKER_CONCURRENCY": plain.worker_concurrency,
        "SHUTDOWN_DELAY_SECONDS": plain.shutdown_delay,
        "CONSOLE_IDLE_SECONDS": plain.console_idle_seconds,
        "CONSOLES_PER_USER": plain.consoles_per_user,
        "LOG_FORMAT": plain.log_format,
        "LOG_LEVEL": plain.log_level,
    }
    assert rows == {name: str(value) for name, value in expected.items()}


def contract(start: str) -> dict[str, Any]:
    settings = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    return next(each for each in settings if each["name"].startswith(start))


def layers(start: str) -> set[str]:
    """The names in the layers of an import contract; those in brackets need not exist."""
    return {name.strip(" ()") for layer in contract(start)["layers"] for name in layer.split(":")}


def test_architecture_has_every_package_room_migration_and_job() -> None:
    listed = tables("docs/architecture.md")
    there = {name for name in layers("Features") if list((ROOT / "src/hostwright").glob(f"{name}*"))}
    assert there - listed == set()
    assert layers("Rooms") - listed == set()
    assert {migration.name for migration in migration_files()} - listed == set()
    modules = [import_module(name) for name in every_module() if not name.endswith("__main__")]
    jobs = {value.name for module in modules for value in vars(module).values() if isinstance(value, Job)}
    assert jobs - listed == set()


def test_the_api_page_has_every_operation_and_no_other() -> None:
    command = [sys.executable, "-m", "hostwright.cli", "openapi"]
    document = msgspec.json.decode(subprocess.run(command, capture_output=True, check=True).stdout)
    there = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    listed = {code for code in tables("docs/api.md") if re.match(r"(GET|POST|PUT|PATCH|DELETE) /", code)}
    assert listed == there


def test_the_map_has_every_decision() -> None:
    pages = sorted(path.name for path in (ROOT / "docs/decisions").glob("*.md"))
    assert [name[:4] for name in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    assert re.findall(r"\(decisions/([^)]+)\)", text_of("docs/index.md")) == pages


def test_every_folder_of_tests_is_described() -> None:
    folders = {f"tests/{path.name}" for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name[0] != "_"}
    assert folders - tables("docs/testing.md") == set()


# --- examples in Python


@pytest.mark.parametrize("name", NAMES)
def test_whole_programs_compile_and_import_what_exists(name: str) -> None:
    for body in blocks(name, "python"):
        if not body.startswith(("import ", "from ")):
            continue
        compile(body, name, "exec")
        for module, names in re.findall(r"^from (hostwright[\w.]*) import (.+)$", body, re.MULTILINE):
            for each in names.split(", "):
                assert hasattr(import_module(module), each), f"{module} has no {each}"
