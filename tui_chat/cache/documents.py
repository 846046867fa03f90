"""Structs as documents: what stands in TinyDB. Fields that have their default are left out, for small files."""

from typing import Any, Final

import msgspec

from tui_chat.protocol.models import Conversation, LastMessage, Message, Tip
from tui_chat.protocol.requests import Me


class Place(msgspec.Struct, frozen=True, rename={"conversation_id": "conversationID"}):
    """As much of a row as decides where it stands; the rest is not even decoded."""

    conversation_id: str
    pinned: bool = False
    time: int = 0


class _Version(msgspec.Struct, frozen=True):
    version: int = 1


def _lean(kind: type[msgspec.Struct], **within: Any) -> Any:
    """The same struct, except that it leaves out what has its default; `within`: the types of fields that do so too.

    By way of dictionaries it takes three times as long, and every event writes a message and a row.
    """
    fields = msgspec.structs.fields(kind)
    return msgspec.defstruct(
        kind.__name__,
        [(field.name, within.get(field.name, field.type), _default(field)) for field in fields],
        rename={field.name: field.encode_name for field in fields},
        omit_defaults=True,
        kw_only=True,
        gc=False,
    )


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return field.default


_TIP: Final = _lean(Tip)
_LAST: Final = _lean(LastMessage, tip=_TIP | None)
_CONVERSATION: Final = _lean(Conversation, last_message=_LAST | None)
_MESSAGE: Final = _lean(Message, tip=_TIP | None)
_ENCODER: Final = msgspec.json.Encoder()
_VERSION: Final = msgspec.json.Decoder(_Version)

CONVERSATION: Final = msgspec.json.Decoder(Conversation)
PLACE: Final = msgspec.json.Decoder(Place)
MESSAGE: Final = msgspec.json.Decoder(Message)
ME: Final = msgspec.json.Decoder(Me)


def conversation_json(row: Conversation) -> msgspec.Raw:
    """A row as it is stored."""
    return msgspec.Raw(_ENCODER.encode(msgspec.convert(row, _CONVERSATION, from_attributes=True)))


def message_json(message: Message) -> msgspec.Raw:
    """A message as it is stored."""
    return msgspec.Raw(_ENCODER.encode(msgspec.convert(message, _MESSAGE, from_attributes=True)))


def version_of(document: msgspec.Raw) -> int:
    """The version of a stored message."""
    return _VERSION.decode(document).version
