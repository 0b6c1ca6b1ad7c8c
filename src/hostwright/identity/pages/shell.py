"""The sidebar's lines for one's own account."""

from collections.abc import Mapping, Sequence

from hostwright.core.db import Db
from hostwright.identity.schemas import Viewer
from hostwright.web.i18n import gettext
from hostwright.web.shell import NavGroup, NavItem


class IdentityShell:
    """The sidebar's line for one's own account."""

    def groups(self, viewer: Viewer, counts: Mapping[str, int]) -> Sequence[NavGroup]:
        """The same for everybody."""
        del viewer, counts
        profile = NavItem(icon="circle-user-round", label=gettext("Profile"), url="/account/profile")
        password = NavItem(icon="lock-keyhole", label=gettext("Password"), url="/account/password")
        sessions = NavItem(icon="monitor-smartphone", label=gettext("Sessions"), url="/account/sessions")
        keys = NavItem(icon="braces", label=gettext("API keys"), url="/account/keys")
        return [NavGroup(gettext("Account"), (profile, password, sessions, keys))]

    async def counts(self, db: Db, viewer: Viewer) -> Mapping[str, int]:
        """No figures."""
        del db, viewer
        return {}
