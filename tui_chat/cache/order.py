"""The order in which a list shows its rows."""

from typing import Protocol


class Listed(Protocol):
    """What decides a row's place."""

    @property
    def conversation_id(self) -> str: ...
    @property
    def pinned(self) -> bool: ...
    @property
    def time(self) -> int: ...


def list_order(row: Listed) -> tuple[bool, int, str]:
    """Sort key: pinned rows first, then the newest; the ID decides between equals, so that the order is one."""
    return (not row.pinned, -row.time, row.conversation_id)
