"""A TinyDB storage that appends: one line a change, instead of the whole file.

TinyDB's own storages write everything at every change (measured: 76 ms at 10,000 documents, 595 ms at 100,000) and in
place, so that a crash leaves garbage. Here memory has the state, the file its base and the changes since (see
records.py), and it is rewritten beside and renamed when the changes outweigh the base: O(1) a write, whole or absent
after a crash at any instant.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
from tinydb.storages import Storage

from .changing import ChangingTables
from .files import disk_errors
from .formats import Migrations
from .journal_file import JournalFile
from .kinds import ALL_JSON, Kinds, as_json
from .records import Base, Record, Tables, encoded, plain, read_base, read_format, replay, write_base
from .rows import Rows
from .store import CacheError, Closed, NewerFormat, Recovered

COMPACT_FROM: Final = 256 * 1024
"""Bytes of records below which a file is never rewritten by itself."""


class JournalStorage(Storage):
    """One file of tables.

    Arguments:
        path: the file; beside it may stand `.bak`, and `.tmp` and `.next` while it is rewritten.
        durable: keep a backup, and fsync when asked to. Otherwise what a power cut spoils is simply gone.
        version: the format of the documents; `migrations[n]` turns those of format n into format n + 1.
        kinds: tables whose documents are kept as structs.

    Raises (everywhere): DiskFull, or CacheError for what else the operating system refuses; nothing has changed then.
    Closed after `close`.
    Raises (opening): NewerFormat.
    """

    def __init__(
        self,
        path: Path,
        *,
        durable: bool = True,
        version: int = 1,
        migrations: Migrations = MappingProxyType({}),
        compact_from: int = COMPACT_FROM,
        kinds: Kinds = ALL_JSON,
    ):
        self._file = JournalFile(path, durable=durable)
        self._durable = durable
        self._version = version
        self._kinds = kinds
        self._compact_from = compact_from
        self._compact_at = compact_from
        self._changing = ChangingTables()
        self._backlog = Record()
        """Changes that stand in memory and found no room on the disk."""
        self._one_compaction = asyncio.Lock()
        self.recovered: Recovered = None
        try:
            with disk_errors():
                self._take_up(self._file.open(), migrations)
        except msgspec.ValidationError as error:
            self._file.close()
            raise CacheError(f"The cache of this account cannot be used: {error}.") from error
        except BaseException:
            self._file.close()
            raise

    # What TinyDB asks of a storage

    def read(self) -> dict[str, Any]:
        """The tables: read-only views whose documents are decoded, and therefore the reader's own, at each look."""
        return {name: self.rows(name) for name in self._changing.tables}

    def write(self, data: Mapping[str, Mapping[Any, Mapping[str, Any]]]) -> None:
        """Replace everything. Only TinyDB's own drop_table(s) come here; tables write their changes."""
        with self.group():
            tables = self._changing.tables
            for name in [name for name in tables if name not in data]:
                self.clear(name)
            for name, rows in data.items():
                if not (isinstance(rows, Rows) and rows.raw is tables.get(name)):
                    self.clear(name)
                    for identifier, document in rows.items():
                        self.put(name, str(identifier), document)

    def close(self) -> None:
        """Bring everything to the disk and let go of the file; a second call does nothing."""
        try:
            if not self._file.closed:
                self.flush_now()
        finally:
            self._file.close()

    # What our tables ask

    def raw(self, table: str) -> dict[str, Any]:
        """A table's documents by ID, as JSON or as its kind's structs: for reading only."""
        return self._changing.tables.get(table, {})

    def rows(self, table: str) -> Rows:
        """The same, decoded at each look."""
        return Rows(self.raw(table), self._kinds.get(table))

    def put(self, table: str, identifier: str, document: Mapping[str, Any] | msgspec.Raw) -> None:
        """Insert or replace one document. Raises TypeError where it is not made of plain JSON values, and
        msgspec.ValidationError where it is not of the table's kind."""
        encoded, kind = as_json(document, None), self._kinds.get(table)
        self._put(table, {identifier: encoded}, {identifier: encoded if kind is None else kind.one(encoded)})

    def put_all(self, table: str, documents: Mapping[str, Any]) -> None:
        """Insert or replace documents: all JSON, or all structs of the table's kind."""
        kind = self._kinds.get(table)
        if kind is None:
            self._put(table, documents, documents)
        else:
            encoded = {identifier: as_json(document, kind) for identifier, document in documents.items()}
            self._put(table, encoded, documents)

    def remove(self, table: str, identifier: str) -> None:
        """Remove one document, if it is there."""
        if identifier in self.raw(table):
            with self.group():
                self._changing.remove(table, identifier)

    def clear(self, table: str) -> None:
        """Remove all documents of a table."""
        if self.raw(table):
            with self.group():
                self._changing.clear(table)

    @contextmanager
    def group(self, *, keep: bool = False) -> Iterator[None]:
        """Everything inside becomes one record: after a crash all of it is there or none; an exception undoes it.

        `keep`: where only the disk refuses, the changes stand in memory nevertheless, and are written together with the
        next group that succeeds. DiskFull is raised all the same.
        """
        changing = self._changing
        if changing.record is not None:
            yield
            return
        self._assert_open()
        record = changing.begin()
        try:
            yield
        except BaseException:
            changing.roll_back()
            raise
        else:
            try:
                self._append(self._backlog.then(record) if self._backlog else record)
            except BaseException:
                if keep:
                    self._backlog = self._backlog.then(record)
                else:
                    changing.roll_back()
                raise
            self._backlog = Record()
        finally:
            changing.end()
        grown = self._file.records_bytes >= self._compact_at * (4 if self._durable else 1)
        if grown and not self._file.being_replaced:
            # Nobody flushes. What was asked for is written: where there is no room to rewrite, that is only put off.
            with suppress(CacheError):
                self.compact_now()

    async def flush(self) -> None:
        """Bring what was written to the disk for good, and rewrite the file when the changes outweigh its base; the
        waiting is done in other threads. Those who ask at once share one fsync."""
        self._write_backlog()
        if self._file.unsynced:
            await asyncio.to_thread(self._file.sync)
        if self._rewrite_due and not self._file.being_replaced:
            await self.compact()

    def flush_now(self) -> None:
        """As `flush`, on the caller's time."""
        self._write_backlog()
        self.sync_now()
        if self._rewrite_due:
            self.compact_now()

    def sync_now(self) -> None:
        """fsync what was written."""
        self._file.sync()

    def compact_now(self) -> None:
        """Rewrite the file, so that it holds the present state and no trace of former ones."""
        self._assert_open()
        image, chain = write_base(self._changing.tables, self._version, self._kinds)
        try:
            self._file.replace_now(image, chain)
        except CacheError:
            self._put_off()
            raise
        self._rewritten()
        self._backlog = Record()

    async def compact(self) -> None:
        """As `compact_now`, with what takes long in another thread; changes go on meanwhile."""
        self._assert_open()
        async with self._one_compaction:
            tables = {name: rows.copy() for name, rows in self._changing.tables.items()}
            try:
                replaced = await self._file.replace(lambda: write_base(tables, self._version, self._kinds))
            except CacheError:
                self._put_off()
                raise
            if replaced:
                self._rewritten()

    def remove_files(self) -> None:
        """Close, and remove the file with everything beside it."""
        self._changing, self._backlog = ChangingTables(), Record()
        self._file.remove()

    # Inside

    def _put(self, table: str, documents: Mapping[str, msgspec.Raw], kept: Mapping[str, Any]) -> None:
        if self._changing.record is not None:
            self._changing.put(table, documents, kept)
        else:
            with self.group():
                self._changing.put(table, documents, kept)

    @property
    def _rewrite_due(self) -> bool:
        return self._file.lacks_backup or self._file.records_bytes >= self._compact_at

    def _assert_open(self) -> None:
        if self._file.closed:  # and another process may have the file
            raise Closed

    def _take_up(self, data: bytes | None, migrations: Migrations) -> None:
        base = self._known(data)
        if base is None:
            backup = self._file.backup()
            base = self._known(backup)
            if base is None:
                if data is None and backup is None:
                    return
                self.recovered = "rebuilt"
                self.compact_now()
                return
            self.recovered = "backup"
        kinds = self._kinds if base.format == self._version else ALL_JSON
        state = replay(data or b"", base, kinds)
        tables = state.tables
        if data is not None and b"\n" in data[state.end :]:
            self.recovered = "backup"  # not a line that was being written, but one that was spoilt later
        for version in range(state.format, self._version):
            tables = encoded(migrations[version](plain(tables)))
        self._changing.tables = tables if kinds is self._kinds else _of_kinds(tables, self._kinds)
        if self.recovered or state.format != self._version or data is None:
            self.compact_now()
            return
        self._file.go_on(data, base_bytes=base.end, length=state.end, chain=state.chain)
        self._compact_at = max(self._compact_from, base.end)

    def _known(self, data: bytes | None) -> Base | None:
        found = read_format(data) if data is not None else None
        if data is None or found is None:
            return None
        if found > self._version:
            raise NewerFormat(found, self._version)
        return read_base(data, self._kinds if found == self._version else ALL_JSON)

    def _append(self, record: Record) -> None:
        if not record:
            return
        payload = msgspec.json.encode(record)
        if self._file.sound:
            self._file.append(payload)
        else:
            self.compact_now()  # which holds what the record says

    def _write_backlog(self) -> None:
        self._assert_open()
        if self._file.torn:
            self.compact_now()
        elif self._backlog:
            self._append(self._backlog)
            self._backlog = Record()

    def _rewritten(self) -> None:
        self._compact_at = max(self._compact_from, self._file.base_bytes)

    def _put_off(self) -> None:
        """A rewrite failed: do not try again at every change."""
        self._file.lacks_backup = False
        self._compact_at = 2 * max(self._file.records_bytes, self._compact_from)


def _of_kinds(tables: Tables, kinds: Kinds) -> Tables:
    """Tables of JSON as they are kept. Raises msgspec.ValidationError where a document is not of its table's kind."""
    return {
        name: kinds[name].table(msgspec.Raw(msgspec.json.encode(rows))) if name in kinds else rows
        for name, rows in tables.items()
    }
