"""Servers without an owner and owners without servers, ready to be placed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

import msgspec

from hostwright.core.providers import ExternalUser, ServerState
from hostwright.servers.queries.owners import AccountRow, CandidateRow, OwnedRow, UnownedRow
from hostwright.servers.views import words
from hostwright.servers.views.paging import Place
from hostwright.web.i18n import gettext, marked
from hostwright.web.messages import field_message

BASE: Final = "/admin/owners"
SAID: Final = {
    "has an account already; search for it and link that customer if it is the same person": marked(
        "This address has an account already. Search for it above, and link that customer if it is the same person."
    ),
    "may have at most 120 characters, none of them invisible": marked(
        "Use at most 120 characters, none of them invisible."
    ),
    "must be an e-mail address": marked("Enter an e-mail address."),
}
"""What the service says of a field, as a sentence beside it."""


def field_words(message: str) -> str:
    """What is wrong with a field, for people."""
    return gettext(SAID[message]) if message in SAID else field_message(message)


class GroupView(msgspec.Struct, frozen=True):
    """Servers of one user at VirtFusion."""

    row: UnownedRow

    @property
    def url(self) -> str:
        """Where the user is linked."""
        return f"{BASE}/{self.row.connection_id}/{self.row.external_owner_id}"

    @property
    def told(self) -> bool:
        """Whether VirtFusion says who has them."""
        return self.row.external_owner_id != 0

    @property
    def more(self) -> int:
        """How many servers are not named."""
        return self.row.servers - len(self.row.names)


class OwnersView(msgspec.Struct, frozen=True):
    """One tab. ``next`` is where the list goes on, empty at the end."""

    part: str
    tabs: Sequence[tuple[str, str]]
    tab: str
    total: int = 0
    groups: Sequence[GroupView] = ()
    accounts: Sequence[AccountRow] = ()
    q: str = ""
    next: str = ""
    newest: str = ""


class PersonView(msgspec.Struct, frozen=True):
    """A user at VirtFusion: who it is as far as it can be told, its servers, and the customer it is linked to."""

    connection_id: int
    connection_name: str
    external_user_id: int
    user: ExternalUser | None
    problem: str
    account: AccountRow | None
    servers: Sequence[tuple[OwnedRow, str]]
    place: Place
    q: str
    candidates: Sequence[CandidateRow]
    values: dict[str, str]
    errors: dict[str, str]

    @property
    def url(self) -> str:
        """Its page."""
        return f"{BASE}/{self.connection_id}/{self.external_user_id}"

    @property
    def title(self) -> str:
        """How it is called."""
        if self.user is not None:
            return self.user.name
        if not self.external_user_id:
            return gettext("Servers whose owner is not told")
        return gettext("User %(number)s at VirtFusion", number=self.external_user_id)


def tabs() -> list[tuple[str, str]]:
    """The three lists."""
    return [
        (BASE, gettext("Without an owner")),
        (f"{BASE}/idle", gettext("Without servers")),
        (f"{BASE}/links", gettext("All links")),
    ]


def link(base: str, **wanted: str | int) -> str:
    """An address with what is not empty."""
    kept = {name: value for name, value in wanted.items() if value not in ("", 0)}
    return f"{base}?{urlencode(kept)}" if kept else base


def server_view(row: OwnedRow) -> tuple[OwnedRow, str]:
    """A server and the word for its state."""
    word = gettext("Active") if row.state is ServerState.ACTIVE else words.state_word(row.state.value)
    return row, word
