"""Tables whose documents are kept as structs, because their readers hold them as structs anyway: to keep the JSON of
ten thousand rows beside them takes as much memory again.

On the disk they are JSON like all others. Frozen structs are shared with whoever reads them.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

_AT_ONCE: Final = 64
"""Documents encoded in one go: fewer take longer, and what more of them take stands in memory at once."""


class StructKind(NamedTuple):
    """What the documents of a table are."""

    one: Callable[[msgspec.Raw], Any]
    """A document's struct. Raises msgspec.DecodeError where it says none."""
    table: Callable[[msgspec.Raw], dict[str, Any]]
    """The same of a whole table, by ID."""
    lean: Callable[[Any], Any]
    """What stands for a struct in JSON: it says the same, and leaves out what has its default."""


Kinds = Mapping[str, StructKind]
"""By table; those that are not in it are kept as JSON."""
ALL_JSON: Final[Kinds] = MappingProxyType({})


def as_json(document: Any, kind: StructKind | None) -> msgspec.Raw:
    """A document of a table of this kind as it stands in the file."""
    if isinstance(document, msgspec.Raw):
        return document
    return msgspec.Raw(msgspec.json.encode(kind.lean(document) if kind is not None else document))


def table_json(rows: Mapping[str, Any], kind: StructKind) -> msgspec.Raw:
    """A whole table of this kind as it stands in the file."""
    return msgspec.Raw(b"{%b}" % b",".join(_parts(rows, kind.lean)))


def _parts(rows: Mapping[str, Any], lean: Callable[[Any], Any]) -> Iterator[bytes]:
    left = iter(rows.items())
    while part := {identifier: lean(document) for identifier, document in islice(left, _AT_ONCE)}:
        yield msgspec.json.encode(part)[1:-1]
