"""What can go wrong on this machine, as exceptions that callers of the SDK get."""

from typing import ClassVar

from tui_chat.cache.store import CacheError, DiskFull
from tui_chat.protocol.errors import ChatError, NotConnected, Unexpected


class AccountInUse(ChatError):
    """This account is open in another tui-chat already."""

    code: ClassVar[str] = "account_in_use"
    status: ClassVar[int] = 409


class CacheUnusable(ChatError):
    """What is kept on this machine cannot be used."""

    code: ClassVar[str] = "cache_unusable"


class DiskIsFull(ChatError):
    """The disk is full: the command could not be stored, and was not carried out."""

    code: ClassVar[str] = "disk_full"
    status: ClassVar[int] = 507


class Untrusted(NotConnected):
    """The server's certificate is not trusted on this machine."""

    code: ClassVar[str] = "untrusted"


class Unreadable(Unexpected):
    """What answers at the server's address is not understood: a captive portal, a proxy, a server of another version.

    Nobody has refused anything, so a queued command waits.
    """

    code: ClassVar[str] = "unreadable"


def not_stored(error: CacheError) -> ChatError:
    """What to raise where a command could not be put into the queue: nothing of it was taken in."""
    return DiskIsFull() if isinstance(error, DiskFull) else CacheUnusable(str(error))
