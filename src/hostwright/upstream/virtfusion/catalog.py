"""Names that VirtFusion's server object only has numbers for: the installed system and the package."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

from hostwright.core.providers import ProviderError, SystemTemplate
from hostwright.upstream.virtfusion.client import VirtFusionClient
from hostwright.upstream.virtfusion.reading import is_id, text
from hostwright.upstream.virtfusion.types import (
    Agent,
    AgentSystem,
    InstalledSystem,
    Resources,
    ServerSettings,
    Template,
    TemplateGroup,
    VirtualServer,
)

FRESH: Final = 3600.0
ASK_AGAIN: Final = 600.0  # after a template was not found, or the token may not read the list

type Figures = tuple[int | None, ...]


class Catalog:
    """Remembers templates for as long as it lives and packages for an hour. Not knowing a name is no error.

    A template costs one call when its id is first seen, all packages one call an hour.
    """

    def __init__(self, client: VirtFusionClient, now: Callable[[], float] = monotonic) -> None:
        self._client = client
        self._now = now
        self._systems: dict[int, str] = {}
        self._unknown: dict[int, float] = {}
        self._packages: dict[Figures, str | None] = {}
        self._packages_until = float("-inf")
        # Servers are read several at once: the first asks, the others wait for what it learns.
        self._asking = asyncio.Lock()

    async def system(self, server: VirtualServer) -> str | None:
        """The installed system: as the vendor names it, else its template's name, else what its agent says."""
        if isinstance(server.os, InstalledSystem) and server.os.template_name:
            return server.os.template_name
        template_id = server.settings.os_template_install_id if isinstance(server.settings, ServerSettings) else None
        if template_id:
            async with self._asking:
                await self._learn_systems(server.id, template_id)
            if template_id in self._systems:
                return self._systems[template_id]
        agent = server.qemu_agent.os if isinstance(server.qemu_agent, Agent) else None
        return agent.pretty_name if isinstance(agent, AgentSystem) else None

    async def _learn_systems(self, server_id: int, template_id: int) -> None:
        if template_id in self._systems or self._now() < self._unknown.get(template_id, float("-inf")):
            return
        self._unknown[template_id] = self._now() + ASK_AGAIN
        try:
            groups = await self._client.templates(server_id)
        except ProviderError:
            return
        self._systems |= {template.id: _label(template) for group in groups for template in group.templates}

    async def package(self, resources: Resources) -> str | None:
        """The only package with exactly these resources. The server object does not name its package."""
        async with self._asking:
            if self._now() >= self._packages_until:
                await self._learn_packages()
        return self._packages.get((resources.memory, resources.storage, resources.traffic, resources.cpu_cores))

    async def _learn_packages(self) -> None:
        self._packages_until = self._now() + ASK_AGAIN
        try:
            packages = await self._client.packages()
        except ProviderError:
            return
        self._packages_until = self._now() + FRESH
        self._packages = {}
        for one in packages:
            figures = (one.memory, one.primary_storage, one.traffic, one.cpu_cores)
            self._packages[figures] = None if figures in self._packages else one.name


def _label(template: Template) -> str:
    return " ".join(part for part in (template.name, template.version, template.variant) if part)


def systems(groups: list[TemplateGroup]) -> list[SystemTemplate]:
    """Systems that can be installed, in the vendor's order."""
    return [_system(group, template) for group in groups for template in group.templates if is_id(template.id)]


def _system(group: TemplateGroup, template: Template) -> SystemTemplate:
    family = text(group.name) or text(template.name)
    words = f"{template.type or ''} {family} {template.name}".lower()
    return SystemTemplate(
        external_id=template.id,
        family=family,
        name=text(template.name),
        version=text(template.version) or "",
        variant=text(template.variant) or "",
        windows="windows" in words,
        ended=bool(template.eol),
    )
