"""Every decision and every write of the first run."""

from hostwright.setup.service.company import finish, name_company
from hostwright.setup.service.connection import Outcome, attach, progress_of, save_draft, skip, try_connection
from hostwright.setup.service.token import (
    AdminThere,
    SetupDone,
    TokenRefused,
    create_admin,
    enter_token,
    is_visitor,
    new_token,
)

__all__ = [
    "AdminThere",
    "Outcome",
    "SetupDone",
    "TokenRefused",
    "attach",
    "create_admin",
    "enter_token",
    "finish",
    "is_visitor",
    "name_company",
    "new_token",
    "progress_of",
    "save_draft",
    "skip",
    "try_connection",
]
