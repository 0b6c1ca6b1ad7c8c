"""Systems to install, in families, ready to be placed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hostwright.core.providers import SystemTemplate
from hostwright.servers.records import ServerRow
from hostwright.servers.service.install import Choices


class SystemCard(msgspec.Struct, frozen=True):
    """A system that can be chosen; ``search`` is what the filter looks in."""

    id: int
    name: str
    version: str
    variant: str
    ended: bool
    windows: bool
    chosen: bool
    search: str


class Family(msgspec.Struct, frozen=True):
    """Systems of one make."""

    name: str
    cards: Sequence[SystemCard]


class KeyChoice(msgspec.Struct, frozen=True):
    """A public key that can be put on the new system; ``kind`` is how its line begins."""

    id: int
    name: str
    kind: str
    chosen: bool


class InstallView(msgspec.Struct, frozen=True):
    """What can be installed. ``families`` is empty when nothing fits, or nothing could be asked."""

    families: Sequence[Family]
    keys: Sequence[KeyChoice]
    hostname: str
    total: int


def _card(template: SystemTemplate, chosen: Sequence[int]) -> SystemCard:
    words = (template.family, template.name, template.version, template.variant)
    return SystemCard(
        id=template.external_id,
        name=template.name,
        version=template.version,
        variant=template.variant,
        ended=template.ended,
        windows=template.windows,
        chosen=template.external_id in chosen,
        search=" ".join(word for word in words if word).casefold(),
    )


def install_view(
    row: ServerRow,
    choices: Choices | None,
    chosen: Sequence[int],
    keys: Sequence[int],
    hostname: str | None,
) -> InstallView:
    """The choices with what was chosen, families by name and what is no longer maintained at the end of each."""
    shown = row.hostname or "" if hostname is None else hostname
    if choices is None:
        return InstallView([], [], shown, 0)
    by_family: dict[str, list[SystemTemplate]] = {}
    for template in choices.templates:
        by_family.setdefault(template.family or template.name, []).append(template)
    families = [
        Family(name, [_card(each, chosen) for each in sorted(templates, key=lambda each: each.ended)])
        for name, templates in sorted(by_family.items(), key=lambda item: item[0].casefold())
    ]
    found = [
        KeyChoice(key.external_id, key.name, key.public_key.split(" ")[0], key.external_id in keys)
        for key in choices.keys
    ]
    return InstallView(families, found, shown, len(choices.templates))
