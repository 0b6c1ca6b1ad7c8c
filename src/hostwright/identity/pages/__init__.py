"""Pages of the identity feature."""

from typing import Any, Final

from hostwright.identity.pages.sessions import SessionPages
from hostwright.identity.pages.shell import IdentityShell
from hostwright.identity.pages.sign_in import SignInPages

HANDLERS: Final[list[Any]] = [SignInPages, SessionPages]

__all__ = ["HANDLERS", "IdentityShell"]
