"""The page around every page: who looks at it, where they are, and the navigation that features bring."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from litestar import Request

from hostwright.web.i18n import LANG, PSEUDO, choose_language

if TYPE_CHECKING:
    from hostwright.core.db import Db

type AnyRequest = Request[Any, Any, Any]

THEMES: Final = ("light", "dark", "system")
CACHED_SIDEBARS: Final = 1024
READING_SECONDS: Final = 1.5  # longer than it takes to read a page

CSRF: Final[ContextVar[str]] = ContextVar("csrf", default="")
"""The token of the request that is being rendered: macros do not see a template's context."""


class NavItem(msgspec.Struct, frozen=True):
    """One line of the sidebar. ``hot`` marks a count that waits for the viewer."""

    icon: str
    label: str
    url: str
    count: int | None = None
    hot: bool = False


class NavGroup(msgspec.Struct, frozen=True):
    """Lines of the sidebar under a heading."""

    label: str
    items: tuple[NavItem, ...]


class ShellViewer(Protocol):
    """What the shell shows of who is signed in."""

    @property
    def full_name(self) -> str:
        """The name of the person."""
        ...

    @property
    def email(self) -> str:
        """Where the person gets mail."""
        ...

    @property
    def customer_id(self) -> int:
        """Whose things are shown."""
        ...

    @property
    def customer_name(self) -> str:
        """The customer's name."""
        ...

    @property
    def is_staff(self) -> bool:
        """Whether the viewer works for the company."""
        ...


class ShellPart(Protocol):
    """What a feature puts into the sidebar. Labels are translated when called: use `gettext` inside."""

    def groups(self, viewer: Any, counts: Mapping[str, int]) -> Sequence[NavGroup]:
        """The groups for this viewer. Depends on nothing but the viewer's role, the counts and the language."""
        ...

    async def counts(self, db: Db, viewer: Any) -> Mapping[str, int]:
        """Figures for the sidebar, by names of the feature's own ("servers")."""
        ...


class Shell(msgspec.Struct, frozen=True):
    """The facts about a request that every page shows."""

    viewer: ShellViewer | None
    csrf: str
    theme: str
    language: str
    here: str
    counts: tuple[tuple[str, int], ...]
    request_id: str
    since: int
    """Unix time in milliseconds from which on the page may lack changes: a little before it was read."""

    @property
    def lang(self) -> str:
        """The value of the ``lang`` attribute."""
        return "en" if self.language == PSEUDO else self.language

    @property
    def initials(self) -> str:
        """One or two letters that stand for the viewer."""
        words = self.viewer.full_name.split() if self.viewer else []
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


def shell_of(request: AnyRequest, *, pseudo: bool) -> Shell:
    """Read the shell's facts and set the request's language."""
    state: dict[str, Any] = request.scope["state"]
    theme = request.cookies.get("hw_theme", "system")
    counts: Mapping[str, int] = state.get("counts") or {}
    csrf = state.get("csrf") or ""
    CSRF.set(csrf)
    return Shell(
        viewer=state.get("viewer"),
        csrf=csrf,
        theme=theme if theme in THEMES else "system",
        language=choose_language(request, pseudo=pseudo),
        here=request.scope["path"],
        counts=tuple(sorted(counts.items())),
        request_id=state.get("request_id", ""),
        since=int((time.time() - READING_SECONDS) * 1000),
    )


def set_count(request: AnyRequest, name: str, value: int) -> None:
    """Tell the sidebar a figure that the handler knows anyway."""
    request.scope["state"].setdefault("counts", {})[name] = value


def _merged(groups: Iterable[NavGroup]) -> tuple[NavGroup, ...]:
    """Groups of the same heading become one, where the first of them stood."""
    items: dict[str, tuple[NavItem, ...]] = {}
    for group in groups:
        items[group.label] = (*items.get(group.label, ()), *group.items)
    return tuple(NavGroup(label, found) for label, found in items.items())


class Navigation:
    """The sidebar's groups, kept per role, language and figures."""

    def __init__(self, parts: Sequence[ShellPart]) -> None:
        self.parts = tuple(parts)
        self._kept: dict[tuple[object, ...], tuple[NavGroup, ...]] = {}

    def groups(self, shell: Shell) -> tuple[NavGroup, ...]:
        """The groups that this viewer sees."""
        if shell.viewer is None:
            return ()
        key = (shell.viewer.is_staff, LANG.get(), shell.counts)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= CACHED_SIDEBARS:
                self._kept.clear()
            counts = dict(shell.counts)
            found = _merged(group for part in self.parts for group in part.groups(shell.viewer, counts))
            self._kept[key] = found
        return found

    def place(self, shell: Shell) -> str:
        """The address of the line that is the current place: the longest that the path starts with."""
        urls = (item.url for group in self.groups(shell) for item in group.items)
        return max(
            (url for url in urls if shell.here == url or shell.here.startswith(f"{url}/")),
            key=len,
            default="",
        )

    async def fill_counts(self, request: AnyRequest, db: Db, viewer: Any) -> None:
        """Ask every feature for its figures; those that a handler told already stay."""
        known: dict[str, int] = request.scope["state"].setdefault("counts", {})
        for part in self.parts:
            for name, value in (await part.counts(db, viewer)).items():
                known.setdefault(name, value)
