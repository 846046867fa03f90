"""The lines of a journal: what one says, and how a line that is not whole is told from one that is.

A file is lines of ``CRC SPACE JSON LF``. CRC is the CRC-32 (eight hexadecimal digits) of the JSON of this line *and of
all lines before it*: a line counts only behind exactly those that it was written behind. JSON has no line feed inside.

The first line is the head, ``{"format": 1}``; the second the base, every table as it was when the file was written;
each further one a record, the changes of one group. The backup is a copy of head and base, byte for byte, so that the
records of the file continue its chain too.
"""

import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from .kinds import Kinds, as_json, table_json

Tables = dict[str, dict[str, Any]]
"""table -> document's ID -> its JSON, or its struct (see kinds.py). Documents are not decoded to dictionaries until
somebody asks: a fraction of the memory, little to encode when a file is rewritten, and no reader can change what is
stored."""


class Head(msgspec.Struct, frozen=True):
    """The first line: understood by every version there will be."""

    format: int


class Record(msgspec.Struct, omit_defaults=True):
    """What one group changes; read in the order of the fields. Later changes of one document replace earlier ones."""

    clear: set[str] = msgspec.field(default_factory=set)
    """Tables that are emptied."""
    remove: dict[str, set[str]] = msgspec.field(default_factory=dict)
    put: dict[str, dict[str, msgspec.Raw]] = msgspec.field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.clear or self.remove or self.put)

    def add_clear(self, table: str) -> None:
        """The table is emptied now."""
        self.put.pop(table, None)
        self.remove.pop(table, None)
        self.clear.add(table)

    def add_remove(self, table: str, identifier: str) -> None:
        """The document goes now."""
        self.put.get(table, {}).pop(identifier, None)
        self.remove.setdefault(table, set()).add(identifier)

    def add_put(self, table: str, documents: Mapping[str, msgspec.Raw]) -> None:
        """The documents are now these."""
        self.put.setdefault(table, {}).update(documents)

    def then(self, later: "Record") -> "Record":
        """Both, one after the other, as one record."""
        both = Record(
            clear=set(self.clear),
            remove={table: set(identifiers) for table, identifiers in self.remove.items()},
            put={table: dict(documents) for table, documents in self.put.items()},
        )
        for table in later.clear:
            both.add_clear(table)
        for table, identifiers in later.remove.items():
            for identifier in identifiers:
                both.add_remove(table, identifier)
        for table, documents in later.put.items():
            both.add_put(table, documents)
        return both

    def apply(self, tables: Tables, kinds: Kinds) -> None:
        """Change the tables, whose documents are of these kinds, accordingly."""
        for table in self.clear:
            tables.pop(table, None)
        for table, identifiers in self.remove.items():
            documents = tables.get(table, {})
            for identifier in identifiers:
                documents.pop(identifier, None)
        for table, changed in self.put.items():
            tables.setdefault(table, {}).update(_kept(changed, table, kinds))


class Line(NamedTuple):
    """A line that is whole."""

    payload: memoryview
    end: int
    """Where the next one begins."""
    chain: int
    """The checksum up to here."""


def write_line(payload: bytes, chain: int) -> tuple[bytes, int]:
    """A line behind those whose checksum is `chain` (0 for the first); and the checksum with it."""
    chain = zlib.crc32(payload, chain)
    return b"%08x %s\n" % (chain, payload), chain


def read_line(data: bytes, start: int, chain: int) -> Line | None:
    """The line that begins at `start` behind lines of that checksum; None where it is torn, damaged or another's."""
    end = data.find(b"\n", start)
    if end < start + 9:
        return None
    payload = memoryview(data)[start + 9 : end]
    chain = zlib.crc32(payload, chain)
    if data[start : start + 9] != b"%08x " % chain:
        return None
    return Line(payload, end + 1, chain)


class Base(NamedTuple):
    """Head and base of a file."""

    format: int
    tables: Tables
    end: int
    chain: int


_HEAD = msgspec.json.Decoder(Head)
_TABLES = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TABLE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_RECORD = msgspec.json.Decoder(Record)


def write_base(tables: Tables, version: int, kinds: Kinds) -> tuple[bytes, int]:
    """Head and base as they stand in a file, and their checksum."""
    head, chain = write_line(msgspec.json.encode(Head(format=version)), 0)
    whole = {name: table_json(rows, kinds[name]) if name in kinds else rows for name, rows in tables.items() if rows}
    base, chain = write_line(msgspec.json.encode(whole), chain)
    return head + base, chain


def read_format(data: bytes) -> int | None:
    """The format that a file's head names, known or not; None where there is no whole head."""
    head = read_line(data, 0, 0)
    if head is None:
        return None
    try:
        return _HEAD.decode(head.payload).format
    except msgspec.DecodeError:
        return None


def read_base(data: bytes, kinds: Kinds) -> Base | None:
    """Head and base of a file of a known format; None where either is damaged. Nothing of it is a view of `data` where
    there are kinds. Raises msgspec.ValidationError where a document is not of its table's kind."""
    head = read_line(data, 0, 0)
    base = read_line(data, head.end, head.chain) if head else None
    if head is None or base is None:
        return None
    try:
        format_, found = _HEAD.decode(head.payload).format, _TABLES.decode(base.payload)
        others = {name: _TABLE.decode(found[name]) for name in found if name not in kinds}
    except msgspec.DecodeError:
        return None
    tables: Tables = {
        name: kinds[name].table(rows) if name in kinds else _kept(others[name], name, kinds)
        for name, rows in found.items()
    }
    return Base(format_, tables, base.end, base.chain)


def _kept(documents: dict[str, msgspec.Raw], table: str, kinds: Kinds) -> dict[str, Any]:
    """Documents of a file as memory has them: one that is left a view would keep all of the file's bytes there, which
    pays only where it is all JSON."""
    if not kinds:
        return documents
    if kind := kinds.get(table):
        return {identifier: kind.one(document) for identifier, document in documents.items()}
    return {identifier: document.copy() for identifier, document in documents.items()}


def replay(data: bytes, base: Base, kinds: Kinds) -> Base:
    """The base with every whole record behind it applied, up to the first that is not. Raises as `read_base`."""
    format_, tables, end, chain = base
    while line := read_line(data, end, chain):
        try:
            record = _RECORD.decode(line.payload)
        except msgspec.DecodeError:
            break
        record.apply(tables, kinds)
        end, chain = line.end, line.chain
    return Base(format_, tables, end, chain)


def plain(tables: Tables) -> dict[str, dict[str, Any]]:
    """The tables with decoded documents, for migrations."""
    return {name: {key: msgspec.json.decode(raw) for key, raw in rows.items()} for name, rows in tables.items()}


def encoded(tables: dict[str, dict[str, Any]]) -> Tables:
    """The reverse of `plain`."""
    return {name: {key: as_json(document, None) for key, document in rows.items()} for name, rows in tables.items()}
