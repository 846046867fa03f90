"""How events that are not of messages stand in the log: as on the wire, but that long lists of watermarks are packed.

A deletion of a hundred conversations has 7 KB on the wire, and packed less than 1 KB where names are short. SQLite
keeps up to 1,002 bytes of a row of the log beside its neighbours; of what is longer, the rest takes a page of its own,
for which two more are changed.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from tui_chat.protocol import events
from tui_chat.protocol.ids import SYSTEM
from tui_chat.protocol.wire import encode
from tui_chat.server.engines import ToBeMade

_FIRST_OF_A_LIST: Final = "["


class Watermarks(ToBeMade, frozen=True, kw_only=True, gc=False):
    """A conversation.deleted or conversation.cleared that is to be logged: its items are made where somebody is told of
    them, and are three lists until then, which nobody changes."""

    event_seq: int = 0
    deleted: bool
    conversation_ids: Sequence[str]
    hidden: list[int]
    cleared: list[int]
    clear_history_message: bool
    operation_id: str
    batch_id: str
    undo_seconds: int
    device: events.EventDevice

    def whole(self) -> events.ConversationDeleted | events.ConversationCleared:
        """The event."""
        kind = events.ConversationDeleted if self.deleted else events.ConversationCleared
        return kind(
            event_seq=self.event_seq,
            items=[
                events.WatermarkItem(conversation_id=name, hidden_through=hidden, cleared_through=cleared)
                for name, hidden, cleared in zip(self.conversation_ids, self.hidden, self.cleared, strict=True)
            ],
            clear_history_message=self.clear_history_message,
            operation_id=self.operation_id,
            batch_id=self.batch_id,
            undo_seconds=self.undo_seconds,
            device=self.device,
        )

    def raw(self) -> bytes:
        """The event's JSON."""
        return encode(self.whole())


class _Packed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Watermarks as they are stored. Numbers that are all the same are one."""

    kind: int
    conversations: str
    """Short forms, with spaces between them."""
    hidden: int | list[int]
    cleared: int | list[int] | None
    """None: as `hidden`."""
    operation_id: str
    batch_id: str | None
    """None: as `operation_id`."""
    undo_seconds: int
    device_id: str
    device_name: str


class _PackedBefore(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The same as it was stored once."""

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


_DELETED: Final = 1
_CLEAR: Final = 2
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Packed).decode
_decode_before = msgspec.json.Decoder(_PackedBefore).decode


def pack(event: events.Event | Watermarks) -> str:
    """An event as it is stored."""
    if not isinstance(event, Watermarks):
        return _encode(event).decode()
    return _encode(
        _Packed(
            _DELETED * event.deleted + _CLEAR * event.clear_history_message,
            _shortened(event.conversation_ids),
            _folded(event.hidden),
            None if event.cleared == event.hidden else _folded(event.cleared),
            event.operation_id,
            None if event.batch_id == event.operation_id else event.batch_id,
            event.undo_seconds,
            event.device.device_id,
            event.device.name,
        )
    ).decode()


def unpack(data: str) -> events.AnyEvent:
    """The reverse of `pack`, also of what was stored before anything was packed, or was packed otherwise."""
    if not data.startswith(_FIRST_OF_A_LIST):
        return events.decode_event(data.encode())
    if not data[1].isdigit():
        before = _decode_before(data)
        return Watermarks(
            deleted=before.deleted,
            conversation_ids=before.conversations,
            hidden=before.hidden,
            cleared=before.cleared,
            clear_history_message=before.clear_history_message,
            operation_id=before.operation_id,
            batch_id=before.batch_id,
            undo_seconds=before.undo_seconds,
            device=events.EventDevice(device_id=before.device_id, name=before.device_name),
        ).whole()
    packed = _decode(data)
    names = [_long(name) for name in packed.conversations.split(" ")]
    hidden = _unfolded(packed.hidden, len(names))
    return Watermarks(
        deleted=packed.kind & _DELETED != 0,
        conversation_ids=names,
        hidden=hidden,
        cleared=hidden if packed.cleared is None else _unfolded(packed.cleared, len(names)),
        clear_history_message=packed.kind & _CLEAR != 0,
        operation_id=packed.operation_id,
        batch_id=packed.operation_id if packed.batch_id is None else packed.batch_id,
        undo_seconds=packed.undo_seconds,
        device=events.EventDevice(device_id=packed.device_id, name=packed.device_name),
    ).whole()


def _folded(numbers: list[int]) -> int | list[int]:
    return numbers[0] if numbers.count(numbers[0]) == len(numbers) else numbers


def _unfolded(numbers: int | list[int], count: int) -> list[int]:
    return [numbers] * count if isinstance(numbers, int) else numbers


# A userID begins with a letter or digit, and no conversationID has a space or a slash in it. So a userID stands for the
# conversation with that user, a groupID behind a slash for the group's, and the system's for itself.


def _shortened(conversation_ids: Sequence[str]) -> str:
    return f" {' '.join(conversation_ids)}".replace(" GROUP", " /").replace(" C2C", " ")[1:]


def _long(name: str) -> str:
    if name.startswith("/"):
        return f"GROUP{name[1:]}"
    return name if name == SYSTEM else f"C2C{name}"
