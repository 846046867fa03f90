"""What monitors ask, and what keeps a server's data safe."""

from typing import Any

from tui_chat.protocol.errors import AdministratorOnly, BackupRunning
from tui_chat.protocol.requests import BackupMade, Health

from .endpoint import Call, Counted, Endpoint, Nothing


async def healthz(call: Call[Nothing, Nothing]) -> Health:
    """Whether the server answers, and its database can be read and written; 503 says why not."""
    facts, now = await call.services.health.check()
    return Health(status="ok", version=facts.version, time=now, bus=call.services.health.bus)


async def backup(call: Call[Nothing, Nothing]) -> BackupMade:
    """Copy the database, while everything goes on, into the server's directory for backups; for administrators."""
    return await call.services.backups.make(call.caller)


ENDPOINTS: tuple[Endpoint[Any, Any, Any], ...] = (
    Endpoint("POST", "/v1/admin/backup", backup, BackupMade, errors=(AdministratorOnly, BackupRunning)),
    Endpoint("GET", "/healthz", healthz, Health, counted=Counted.NOT, anyone=True, waits=True),
)
