"""The formats of the files, and the way from each to the next.

Who changes what stands in a document counts the format of its file up and says here how older documents become newer
ones; `tests/cache/test_formats.py` opens files that were written with each. A change of history counts the account's
format up as well: it is the account's file that is opened first, and that tells an older program to keep off.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

Migration = Callable[[dict[str, dict[str, Any]]], dict[str, dict[str, Any]]]
"""Tables (table -> document's ID -> plain document) of one format -> the same in the next."""
Migrations = Mapping[int, Migration]
"""By the format that each begins from."""

ACCOUNT_FORMAT: Final = 1
ACCOUNT_MIGRATIONS: Migrations = {}
HISTORY_FORMAT: Final = 1
HISTORY_MIGRATIONS: Migrations = {}
