"""Icons as references into the built sprites. Made once per name and class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from markupsafe import Markup, escape

KEPT: Final = 2048

SYSTEM_WORDS: Final = {
    "alma": "almalinux",
    "alpine": "alpinelinux",
    "arch": "archlinux",
    "centos": "centos",
    "debian": "debian",
    "fedora": "fedora",
    "freebsd": "freebsd",
    "nixos": "nixos",
    "suse": "opensuse",
    "red hat": "redhat",
    "rhel": "redhat",
    "rocky": "rockylinux",
    "ubuntu": "ubuntu",
    "windows": "windows",
}


class UnknownIcon(LookupError):
    """A template asks for an icon that the build did not find."""


class Icons:
    """Icons, logos of operating systems and flags."""

    def __init__(self, url: Callable[[str], str], symbols: Mapping[str, Sequence[str]]) -> None:
        self._icons = frozenset(symbols["icons"])
        self._systems = frozenset(symbols["systems"])
        self._flags = frozenset(symbols["flags"])
        self._sprite = url("icons.svg")
        self._flag_sprite = url("flags.svg")
        self.icon = lru_cache(KEPT)(self._icon)
        self.system = lru_cache(KEPT)(self._system)
        self.system_key = lru_cache(KEPT)(self._system_key)
        self.flag = lru_cache(KEPT)(self._flag)

    def _icon(self, name: str, cls: str = "icon") -> Markup:
        """An icon of Lucide; raises `UnknownIcon`."""
        if name not in self._icons:
            message = f"the icon {name!r} is not in the sprite: write it as a literal, or build the assets again"
            raise UnknownIcon(message)
        return self._use(self._sprite, name, cls)

    def _system_key(self, operating_system: str | None) -> str:
        """The logo's name for what an upstream calls a system ("Ubuntu 24.04 LTS"); "linux" for what we do not know."""
        text = (operating_system or "").casefold()
        return next((name for word, name in SYSTEM_WORDS.items() if word in text), "linux")

    def _system(self, operating_system: str | None, cls: str = "icon-os") -> Markup:
        key = self._system_key(operating_system)
        if key not in self._systems:
            return self.icon("grid-2x2")  # Windows: the pack has no logo of it
        return self._use(self._sprite, f"os-{key}", cls)

    def _flag(self, country: str | None, cls: str = "flag") -> Markup:
        """A country's flag by its two letters; a globe when it is not known."""
        code = (country or "").casefold()
        if code not in self._flags:
            return self.icon("globe")
        return self._use(self._flag_sprite, f"f-{code}", cls)

    @staticmethod
    def _use(sprite: str, name: str, cls: str) -> Markup:
        return Markup('<svg class="{}" aria-hidden="true"><use href="{}#{}"></use></svg>').format(
            cls, sprite, escape(name)
        )
