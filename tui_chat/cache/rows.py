"""A table's documents as TinyDB wants to see them, decoded one at a time."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

import msgspec

from .kinds import StructKind, as_json


class Rows(Mapping[str, dict[str, Any]]):
    """Documents by ID. Each look decodes anew, so that nobody holds what is stored. `kind`: where they are structs."""

    __slots__ = ("kind", "raw")

    def __init__(self, raw: dict[str, Any], kind: StructKind | None = None):
        self.raw = raw
        self.kind = kind

    def __getitem__(self, identifier: str) -> dict[str, Any]:
        document: dict[str, Any] = msgspec.json.decode(as_json(self.raw[identifier], self.kind))
        return document

    def __contains__(self, identifier: object) -> bool:
        return identifier in self.raw

    def __iter__(self) -> Iterator[str]:
        return iter(self.raw)

    def __len__(self) -> int:
        return len(self.raw)


class Overlay(MutableMapping[Any, Any]):
    """What TinyDB's updaters change: documents are decoded when touched, and only those are written afterwards.

    Its keys are IDs of the table's own kind (int or str).
    """

    def __init__(self, rows: Mapping[str, dict[str, Any]], identifier: Callable[[str], Any]):
        self._rows = rows
        self._identifier = identifier
        self.touched: dict[Any, Any] = {}
        """Documents that were looked at or set; None for those that are removed."""
        self.cleared = False

    def __getitem__(self, key: Any) -> Any:
        if key in self.touched:
            document = self.touched[key]
        else:
            document = self._rows.get(str(key)) if not self.cleared else None
            if document is not None:
                self.touched[key] = document
        if document is None:
            raise KeyError(key)
        return document

    def __setitem__(self, key: Any, document: Any) -> None:
        self.touched[key] = document

    def __delitem__(self, key: Any) -> None:
        if key not in self:
            raise KeyError(key)
        self.touched[key] = None

    def __contains__(self, key: object) -> bool:
        if key in self.touched:
            return self.touched[key] is not None
        return not self.cleared and str(key) in self._rows

    def __iter__(self) -> Iterator[Any]:
        stored = [] if self.cleared else [self._identifier(key) for key in self._rows]
        for key in stored:
            if key in self:
                yield key
        for key, document in list(self.touched.items()):
            if document is not None and (self.cleared or str(key) not in self._rows):
                yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        """Remove everything, without a look at it."""
        self.touched.clear()
        self.cleared = True
