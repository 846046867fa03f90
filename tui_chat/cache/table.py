"""TinyDB's table and database over the journal: same interface, but a change costs what it changes."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec
from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document, Table

from .journal import JournalStorage
from .rows import Overlay

Decoded = TypeVar("Decoded")


class JournalTable(Table):
    """A table whose insert, update and remove of single documents are O(1) in the table's size.

    TinyDB's own methods do the work; only the two through which all of them read and write are ours. Conditions
    (`cond=`) still look at every document, as in TinyDB.
    """

    _storage: JournalStorage

    def __init__(self, storage: Storage, name: str, cache_size: int = 0, persist_empty: bool = False):
        # No query cache: its results would be the same objects for all who ask.
        super().__init__(storage, name, cache_size, persist_empty)

    def _read_table(self) -> Any:
        return self._storage.rows(self.name)

    def _update_table(self, updater: Callable[[Any], Any]) -> None:
        rows = self._storage.rows(self.name)
        overlay = Overlay(rows, self.document_id_class)
        updater(overlay)
        with self._storage.group():
            if overlay.cleared:
                self._storage.clear(self.name)
            for identifier, document in overlay.touched.items():
                key = str(identifier)
                if document is None:
                    self._storage.remove(self.name, key)
                elif document != rows.get(key):
                    self._storage.put(self.name, key, document)
        self.clear_cache()

    def get(self, cond: Any = None, doc_id: Any = None, doc_ids: Any = None) -> Any:
        """As TinyDB's; `doc_ids` looks at those documents alone."""
        if doc_id is None and doc_ids is not None:
            rows = self._read_table()
            found = ((identifier, rows.get(str(identifier))) for identifier in doc_ids)
            return [self.document_class(row, identifier) for identifier, row in found if row is not None]
        return super().get(cond, doc_id, doc_ids)

    def has(self, doc_id: Any) -> bool:
        """Whether there is such a document."""
        return str(doc_id) in self._storage.raw(self.name)

    def put(self, doc_id: Any, document: Mapping[str, Any] | msgspec.Raw) -> None:
        """Insert or replace one document whole, without a look at the former one; as JSON where there is that."""
        self._storage.put(self.name, str(doc_id), document)

    def put_all(self, documents: Mapping[str, Any]) -> None:
        """The same of many, by their IDs as the file has them; all JSON, or all structs of the table's kind."""
        self._storage.put_all(self.name, documents)

    def discard(self, doc_ids: Iterable[Any]) -> None:
        """Remove documents, unknown ones ignored, without a look at them."""
        with self._storage.group():
            for doc_id in doc_ids:
                self._storage.remove(self.name, str(doc_id))

    def decoded_one(self, doc_id: Any, decoder: "msgspec.json.Decoder[Decoded]") -> Decoded | None:
        """One document straight into a struct."""
        raw = self._storage.raw(self.name).get(str(doc_id))
        return None if raw is None else decoder.decode(raw)


class KeyedTable(JournalTable):
    """A table whose IDs are strings of ours (a conversationID, a name): `Document(value, doc_id="C2Cbob")`."""

    document_id_class = str  # type: ignore[assignment]

    def _get_next_id(self) -> int:
        raise TypeError("documents of this table are inserted with their ID")


class JournalDB(TinyDB):
    """A TinyDB over a JournalStorage; arguments are the storage's."""

    table_class = JournalTable
    default_storage_class = JournalStorage  # type: ignore[assignment]

    @property
    def storage(self) -> JournalStorage:
        """The journal."""
        storage: JournalStorage = self._storage  # type: ignore[assignment]
        return storage

    def table(self, name: str, **kwargs: Any) -> JournalTable:
        """A table whose IDs are numbers."""
        table = super().table(name, **kwargs)
        assert isinstance(table, JournalTable)
        return table

    def keyed(self, name: str) -> KeyedTable:
        """A table whose IDs are strings."""
        table = self._tables.setdefault(name, KeyedTable(self.storage, name))
        assert isinstance(table, KeyedTable)
        return table


__all__ = ["Document", "JournalDB", "JournalTable", "KeyedTable"]
