"""Short ways to make what the client's tests are about."""

from typing import Any, Final

from tui_chat.cache.memory import MemoryAccount
from tui_chat.client.announcer import Announcer
from tui_chat.client.catch_up import CatchUp
from tui_chat.client.changes import Change
from tui_chat.client.credentials import StoredCredentials
from tui_chat.client.cursors import position_of
from tui_chat.client.doubt import Doubt
from tui_chat.client.merging import Marks
from tui_chat.client.on_hand import OnHand
from tui_chat.client.pages import Pages
from tui_chat.client.receiver import Receiver
from tui_chat.client.state import State
from tui_chat.client.undo_log import UndoLog
from tui_chat.protocol import events
from tui_chat.protocol.ids import parse_conversation_id
from tui_chat.protocol.models import Conversation, LastMessage, Membership, Message

MINE = events.EventDevice(device_id="d-laptop", name="laptop")
OTHER = events.EventDevice(device_id="d-phone", name="phone")
NOWHERE: Final = StoredCredentials(
    server_url="http://127.0.0.1:9",
    user_id="alice",
    device_id=MINE.device_id,
    device_name=MINE.name,
    access_token="a",
    refresh_token="r",
    expires_at=2**52,
)
"""alice's, of a server that is not there."""


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


class Inside:
    """What a session of alice's has inside, without tasks, a queue or a disk: a test calls it as they would.

    Begins with `rows`, at event 10, or with what `store` has, as a process that comes after finds it. A server is
    whatever has those calls that will be asked of it.
    """

    def __init__(self, *rows: Conversation, store: MemoryAccount | None = None):
        self.store = store if store is not None else MemoryAccount()
        if store is None:
            self.store.save(upsert=rows, cursor="e:10")
        self.state = State(device_id=MINE.device_id, queued_for=lambda _: ())
        self.state.fill(self.store.conversations(), self.store.stale)
        self.state.cursor, self.state.position = self.store.cursor, position_of(self.store.cursor)
        self.changes: list[Change] = []
        self.announcer = Announcer()
        self.announcer.subscribe(self.changes.extend)
        self.on_hand = OnHand(self.store.history, disk_failed=lambda _error: None)
        self.doubt = Doubt(self.store, disk_failed=lambda _error: None)
        self._catch_up: CatchUp | None = None
        self.receiver = Receiver(
            state=self.state,
            store=self.store,
            on_hand=self.on_hand,
            doubt=self.doubt,
            announcer=self.announcer,
            undo_log=UndoLog(),
            user_id=NOWHERE.user_id,
            clock=lambda: 0,
            is_echo=lambda _: False,
            overlaid=lambda message: message,
            wrote=lambda _: None,
            inexact=lambda _: None,
            position_moved=self._position_moved,
            signed_out=lambda: None,
            nick_changed=lambda _: None,
            disk_failed=lambda _error: None,
        )

    def catching_up_with(self, server: Any) -> CatchUp:
        """The way back into step, by calls of `server`."""
        self._catch_up = CatchUp(server, self.state, self.receiver, facts=lambda _: None)
        return self._catch_up

    def pages_from(self, server: Any) -> Pages:
        """Pages, asked of `server`."""
        return Pages(
            state=self.state,
            on_hand=self.on_hand,
            doubt=self.doubt,
            announcer=self.announcer,
            calls=server,
            receiver=self.receiver,
            overlaid=lambda message: message,
        )

    def _position_moved(self) -> None:
        if self._catch_up is not None:
            self._catch_up.position_moved()
