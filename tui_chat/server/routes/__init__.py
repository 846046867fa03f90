"""What the server answers over HTTP: one file a resource, thin; one table of all of it."""

from typing import Any

from . import accounts, admin, conversations, export, groups, messages, search, sync, system, users
from .endpoint import Endpoint

ENDPOINTS: tuple[Endpoint[Any, Any, Any], ...] = (
    *messages.ENDPOINTS,
    *conversations.ENDPOINTS,
    *sync.ENDPOINTS,
    *accounts.ENDPOINTS,
    *groups.ENDPOINTS,
    *users.ENDPOINTS,
    *export.ENDPOINTS,
    *search.ENDPOINTS,
    *admin.ENDPOINTS,
    *system.ENDPOINTS,
)
"""Every endpoint that answers a body of ours, in the order in which addresses are compared: what is asked for most
first, and an address before one with parameters that it could be taken for."""
