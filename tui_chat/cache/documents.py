"""Structs as documents: what stands in TinyDB. Fields that have their default are left out, for small files."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tui_chat.protocol.models import Conversation, LastMessage, Message, Tip
from tui_chat.protocol.requests import Me
from tui_chat.protocol.wire import to_plain


class Place(msgspec.Struct, frozen=True, rename={"conversation_id": "conversationID"}):
    """As much of a row as decides where it stands; the rest is not even decoded."""

    conversation_id: str
    pinned: bool = False
    time: int = 0


def _defaults(kind: type[msgspec.Struct]) -> dict[str, Any]:
    defaults: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if field.default is not msgspec.NODEFAULT:
            defaults[field.encode_name] = to_plain(field.default)
        elif field.default_factory is not msgspec.NODEFAULT:
            defaults[field.encode_name] = to_plain(field.default_factory())
    return defaults


_CONVERSATION: Final[Mapping[str, Any]] = _defaults(Conversation)
_LAST: Final[Mapping[str, Any]] = _defaults(LastMessage)
_MESSAGE: Final[Mapping[str, Any]] = _defaults(Message)
_TIP: Final[Mapping[str, Any]] = _defaults(Tip)
_MISSING: Final = object()

CONVERSATION: Final = msgspec.json.Decoder(Conversation)
PLACE: Final = msgspec.json.Decoder(Place)
MESSAGE: Final = msgspec.json.Decoder(Message)
ME: Final = msgspec.json.Decoder(Me)


def conversation_document(row: Conversation) -> dict[str, Any]:
    """A row as it is stored."""
    document = _lean(to_plain(row), _CONVERSATION)
    if "lastMessage" in document:
        last = document["lastMessage"] = _lean(document["lastMessage"], _LAST)
        if "tip" in last:
            last["tip"] = _lean(last["tip"], _TIP)
    return document


def message_document(message: Message) -> dict[str, Any]:
    """A message as it is stored."""
    document = _lean(to_plain(message), _MESSAGE)
    if "tip" in document:
        document["tip"] = _lean(document["tip"], _TIP)
    return document


def _lean(plain: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if value != defaults.get(name, _MISSING)}
