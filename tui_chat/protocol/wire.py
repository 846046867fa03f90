"""How our structs look on the wire: field names in camelCase with `ID` in capitals, JSON by msgspec."""

from typing import Any, Final, TypeVar

import msgspec

Decoded = TypeVar("Decoded")

SEEN_AT: Final = "Seen-At"
"""The header of calls that name messages by their numbers: the cursor of the state that whoever decided on the call had
before them."""


def wire_name(field: str) -> str:
    """Turn `conversation_id_list` into `conversationIDList`, as Tencent spells its fields."""
    first, *rest = field.split("_")
    return first + "".join("ID" if word == "id" else word.capitalize() for word in rest)


class Wire(msgspec.Struct, frozen=True, kw_only=True, rename=wire_name):
    """Base of everything that travels from the server.

    Every field is written out (null where there is nothing), so that readers need no defaults; unknown fields are
    ignored, so that servers can grow.
    """


class Request(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename=wire_name, forbid_unknown_fields=True
):
    """Base of what a client sends; unknown fields are refused, so that a typing error is not silently a default."""


def encode(value: Any) -> bytes:
    """JSON bytes of a struct or of plain values."""
    return msgspec.json.encode(value)


def decode(data: bytes | str, kind: type[Decoded]) -> Decoded:
    """Read JSON as `kind`.

    Raises:
        msgspec.DecodeError: not JSON, or (its subclass ValidationError) not of that shape.
    """
    return msgspec.json.decode(data, type=kind)


def to_plain(value: Any) -> Any:
    """The struct as dictionaries and lists under its wire names, for stores that know nothing else."""
    return msgspec.to_builtins(value)


def from_plain(value: Any, kind: type[Decoded]) -> Decoded:
    """The reverse of `to_plain`. Raises msgspec.ValidationError where the shape is another."""
    return msgspec.convert(value, type=kind)
