"""Short ways to make what the client's tests are about."""

from typing import Any

from tui_chat.client.merging import Marks
from tui_chat.protocol import events
from tui_chat.protocol.ids import parse_conversation_id
from tui_chat.protocol.models import Conversation, LastMessage, Membership, Message

MINE = events.EventDevice(device_id="d-laptop", name="laptop")
OTHER = events.EventDevice(device_id="d-phone", name="phone")


def message(conversation_id: str, message_seq: int, text: str = "", sender: str = "bob", **more: Any) -> Message:
    """A message."""
    made: dict[str, Any] = {
        "client_id": f"{conversation_id}-{message_seq}",
        "time": 1_000 + message_seq,
        "text": text or f"m{message_seq}",
    }
    return Message(conversation_id=conversation_id, message_seq=message_seq, sender=sender, **(made | more))


def row(conversation_id: str, newest: int, **more: Any) -> Conversation:
    """A conversation of `newest` messages, all of the other side, of which none is read."""
    kind = parse_conversation_id(conversation_id).type
    cleared = more.get("cleared_through", 0)
    floor = max(cleared, more.get("hidden_through", 0), more.get("read_seq", 0))
    made: dict[str, Any] = {
        "name": conversation_id,
        "last_message": LastMessage(message_seq=newest, sender="bob", time=1_000 + newest, text=f"m{newest}")
        if newest > cleared
        else None,
        "message_count": max(0, newest - cleared),
        "unread_count": max(0, newest - floor),
        "newest_seq": newest,
        "first_seq": cleared + 1 if newest > cleared else 0,
        "time": 1_000 + newest,
        "membership": Membership.JOINED if kind == "GROUP" else None,
    }
    return Conversation(conversation_id=conversation_id, type=kind, **(made | more))


def arrived(event_seq: int, conversation_id: str, message_seq: int, **more: Any) -> events.MessageNew:
    """A message arrives, and the conversation as it stands then."""
    return events.MessageNew(
        event_seq=event_seq,
        message=message(conversation_id, message_seq),
        conversation=row(conversation_id, message_seq, **more),
    )


def deleted(
    event_seq: int,
    items: dict[str, Marks],
    *,
    clear: bool = True,
    device: events.EventDevice = OTHER,
    batch: str = "b1",
) -> events.ConversationDeleted:
    """Conversations deleted by a device."""
    return events.ConversationDeleted(
        event_seq=event_seq,
        items=[watermark(one, marks) for one, marks in items.items()],
        clear_history_message=clear,
        operation_id=f"o-{event_seq}",
        batch_id=batch,
        undo_seconds=600,
        device=device,
    )


def watermark(conversation_id: str, marks: Marks) -> events.WatermarkItem:
    """One item of a deletion."""
    return events.WatermarkItem(
        conversation_id=conversation_id, hidden_through=marks.hidden_through, cleared_through=marks.cleared_through
    )


def restored(event_seq: int, *rows: Conversation, device: events.EventDevice = OTHER) -> events.ConversationRestored:
    """A batch undone."""
    return events.ConversationRestored(event_seq=event_seq, conversations=list(rows), batch_id="b1", device=device)


def ranged(first: int, *happened: events.Event, last: int | None = None) -> events.EventRange:
    """A range from `first` to `last` (the newest event's number unless given)."""
    to = last if last is not None else (happened[-1].event_seq if happened else first)
    return events.EventRange(
        first=first, last=to, cursor=f"e:{to}", events=[events.raw_event(event) for event in happened]
    )
