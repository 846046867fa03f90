"""How events that are not of messages stand in the log: as on the wire, but that long lists of watermarks are packed.

A deletion of a hundred conversations has 7 KB on the wire, and packed less than 2 KB.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from tui_chat.protocol import events

_FIRST_OF_A_LIST: Final = "["


class _Packed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A conversation.deleted or conversation.cleared."""

    deleted: bool
    conversations: list[str]
    hidden: list[int]
    cleared: list[int]
    clear_history_message: bool
    operation_id: str
    batch_id: str
    undo_seconds: int
    device_id: str
    device_name: str


_encode = msgspec.json.Encoder().encode
_unpack = msgspec.json.Decoder(_Packed).decode


def pack(event: events.Event) -> str:
    """An event as it is stored."""
    match event:
        case events.ConversationDeleted() | events.ConversationCleared():
            return _encode(
                _Packed(
                    isinstance(event, events.ConversationDeleted),
                    [item.conversation_id for item in event.items],
                    [item.hidden_through for item in event.items],
                    [item.cleared_through for item in event.items],
                    event.clear_history_message,
                    event.operation_id,
                    event.batch_id,
                    event.undo_seconds,
                    event.device.device_id,
                    event.device.name,
                )
            ).decode()
        case _:
            return _encode(event).decode()


def unpack(data: str) -> events.AnyEvent:
    """The reverse of `pack`, also of what was stored before anything was packed."""
    if not data.startswith(_FIRST_OF_A_LIST):
        return events.decode_event(data.encode())
    packed = _unpack(data)
    kind = events.ConversationDeleted if packed.deleted else events.ConversationCleared
    return kind(
        items=_items(packed.conversations, packed.hidden, packed.cleared),
        clear_history_message=packed.clear_history_message,
        operation_id=packed.operation_id,
        batch_id=packed.batch_id,
        undo_seconds=packed.undo_seconds,
        device=events.EventDevice(device_id=packed.device_id, name=packed.device_name),
    )


def _items(names: Sequence[str], hidden: Sequence[int], cleared: Sequence[int]) -> list[events.WatermarkItem]:
    return [
        events.WatermarkItem(conversation_id=name, hidden_through=hidden_through, cleared_through=cleared_through)
        for name, hidden_through, cleared_through in zip(names, hidden, cleared, strict=True)
    ]
