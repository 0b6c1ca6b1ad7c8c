"""What everybody gets from every route: reviewed by hand, walked by `test_walk`."""

from __future__ import annotations

from typing import Any, Final

import msgspec


class Object(msgspec.Struct, frozen=True):
    """A route about one object: what whoever may gets. 503: allowed, and the vendor of our test servers is away.

    ``json`` or ``form`` is the body that it needs, also to refuse for who asks instead of for what is asked.
    """

    allowed: int
    json: dict[str, Any] | None = None
    form: dict[str, str] | None = None

    @property
    def sent(self) -> dict[str, Any]:
        """The body, as a client takes it."""
        return ({"json": self.json} if self.json is not None else {}) | ({"data": self.form} if self.form else {})


PUBLIC_KEY: Final = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4"

OBJECTS: Final[dict[str, Object]] = {
    "GET /api/user/servers/{server_id}": Object(200),
    "GET /api/user/servers/{server_id}/actions/{action_id}": Object(200),
    "GET /api/user/servers/{server_id}/logs": Object(200),
    "GET /api/user/servers/{server_id}/traffic": Object(503),
    "POST /api/user/servers/{server_id}/power/{action}": Object(202),
    "POST /api/user/servers/{server_id}/reset-password": Object(503),
    "GET /api/user/servers/{server_id}/vnc": Object(503),
    "GET /api/servers/{server_id}/vnc": Object(503),
    "POST /api/servers/{server_id}/vnc/enable": Object(503),
    "POST /api/user/servers/{server_id}/console": Object(503),
    "GET /api/admin/servers/{server_id}/vnc": Object(503),
    "GET /api/admin/servers/{server_id}/vnc/test": Object(503),
    "POST /api/admin/servers/{server_id}/vnc/enable": Object(503),
    "POST /api/admin/servers/{server_id}/vnc/disable": Object(503),
    "POST /api/admin/servers/{server_id}/console": Object(503),
    "GET /servers/{server_id}/console": Object(200),
    "GET /admin/servers/{server_id}/console": Object(200),
    "PATCH /api/user/servers/{server_id}": Object(202, json={"name": "mail-01"}),
    "GET /api/user/servers/{server_id}/templates": Object(503),
    "POST /api/user/servers/{server_id}/reinstall": Object(503, json={"templateId": 1}),
    "POST /api/user/servers/bulk": Object(200, json={"ids": [1], "action": "boot"}),
    "PATCH /api/admin/servers/{server_id}": Object(202, json={"name": "mail-01"}),
    "GET /api/admin/servers/{server_id}/templates": Object(503),
    "POST /api/admin/servers/{server_id}/reinstall": Object(503, json={"templateId": 1}),
    "POST /api/admin/servers/{server_id}/suspend": Object(202, json={"reason": "Unpaid"}),
    "POST /api/admin/servers/{server_id}/unsuspend": Object(409),
    "POST /api/admin/servers/{server_id}/throttle-cpu": Object(202, json={"percent": 50}),
    # Nobody of the walk has an account at the vendor: see test_operations.py.
    "POST /api/admin/servers/{server_id}/owner": Object(409, json={"customerId": 1}),
    "POST /api/admin/servers/{server_id}/reset-password": Object(503),
    "POST /api/admin/servers/bulk": Object(200, json={"ids": [1], "action": "boot"}),
    "GET /api/admin/servers/{server_id}/upstream": Object(503),
    "GET /api/admin/queue/{queue_id}": Object(503),
    "GET /api/admin/servers/{server_id}": Object(200),
    "GET /api/admin/servers/{server_id}/actions/{action_id}": Object(200),
    "POST /api/admin/servers/{server_id}/boot": Object(202),
    "POST /api/admin/servers/{server_id}/power-off": Object(202),
    "POST /api/admin/servers/{server_id}/restart": Object(202),
    "POST /api/admin/servers/{server_id}/shutdown": Object(202),
    "POST /api/admin/jobs/{dead_id}/replay": Object(202),
    "DELETE /api/admin/jobs/{dead_id}": Object(204),
    "GET /servers/{server_id}": Object(200),
    "GET /servers/{server_id}/activity": Object(200),
    "GET /servers/{server_id}/menu": Object(200),
    "GET /servers/{server_id}/traffic": Object(200),
    "POST /servers/{server_id}/power/{action}": Object(303),
    "POST /servers/{server_id}/reset-password": Object(503),
    "POST /servers/{server_id}/rename": Object(303, form={"name": "mail-01"}),
    "GET /servers/{server_id}/reinstall": Object(200),
    "POST /servers/{server_id}/reinstall": Object(422),
    # Without a password.
    "POST /api/auth/change-password": Object(400),
    "POST /account/password": Object(422),
    "PATCH /api/user/profile": Object(200, json={"language": "en"}),
    "POST /account/sessions/{session_id}/revoke": Object(303),
    "GET /admin/servers/{server_id}": Object(200),
    "GET /admin/servers/{server_id}/activity": Object(200),
    "GET /admin/servers/{server_id}/menu": Object(200),
    "GET /admin/servers/{server_id}/traffic": Object(200),
    "POST /admin/servers/{server_id}/power/{action}": Object(303),
    "POST /admin/servers/{server_id}/reset-password": Object(503),
    "POST /admin/servers/{server_id}/rename": Object(303, form={"name": "mail-01"}),
    "GET /admin/servers/{server_id}/reinstall": Object(200),
    "POST /admin/servers/{server_id}/reinstall": Object(422),
    "POST /admin/servers/{server_id}/suspend": Object(303, form={"reason": "Unpaid"}),
    "POST /admin/servers/{server_id}/unsuspend": Object(409),
    "POST /admin/servers/{server_id}/throttle": Object(303, form={"percent": "50"}),
    "GET /admin/servers/{server_id}/owner": Object(200),
    "POST /admin/servers/{server_id}/owner": Object(409, form={"customer_id": "1"}),
    "GET /admin/servers/{server_id}/upstream": Object(200),
    "GET /api/admin/users/{user_id}": Object(200),
    "PATCH /api/admin/users/{user_id}/status": Object(200, json={"enabled": True}),
    "GET /admin/users/{user_id}": Object(200),
    "POST /admin/users/{user_id}/enable": Object(303),
    "POST /admin/users/{user_id}/end-sessions": Object(303),
    "POST /admin/users/{user_id}/suspend": Object(303, form={"reason": "Fraud"}),
    "POST /admin/jobs/{dead_id}/replay": Object(303),
    "POST /admin/jobs/{dead_id}/discard": Object(303),
    # Without the number that staff saw: see test_jobs_pages.py.
    "POST /admin/jobs/connections/{connection_id}/confirm-removal": Object(409),
    "GET /api/admin/connections/{connection_id}": Object(200),
    # An empty body is refused, and so is to remove what servers stand on.
    "POST /api/admin/connections": Object(400),
    "PATCH /api/admin/connections/{connection_id}": Object(400),
    "DELETE /api/admin/connections/{connection_id}": Object(409),
    "POST /api/admin/virtfusion/test-connection": Object(400),
    "POST /api/test-virtfusion-user": Object(400),
    "POST /api/admin/hypervisors/sync": Object(202),
    "GET /api/admin/addresses": Object(400),
    "GET /admin/addresses.csv": Object(400),
    "GET /admin/hypervisors/{hypervisor_id}": Object(200),
    "GET /admin/connections/{connection_id}": Object(200),
    "GET /admin/connections/{connection_id}/edit": Object(200),
    "POST /admin/connections": Object(422),
    "POST /admin/connections/{connection_id}": Object(422),
    "POST /admin/connections/{connection_id}/check": Object(303),
    "POST /admin/connections/{connection_id}/switch-off": Object(303),
    "POST /admin/connections/{connection_id}/switch-on": Object(303),
    "POST /admin/connections/{connection_id}/remove": Object(409),
    "GET /admin/owners/{connection_id}/{external_user_id}": Object(200),
    # Without a customer, and without a name.
    "POST /admin/owners/{connection_id}/{external_user_id}/link": Object(404),
    "POST /admin/owners/{connection_id}/{external_user_id}/create": Object(422),
    "POST /admin/owners/accounts/{account_id}/unlink": Object(303),
    "GET /api/user/servers/{server_id}/usage": Object(200),
    "GET /api/admin/servers/{server_id}/usage": Object(200),
    "GET /api/admin/servers/{server_id}/traffic": Object(503),
    "GET /servers/{server_id}/usage": Object(200),
    "GET /servers/{server_id}/usage/live": Object(200),
    "GET /servers/{server_id}/activity.csv": Object(200),
    "GET /servers/{server_id}/traffic.csv": Object(503),
    "GET /admin/servers/{server_id}/usage": Object(200),
    "GET /admin/servers/{server_id}/usage/live": Object(200),
    "GET /admin/servers/{server_id}/activity.csv": Object(200),
    "GET /admin/servers/{server_id}/traffic.csv": Object(503),
    "GET /api/servers/{server_id}/notes": Object(200),
    "POST /api/servers/{server_id}/notes": Object(201, json={"title": "Backups"}),
    "PUT /api/servers/{server_id}/notes/{note_id}": Object(200, json={"title": "Backups"}),
    "DELETE /api/servers/{server_id}/notes/{note_id}": Object(204),
    "GET /servers/{server_id}/notes": Object(200),
    "POST /servers/{server_id}/notes": Object(303, form={"title": "Backups"}),
    "POST /servers/{server_id}/notes/{note_id}": Object(303, form={"title": "Backups"}),
    "POST /servers/{server_id}/notes/{note_id}/delete": Object(303),
    # The note is its owner's: nobody else reads or writes it, staff neither. A page keeps what was written to it.
    "GET /api/admin/servers/{server_id}/notes": Object(200),
    "POST /api/admin/servers/{server_id}/notes": Object(201, json={"title": "Backups"}),
    "PUT /api/admin/servers/{server_id}/notes/{note_id}": Object(404, json={"title": "Backups"}),
    "DELETE /api/admin/servers/{server_id}/notes/{note_id}": Object(404),
    "GET /admin/servers/{server_id}/notes": Object(200),
    "POST /admin/servers/{server_id}/notes": Object(303, form={"title": "Backups"}),
    "POST /admin/servers/{server_id}/notes/{note_id}": Object(409, form={"title": "Backups"}),
    "POST /admin/servers/{server_id}/notes/{note_id}/delete": Object(404),
    # Nobody of the walk has an account at the vendor: see test_ssh_keys.py.
    "POST /api/user/ssh-keys": Object(409, json={"publicKey": PUBLIC_KEY}),
    "DELETE /api/user/ssh-keys/{key_id}": Object(404),
    "GET /api/admin/ssh-keys/user/{user_id}": Object(200),
    "POST /api/user/api-keys": Object(201, json={"name": "backup", "scopes": ["read:user"]}),
    "DELETE /api/user/api-keys/{api_key_id}": Object(204),
    "POST /account/keys": Object(422),
    "POST /account/keys/{api_key_id}/revoke": Object(303),
    "POST /servers/keys": Object(422),
    "POST /servers/keys/{connection_id}/{key_id}/delete": Object(404),
}
# Public routes that look at nobody, and what they answer to everybody.
OPEN: Final[dict[str, int]] = {
    "GET /health/live": 200,
    "GET /health/ready": 503,  # no worker runs beside these tests
    "GET /api/openapi.json": 200,
    "GET /api": 200,
    "GET /brand/{name}": 404,  # with a name that nothing has
}
# Public routes that would take a caller, and what they answer to an empty request.
PUBLIC: Final[dict[str, int]] = {
    "GET /": 303,
    "GET /metrics": 200,
    "GET /register": 200,
    "GET /setup": 404,  # nothing is to be set up here: see tests/setup
    "GET /setup/admin": 404,
    "GET /setup/company": 404,
    "GET /setup/import": 404,
    "GET /setup/token": 404,
    "GET /setup/virtfusion": 404,
    "GET /sign-in": 200,
    "POST /api/auth/login": 400,
    "POST /api/auth/register": 400,
    "POST /register": 422,
    "POST /setup/admin": 404,
    "POST /setup/company": 404,
    "POST /setup/import": 404,
    "POST /setup/token": 404,
    "POST /setup/virtfusion": 404,
    "POST /sign-in": 422,
}
# Whoever is signed in may, but the answer does not end by itself: see test_live.py.
STREAMS: Final = frozenset({"GET /events"})
ENDS_THE_SESSION: Final = frozenset({"POST /sign-out", "POST /api/auth/logout"})
