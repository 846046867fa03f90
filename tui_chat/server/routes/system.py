"""What monitors ask."""

from typing import Any

from tui_chat.protocol.requests import Health
from tui_chat.server.operations import settings

from .endpoint import Call, Counted, Endpoint, Nothing


async def healthz(call: Call[Nothing, Nothing]) -> Health:
    """Whether the server answers and its database can be read."""
    facts = await call.services.engine.read(settings.facts)
    return Health(status="ok", version=facts.version)


ENDPOINTS: tuple[Endpoint[Any, Any, Any], ...] = (
    Endpoint("GET", "/healthz", healthz, Health, counted=Counted.NOT, anyone=True),
)
