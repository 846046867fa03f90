"""Who asks: the account and the device behind a token."""

import msgspec

from tui_chat.protocol.errors import AdministratorOnly
from tui_chat.protocol.events import EventDevice
from tui_chat.server.engines import Transaction


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticated device of a user."""

    user: int
    """Key of the account."""
    user_id: str
    """Its name in the registered spelling."""
    device: int
    """Key of the device."""
    device_id: str
    device_name: str
    administrator: bool = False

    def as_event_device(self) -> EventDevice:
        """What other devices are told of who did it."""
        return EventDevice(device_id=self.device_id, name=self.device_name)


def administrators_only(tx: Transaction, caller: Caller) -> None:
    """Raise AdministratorOnly for everybody else. The database is asked: what `caller` says may be a minute old."""
    row = tx.one("SELECT administrator FROM account WHERE id = ?", caller.user)
    if row is None or not row[0]:
        raise AdministratorOnly()
