"""SSH keys, ready to be placed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from hostwright.servers.service.ssh_keys import AccountKeys
from hostwright.web.i18n import marked

SAID: Final = (
    marked("There is no account for you at VirtFusion yet. It is made with your first server."),
    marked("This key is in your list already."),
    marked("This key is being added right now. Look at the list in a moment."),
    marked("There are 50 keys already. Delete one before you add another."),
    marked("VirtFusion is asked too often right now. Wait a moment and try again."),
    marked("VirtFusion does not answer right now, so your keys cannot be shown. Try again in a moment."),
    marked("Choose where this key is to be used."),
    marked(
        "This is a private key. It was neither stored nor logged, but it has left your computer: treat it as exposed,"
        " make a new pair, and paste the public half, the file that ends in .pub."
    ),
    marked("Paste one key, on one line, as the file that ends in .pub has it."),
    marked("Leave out what stands before the type of the key: options are not taken over."),
    marked("This is a certificate. Paste the public key that it was made for."),
    marked("DSA keys are not safe any more. Make an Ed25519 key instead: ssh-keygen -t ed25519"),
    marked("This is no public SSH key. It begins with ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp256, for example."),
    marked("This key is damaged: a part of it may be missing. Copy the whole line again."),
    marked("This RSA key is too short to be safe. Use one of 2048 bits or more, or an Ed25519 key."),
)
"""Sentences of the service, which knows no languages: listed so that catalogues have them."""


class KeysView(msgspec.Struct, frozen=True):
    """A customer's keys by control system, and the form for one more. ``named``: there are several systems."""

    accounts: Sequence[AccountKeys]
    total: int
    named: bool
    away: Sequence[str]
    choices: Sequence[tuple[str, str]]
    adding: bool
    values: Mapping[str, str]
    errors: Mapping[str, str]


def keys_view(
    found: Sequence[AccountKeys], values: Mapping[str, str], errors: Mapping[str, str], *, adding: bool
) -> KeysView:
    """The page out of what was read and, after a refusal, what was sent."""
    return KeysView(
        accounts=found,
        total=sum(len(each.keys or ()) for each in found),
        named=len(found) > 1,
        away=[each.account.connection_name for each in found if each.keys is None],
        choices=[(str(each.account.connection_id), each.account.connection_name) for each in found],
        adding=adding and bool(found),
        values=values,
        errors=errors,
    )
