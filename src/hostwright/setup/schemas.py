"""The forms of the first run."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class CompanyForm(msgspec.Struct, rename="camel"):
    """How the company shows itself."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    brand_colour: Annotated[str, Meta(pattern=r"^#[0-9A-Fa-f]{6}$(?!\n)")]


class ConnectionForm(msgspec.Struct, rename="camel"):
    """How to reach VirtFusion. An empty token keeps the one that was entered before."""

    base_url: Annotated[str, Meta(min_length=4, max_length=300)]
    token: Annotated[str, Meta(max_length=4000)] = ""
    verify_tls: str = ""

    @property
    def checks_certificate(self) -> bool:
        """Whether the box was ticked: browsers leave it out otherwise."""
        return bool(self.verify_tls)

    def __repr__(self) -> str:
        """Without the token."""
        return "ConnectionForm()"
