"""The formats of the files, and the way from each to the next.

Who changes what stands in a document counts the format of its file up and says here how older documents become newer
ones; `tests/cache/test_formats.py` opens files that were written with each. A change of history counts the account's
format up as well: it is the account's file that is opened first, and that tells an older program to keep off; and
messages stand in its `fresh` tables too.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

Migration = Callable[[dict[str, dict[str, Any]]], dict[str, dict[str, Any]]]
"""Tables (table -> document's ID -> plain document) of one format -> the same in the next."""
Migrations = Mapping[int, Migration]
"""By the format that each begins from."""


def _unchanged(tables: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return tables


ACCOUNT_FORMAT: Final = 2
ACCOUNT_MIGRATIONS: Migrations = {1: _unchanged}
"""2: messages may stand in the account's file (fresh.py), where a program that knows 1 would not clear them."""
HISTORY_FORMAT: Final = 1
HISTORY_MIGRATIONS: Migrations = {}
