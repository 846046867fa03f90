"""Which bus a server uses."""

from collections.abc import Callable
from random import Random

from tui_chat.server.options import CannotServe, ServerOptions, is_postgres

from . import Bus
from .local import LocalBus


def make_bus(
    options: ServerOptions, process: str, database: str, monotonic: Callable[[], float], random: Random
) -> Bus:
    """The bus that the options name, not begun yet. `process`: this process' name; `database`: the database's.

    Raises:
        CannotServe: its client is not installed.
    """
    address = options.bus_address
    if address is None:
        return LocalBus()
    if is_postgres(address):
        # The engine has been opened, so its driver is there.
        from .postgres import PostgresBus

        return PostgresBus(address, process, database, monotonic=monotonic, random=random)
    try:
        from .nats import NatsBus
    except ImportError as error:
        raise CannotServe(f"the client for NATS is missing ({error}): pip install 'tui-chat[nats]'") from error
    return NatsBus(address.split(","), process, database, monotonic=monotonic, random=random)
