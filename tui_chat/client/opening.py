"""Opening an account's cache on disk; TinyDB is loaded only then."""

from pathlib import Path

from tui_chat.cache.store import AccountStore, CacheError, DiskFull, Locked

from .problems import AccountInUse, CacheUnusable, DiskIsFull


def open_store(directory: Path) -> AccountStore:
    """The cache in `directory`.

    Raises:
        AccountInUse: another process has it; says which. CacheUnusable, DiskIsFull.
    """
    from tui_chat.cache.account import AccountCache

    try:
        return AccountCache.open(directory)
    except Locked as error:
        raise AccountInUse(str(error), details={"pid": error.pid}) from error
    except DiskFull as error:
        raise DiskIsFull(str(error)) from error
    except CacheError as error:
        raise CacheUnusable(str(error)) from error
