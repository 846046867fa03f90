"""Structs as documents: what stands in TinyDB. Fields that have their default are left out, for small files."""

from typing import Any, Final

import msgspec

from tui_chat.protocol.models import Conversation, LastMessage, Message, Tip
from tui_chat.protocol.requests import Me

from .kinds import StructKind


class _Version(msgspec.Struct, frozen=True):
    version: int = 1


_REQUIRED: Final = object()
"""Stands for no value, and so is never one that is left out: what has a default may stand before what has none."""


class _Lean:
    """Makes of a struct one that says the same and, written as JSON, leaves out what has its default.

    By way of dictionaries that takes six times as long, and every event writes a message and a row.
    """

    def __init__(self, kind: type[msgspec.Struct], **within: "_Lean"):
        """`within`: for fields that hold structs of which the same is to be made."""
        fields = msgspec.structs.fields(kind)
        names = [field.name for field in fields]
        self._within = [(names.index(name), lean) for name, lean in within.items()]
        self._struct = msgspec.defstruct(
            kind.__name__,
            [(field.name, Any, _default(field)) for field in fields],
            rename={field.name: field.encode_name for field in fields},
            omit_defaults=True,
            gc=False,
        )

    def __call__(self, value: Any) -> Any:
        """`value` must be of the kind."""
        values = list(msgspec.structs.astuple(value))
        for place, lean in self._within:
            if values[place] is not None:
                values[place] = lean(values[place])
        return self._struct(*values)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.required:
        return _REQUIRED
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return field.default


_TIP: Final = _Lean(Tip)
_CONVERSATION: Final = _Lean(Conversation, last_message=_Lean(LastMessage, tip=_TIP))
_MESSAGE: Final = _Lean(Message, tip=_TIP)
_ENCODER: Final = msgspec.json.Encoder()
_VERSION: Final = msgspec.json.Decoder(_Version)

_ROWS: Final = msgspec.json.Decoder(dict[str, Conversation])
CONVERSATION: Final = msgspec.json.Decoder(Conversation)
MESSAGE: Final = msgspec.json.Decoder(Message)
ME: Final = msgspec.json.Decoder(Me)


def _rows(documents: msgspec.Raw) -> dict[str, Conversation]:
    """A table of rows. What stands in a row more than once is one string or number in memory: of a conversation with
    somebody who has no nick, the name and the sender; and the time, where nothing came that is not shown."""
    rows: dict[str, Conversation] = {}
    for key, row in _ROWS.decode(documents).items():
        rows[row.conversation_id if row.conversation_id == key else key] = row
        last = row.last_message
        if last is not None:
            if last.sender == row.name:
                msgspec.structs.force_setattr(last, "sender", row.name)
            if last.time == row.time:
                msgspec.structs.force_setattr(last, "time", row.time)
    return rows


def message_json(message: Message) -> msgspec.Raw:
    """A message as it is stored."""
    return msgspec.Raw(_ENCODER.encode(_MESSAGE(message)))


CONVERSATIONS: Final = StructKind(one=CONVERSATION.decode, table=_rows, lean=_CONVERSATION)
"""What rows are kept as."""


def version_of(document: msgspec.Raw) -> int:
    """The version of a stored message."""
    return _VERSION.decode(document).version
