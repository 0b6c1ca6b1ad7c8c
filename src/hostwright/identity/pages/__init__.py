"""Pages of the identity feature."""

from typing import Any, Final

from hostwright.identity.pages.account import AccountPages
from hostwright.identity.pages.keys import KeyPages
from hostwright.identity.pages.sessions import SessionPages
from hostwright.identity.pages.shell import IdentityShell
from hostwright.identity.pages.sign_in import SignInPages

HANDLERS: Final[list[Any]] = [SignInPages, AccountPages, SessionPages, KeyPages]

__all__ = ["HANDLERS", "IdentityShell"]
